// Written by `cargo xtask codegen` from crates/protocol/src/client/surface.rs. Change that, not this file.

import type { MsgBody } from "./elements.js";

/** A key that names a message: `<MsgSeq>_<MsgRandom>_<MsgTime>`. */
export type MsgKey = string;

/** Values of a profile, or of the app's own, by their tags. */
export type Tags = Record<string, string | number>;

/** What messages of a conversation do. `AcceptNotNotify`: they come without a sound. `Discard`: they do not come. */
export type Notify =
  | "AcceptAndNotify"
  | "AcceptNotNotify"
  | "Discard";

/** Who has whom on the friend list. */
export type CheckResult =
  | "CheckResult_Type_NoRelation"
  | "CheckResult_Type_AWithB"
  | "CheckResult_Type_BWithA"
  | "CheckResult_Type_BothWay";

/** Whether a user is online. `PushOnline`: not connected, and reached by offline push. `Unknown`: there is no such account. */
export type StatusType =
  | "Online"
  | "PushOnline"
  | "Offline"
  | "Unknown";

/** Who carries push: Firebase Cloud Messaging, or Apple. */
export type PushProvider =
  | "fcm"
  | "apns";

/** What a file is to be in a message. */
export type MediaKind =
  | "image"
  | "sound"
  | "video"
  | "file";

/** What was done to a conversation in the user's own list. */
export type ViewChange =
  | "removed"
  | "erased"
  | "pinned"
  | "unpinned"
  | "cleared"
  | "noted";

/** What is new between the user and another. */
export type RelationNews =
  | "befriended"
  | "unfriended"
  | "blocked"
  | "unblocked"
  | "asked"
  | "noted"
  | "unasked"
  | "grouped";

/** Why the server ends a session. */
export type KickReason =
  | "other_device"
  | "same_device"
  | "revoked"
  | "expired"
  | "deleted";

/** A place in a user's log. Offsets are compared only within one epoch. */
export interface Position {
  /** Names the log. */
  epoch: string;
  /** The number of the last entry seen. */
  offset: number;
}

/** How to push a message to devices that are not connected. */
export interface OfflinePushInfo {
  /** 1: no offline push. Left out: 0. */
  PushFlag?: 0 | 1;
  /** The title of the push. Left out: none. */
  Title?: string;
  /** The text of the push. Left out: made of the elements. */
  Desc?: string;
  /** Handed through to the app. Left out: none. */
  Ext?: string;
  /** Settings for Android. Left out: none. */
  AndroidInfo?: Record<string, unknown>;
  /** Settings for Apple's devices. Left out: none. */
  ApnsInfo?: Record<string, unknown>;
}

/** A message as history shows it. */
export interface Message {
  /** Who sent it. */
  From_Account: string;
  /** Who got it. */
  To_Account: string;
  /** Orders messages of the same second. */
  MsgSeq: number;
  /** As it was sent. */
  MsgRandom: number;
  /** Its time by the server's clock, in Unix seconds. */
  MsgTimeStamp: number;
  /** 8: it was recalled, and has no content any more. */
  MsgFlagBits: 0 | 8;
  /** 1: its recipient has confirmed to have read it. */
  IsPeerRead: 0 | 1;
  /** Its key, by which requests name it. */
  MsgKey: MsgKey;
  /** What it is known by among clients. */
  MsgId: string;
  /** What it says, to the byte as it was sent; empty when it was recalled. */
  MsgBody: MsgBody;
  /** As it was sent. */
  CloudCustomData: string;
  /** The sender's own clock, in Unix seconds. */
  MsgClientTime: number;
  /** Rises with every edit. */
  MsgVersion: number;
  /** As it was sent. */
  IsNeedReadReceipt: 0 | 1;
  /** As it was sent. */
  SupportMessageExtension: 0 | 1;
  /** 1: a word list with the action `mark` fits it. Only there if it is so. */
  HasRiskContent?: 1;
}

/** Whether a message was confirmed. */
export interface Receipt {
  /** The key of the message. */
  key: MsgKey;
  /** Whether its recipient has confirmed to have read it. */
  confirmed: boolean;
}

/** A key-value pair on a message. */
export interface Extension {
  /** The key. */
  Key: string;
  /** The value; empty of a pair that is not there. */
  Value: string;
  /** The number of the change that made it so. */
  Seq: number;
}

/** A pair to be set. */
export interface ExtensionToSet {
  /** The key. */
  Key: string;
  /** The value. Left out: empty. */
  Value?: string;
  /** The `Seq` that the pair is known to have, 0 if it is not there: an older one is refused. Left out: whatever is there is overwritten. */
  Seq?: number;
}

/** A pair to be deleted. */
export interface ExtensionToDelete {
  /** The key. */
  Key: string;
  /** The `Seq` that the pair is known to have, 0 if it is not there: an older one is refused. Left out: whatever is there is overwritten. */
  Seq?: number;
}

/** What became of a pair, and how it stands now. */
export interface ExtensionResult {
  /** The key. */
  Key: string;
  /** The value; empty of a pair that is not there. */
  Value: string;
  /** The number of the change that made it so. */
  Seq: number;
  /** 0, or an error code. */
  code: number;
}

/** A conversation in the user's own list. */
export interface Conversation {
  /** The other party. */
  peer: string;
  /** When something happened in it last, in Unix seconds. */
  time: number;
  /** Unread messages in it. */
  unread: number;
  /** Whether it is pinned. */
  pinned: boolean;
  /** Since when, in Unix milliseconds; 0 if it is not. */
  pinned_time_ms: number;
  /** What its messages do. */
  notify: Notify;
  /** The marks that it has, in ascending order. */
  marks: number[];
  /** What was annotated. */
  custom: string;
  /** Its last message, if there is one to show. */
  last: Message | null;
  /** Up to which second the other party has read. */
  peer_read_until: number;
  /** Up to which second the user has read. */
  read_until: number;
  /** The remark about the peer on the friend list, or empty. */
  remark: string;
}

/** What a user tells of themself. */
export interface Profile {
  /** Who. */
  user_id: string;
  /** The values of the profile. */
  profile: Tags;
}

/** What became of one of several. */
export interface PeerResult {
  /** Who. */
  peer: string;
  /** 0, or an error code. */
  code: number;
  /** For people. Only there if `code` is not 0. */
  text?: string;
}

/** Somebody whom the user blocks. */
export interface Blocked {
  /** Who. */
  peer: string;
  /** Since when, in Unix seconds. */
  time: number;
}

/** Somebody on the user's friend list. */
export interface Friend {
  /** Who. */
  peer: string;
  /** Since when, in Unix seconds. */
  time: number;
  /** The user's own name for them, or empty. */
  remark: string;
  /** The friend groups that they are in. */
  groups: string[];
  /** Where they were found. */
  source: string;
  /** What came with the friend request. */
  wording: string;
  /** Values of the app's own. */
  custom: Tags;
  /** The values of their profile. */
  profile: Tags;
}

/** What one of several is to the user. */
export interface FriendCheck {
  /** Who. */
  peer: string;
  /** Who has whom on the friend list. */
  relation: CheckResult;
}

/** A friend request that waits for the user's answer. */
export interface FriendRequest {
  /** Who asks. */
  peer: string;
  /** Since when, in Unix seconds. */
  time: number;
  /** Whether both are to be friends, or only the user the friend of the one who asks. */
  mutual: boolean;
  /** Where the user was found. */
  source: string;
  /** What came with it. */
  wording: string;
  /** The values of the profile of the one who asks. */
  profile: Tags;
}

/** Whether a user is online. */
export interface Status {
  /** Who. */
  user_id: string;
  /** Whether they are online. */
  status: StatusType;
  /** What they show with it, or empty. */
  custom: string;
}

/** Why a request was refused. */
export interface WireError {
  /** One of the error codes, or one that the app's own backend chose. */
  code: number;
  /** For people. */
  text: string;
  /** Whether the same request may succeed later. */
  temporary: boolean;
  /** The message as it stands. Only there if an `edit` met another edit. */
  message?: Message;
}

/** One size of an uploaded image. */
export interface ImageSize {
  /** 1 the original, 2 large, 3 small. */
  Type: 1 | 2 | 3;
  /** Where it is found. */
  Url: string;
  /** Its bytes. */
  Size: number;
  /** Its width, as it is shown. */
  Width: number;
  /** Its height, as it is shown. */
  Height: number;
}

/** What the `POST` of a file to its `upload_url` answers. */
export interface Uploaded {
  /** What elements of messages name it by. */
  UUID: string;
  /** Where everybody finds it. */
  Url: string;
  /** Its bytes. */
  Size: number;
  /** The usual file extension of its type; `bin` for one that is not looked into. */
  Format: string;
  /** The number of its format in a `TIMImageElem`. Only there if it is an image. */
  ImageFormat?: number;
  /** Its width, as it is shown. Only there if it is an image. */
  Width?: number;
  /** Its height, as it is shown. Only there if it is an image. */
  Height?: number;
  /** The image in its sizes, the original first. Only there if it is an image. */
  Thumbnails?: ImageSize[];
}

/** What every push that changes something has. */
export interface Change {
  /** The position after the change. */
  position: Position;
  /** The user's unread messages in all conversations, after the change. */
  unread: number;
}

/** An answer that has nothing to say. */
export type Done = Record<string, never>;
