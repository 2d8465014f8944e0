// Elements of a message: how they are written on the wire, and what an app sees of them.

import type { Elem, MsgBody, Numeric } from "./wire.js";

export interface TextPayload {
  text: string;
}
export interface CustomPayload {
  data: string;
  description: string;
  extension: string;
}
export interface FacePayload {
  index: number;
  data: string;
}
export interface LocationPayload {
  description: string;
  longitude: number;
  latitude: number;
}
export interface ImageInfo {
  /** 1 the original, 2 large, 3 small. */
  type: number;
  sizeType: number;
  size: number;
  width: number;
  height: number;
  url: string;
  imageUrl: string;
}
export interface ImagePayload {
  uuid: string;
  imageFormat: number;
  imageInfoArray: ImageInfo[];
}
export interface AudioPayload {
  uuid: string;
  url: string;
  remoteAudioUrl: string;
  size: number;
  second: number;
}
export interface FilePayload {
  uuid: string;
  fileName: string;
  fileUrl: string;
  fileSize: number;
}
export interface VideoPayload {
  videoUUID: string;
  videoUrl: string;
  remoteVideoUrl: string;
  videoFormat: string;
  videoSecond: number;
  videoSize: number;
  thumbUUID: string;
  thumbUrl: string;
  snapshotUrl: string;
  thumbFormat: string;
  thumbSize: number;
  thumbWidth: number;
  thumbHeight: number;
  snapshotWidth: number;
  snapshotHeight: number;
}
/** A message inside of a combined one. */
export interface MergedMessage {
  from: string;
  to: string;
  time: number;
  sequence: number;
  random: number;
  type: string;
  payload: Payload;
  messageBody: Element[];
  cloudCustomData: string;
}
export interface MergerPayload {
  title: string;
  abstractList: string[];
  compatibleText: string;
  messageList: MergedMessage[];
  /** What is too long to travel with the message; it cannot be fetched here. */
  downloadKey: string;
}
export type Payload =
  | TextPayload
  | CustomPayload
  | FacePayload
  | LocationPayload
  | ImagePayload
  | AudioPayload
  | FilePayload
  | VideoPayload
  | MergerPayload
  | Record<string, unknown>;

/** An element as an app sees it. */
export interface Element {
  type: string;
  payload: Payload;
}

type Content = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number => Number(value as Numeric) || 0;
const list = (value: unknown): Content[] => (Array.isArray(value) ? value : []);

/** How an element of one type is read and written. */
interface Codec {
  read(content: Content): Payload;
  write(payload: Content): Content;
}

function imageInfo(info: Content): ImageInfo {
  const type = number(info.Type);
  const url = text(info.URL);
  const size = { size: number(info.Size), width: number(info.Width), height: number(info.Height) };
  return { type, sizeType: type, ...size, url, imageUrl: url };
}

const CODECS: Record<string, Codec> = {
  TIMTextElem: {
    read: (content) => ({ text: text(content.Text) }),
    write: (payload) => ({ Text: text(payload.text) }),
  },
  TIMCustomElem: {
    read: (content) => ({
      data: text(content.Data),
      description: text(content.Desc),
      extension: text(content.Ext),
    }),
    write: (payload) => ({
      Data: text(payload.data),
      Desc: text(payload.description),
      Ext: text(payload.extension),
    }),
  },
  TIMFaceElem: {
    read: (content) => ({ index: number(content.Index), data: text(content.Data) }),
    write: (payload) => ({ Index: number(payload.index), Data: text(payload.data) }),
  },
  TIMLocationElem: {
    read: (content) => ({
      description: text(content.Desc),
      longitude: number(content.Longitude),
      latitude: number(content.Latitude),
    }),
    write: (payload) => ({
      Desc: text(payload.description),
      Longitude: number(payload.longitude),
      Latitude: number(payload.latitude),
    }),
  },
  TIMImageElem: {
    read: (content) => ({
      uuid: text(content.UUID),
      imageFormat: number(content.ImageFormat),
      imageInfoArray: list(content.ImageInfoArray).map(imageInfo),
    }),
    write: (payload) => ({
      UUID: text(payload.uuid),
      ImageFormat: number(payload.imageFormat),
      ImageInfoArray: list(payload.imageInfoArray).map((info) => ({
        Type: number(info.type),
        Size: number(info.size),
        Width: number(info.width),
        Height: number(info.height),
        URL: text(info.url),
      })),
    }),
  },
  TIMSoundElem: {
    read: (content) => ({
      uuid: text(content.UUID),
      url: text(content.Url),
      remoteAudioUrl: text(content.Url),
      size: number(content.Size),
      second: number(content.Second),
    }),
    write: (payload) => ({
      Url: text(payload.url),
      UUID: text(payload.uuid),
      Size: number(payload.size),
      Second: number(payload.second),
      Download_Flag: 2,
    }),
  },
  TIMFileElem: {
    read: (content) => ({
      uuid: text(content.UUID),
      fileName: text(content.FileName),
      fileUrl: text(content.Url),
      fileSize: number(content.FileSize),
    }),
    write: (payload) => ({
      Url: text(payload.fileUrl),
      UUID: text(payload.uuid),
      FileSize: number(payload.fileSize),
      FileName: text(payload.fileName),
      Download_Flag: 2,
    }),
  },
  TIMVideoFileElem: {
    read: (content) => ({
      videoUUID: text(content.VideoUUID),
      videoUrl: text(content.VideoUrl),
      remoteVideoUrl: text(content.VideoUrl),
      videoFormat: text(content.VideoFormat),
      videoSecond: number(content.VideoSecond),
      videoSize: number(content.VideoSize),
      thumbUUID: text(content.ThumbUUID),
      thumbUrl: text(content.ThumbUrl),
      snapshotUrl: text(content.ThumbUrl),
      thumbFormat: text(content.ThumbFormat),
      thumbSize: number(content.ThumbSize),
      thumbWidth: number(content.ThumbWidth),
      thumbHeight: number(content.ThumbHeight),
      snapshotWidth: number(content.ThumbWidth),
      snapshotHeight: number(content.ThumbHeight),
    }),
    write: (payload) => ({
      VideoUrl: text(payload.videoUrl),
      VideoUUID: text(payload.videoUUID),
      VideoSize: number(payload.videoSize),
      VideoSecond: number(payload.videoSecond),
      VideoFormat: text(payload.videoFormat),
      VideoDownloadFlag: 2,
      ThumbUrl: text(payload.thumbUrl),
      ThumbUUID: text(payload.thumbUUID),
      ThumbSize: number(payload.thumbSize),
      ThumbWidth: number(payload.thumbWidth),
      ThumbHeight: number(payload.thumbHeight),
      ThumbFormat: text(payload.thumbFormat),
      ThumbDownloadFlag: 2,
    }),
  },
  TIMRelayElem: {
    read: (content) => ({
      title: text(content.Title),
      abstractList: list(content.AbstractList).map(text),
      compatibleText: text(content.CompatibleText),
      messageList: list(content.MsgList).map(readMerged),
      downloadKey: text(content.JsonMsgKey),
    }),
    write: (payload) => ({
      Title: text(payload.title),
      MsgNum: list(payload.messageList).length,
      CompatibleText: text(payload.compatibleText),
      AbstractList: list(payload.abstractList).map(text),
      ...(payload.downloadKey ? { JsonMsgKey: text(payload.downloadKey) } : writeMergedList(payload.messageList)),
    }),
  },
};

function readMerged(item: Content): MergedMessage {
  const messageBody = readBody(list(item.MsgBody) as unknown as MsgBody);
  const first = messageBody[0] ?? { type: "", payload: {} };
  return {
    from: text(item.From_Account),
    to: text(item.To_Account),
    time: number(item.MsgTimeStamp),
    sequence: number(item.MsgSeq),
    random: number(item.MsgRandom),
    type: first.type,
    payload: first.payload,
    messageBody,
    cloudCustomData: text(item.CloudCustomData),
  };
}

/** Takes messages of history, and those that came in a combined message themselves. */
function writeMergedList(messages: unknown): Content {
  const MsgList = list(messages).map((message) => {
    const elements = (message._elements ?? message.messageBody ?? [message]) as unknown as Element[];
    return {
      From_Account: text(message.from),
      To_Account: text(message.to),
      MsgSeq: number(message.sequence),
      MsgRandom: number(message.random),
      MsgTimeStamp: number(message.time),
      MsgBody: writeBody(elements),
      CloudCustomData: text(message.cloudCustomData),
    };
  });
  return { MsgList };
}

export function readBody(body: MsgBody): Element[] {
  return body.map((elem) => {
    const content = (elem.MsgContent ?? {}) as Content;
    const codec = CODECS[elem.MsgType];
    return { type: elem.MsgType, payload: codec ? codec.read(content) : content };
  });
}

export function writeBody(elements: Element[]): MsgBody {
  return elements.map(({ type, payload }) => {
    const codec = CODECS[type];
    const content = codec ? codec.write(payload as Content) : payload;
    return { MsgType: type, MsgContent: content } as unknown as Elem;
  });
}

/** What a list shows of a message that is not text. */
const SHOWN: Record<string, string> = {
  TIMImageElem: "[Image]",
  TIMSoundElem: "[Audio]",
  TIMFileElem: "[File]",
  TIMVideoFileElem: "[Video]",
  TIMFaceElem: "[Face]",
  TIMLocationElem: "[Location]",
  TIMRelayElem: "[Chat history]",
};

/** A message in one line. */
export function shownText(elements: Element[]): string {
  const one = ({ type, payload }: Element): string => {
    const content = payload as Content;
    if (type === "TIMTextElem") return text(content.text);
    if (type === "TIMCustomElem") return text(content.description) || "[Custom]";
    return SHOWN[type] ?? `[${type}]`;
  };
  return elements.map(one).join("");
}
