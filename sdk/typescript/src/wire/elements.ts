// Written by `cargo xtask codegen` from crates/protocol/src/client/surface.rs. Change that, not this file.

/** A number, or a string with a number in it: elements travel as they were sent. */
export type Numeric = number | string;

export interface TextElem {
  MsgType: "TIMTextElem";
  MsgContent: {
    Text: string;
  };
}

export interface CustomElem {
  MsgType: "TIMCustomElem";
  MsgContent: {
    Data?: string;
    Desc?: string;
    Ext?: string;
    Sound?: string;
  };
}

export interface FaceElem {
  MsgType: "TIMFaceElem";
  MsgContent: {
    Index?: Numeric;
    Data?: string;
  };
}

export interface LocationElem {
  MsgType: "TIMLocationElem";
  MsgContent: {
    Desc?: string;
    Latitude?: Numeric;
    Longitude?: Numeric;
  };
}

export interface ImageElem {
  MsgType: "TIMImageElem";
  MsgContent: {
    UUID: string;
    ImageFormat?: Numeric;
    ImageInfoArray: {
      Type?: Numeric;
      Size?: Numeric;
      Width: Numeric;
      Height: Numeric;
      URL: string;
    }[];
  };
}

export interface SoundElem {
  MsgType: "TIMSoundElem";
  MsgContent: {
    Url: string;
    UUID: string;
    Size?: Numeric;
    Second?: Numeric;
    Download_Flag: 2;
  };
}

export interface FileElem {
  MsgType: "TIMFileElem";
  MsgContent: {
    Url: string;
    UUID?: string;
    FileSize?: Numeric;
    FileName?: string;
    Download_Flag: 2;
  };
}

export interface VideoFileElem {
  MsgType: "TIMVideoFileElem";
  MsgContent: {
    VideoUrl: string;
    VideoUUID: string;
    VideoSize?: Numeric;
    VideoSecond?: Numeric;
    VideoFormat?: string;
    VideoDownloadFlag: 2;
    ThumbUrl: string;
    ThumbUUID: string;
    ThumbSize?: Numeric;
    ThumbWidth: Numeric;
    ThumbHeight: Numeric;
    ThumbFormat?: string;
    ThumbDownloadFlag: 2;
  };
}

export interface RelayElem {
  MsgType: "TIMRelayElem";
  MsgContent: {
    MsgList?: {
      From_Account: string;
      To_Account?: string;
      GroupId?: string;
      MsgSeq?: Numeric;
      MsgRandom?: Numeric;
      MsgTimeStamp?: Numeric;
      MsgBody: unknown[];
      CloudCustomData?: string;
    }[];
    JsonMsgKey?: string;
    Title?: string;
    MsgNum?: Numeric;
    CompatibleText?: string;
    AbstractList?: string[];
  };
}

/** An element of a message: `MsgType` says which. */
export type Elem =
  | TextElem
  | CustomElem
  | FaceElem
  | LocationElem
  | ImageElem
  | SoundElem
  | FileElem
  | VideoFileElem
  | RelayElem;

/** What a message says. */
export type MsgBody = Elem[];
