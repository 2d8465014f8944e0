// Written by `cargo xtask codegen` from crates/protocol/src/client/surface.rs. Change that, not this file.

import type {
  Change,
  KickReason,
  Message,
  Position,
  RelationNews,
  StatusType,
  ViewChange,
} from "./objects.js";
import type { AnswerFrame, RefusalFrame } from "./requests.js";

/** The user received a message, or sent one. */
export interface MessagePush extends Change {
  push: "message";
  /** The message as it is now. */
  message: Message;
}

/** A conversation was read, by the user or by the other party. */
export interface ReadPush extends Change {
  push: "read";
  /** Who has read. */
  reader: string;
  /** Whose messages. */
  peer: string;
  /** Up to which Unix second. */
  read_until: number;
}

/** A message was taken back, and has no content any more. */
export interface RecalledPush extends Change {
  push: "recalled";
  /** The message as it is now. */
  message: Message;
}

/** A message says something else now. */
export interface EditedPush extends Change {
  push: "edited";
  /** The message as it is now. */
  message: Message;
}

/** The recipient of a message has confirmed to have read it. */
export interface ConfirmedPush extends Change {
  push: "confirmed";
  /** The message as it is now. */
  message: Message;
}

/** The key-value pairs of a message changed. */
export interface ExtendedPush extends Change {
  push: "extended";
  /** The message as it is now. */
  message: Message;
}

/** The user has deleted a message for themself. */
export interface DeletedPush extends Change {
  push: "deleted";
  /** The message as it is now. */
  message: Message;
}

/** The user's own list of conversations changed. */
export interface ConversationPush extends Change {
  push: "conversation";
  /** The other party. */
  peer: string;
  /** What was done. */
  change: ViewChange;
}

/** What the user and another are to one another changed. */
export interface RelationPush extends Change {
  push: "relation";
  /** The other. */
  peer: string;
  /** What is new. */
  news: RelationNews;
}

/** The user's own profile was written to. */
export interface ProfilePush extends Change {
  push: "profile";
}

/** A message that is kept nowhere. */
export interface OnlineMessagePush {
  push: "online_message";
  /** The message. */
  message: Message;
}

/** Changes are lost to this device: it reads its conversations anew. */
export interface ResyncPush {
  push: "resync";
  /** Where to go on. */
  position: Position;
}

/** Somebody whose changes are subscribed came, went, or shows something else. */
export interface PresencePush {
  push: "presence";
  /** Who. */
  user_id: string;
  /** Whether they are online. */
  status: StatusType;
  /** What they show with it, or empty. */
  custom: string;
}

/** The server is about to end this session. */
export interface KickedPush {
  push: "kicked";
  /** Why. */
  reason: KickReason;
}

/** What the server says unasked: `push` says which. */
export type Push =
  | MessagePush
  | ReadPush
  | RecalledPush
  | EditedPush
  | ConfirmedPush
  | ExtendedPush
  | DeletedPush
  | ConversationPush
  | RelationPush
  | ProfilePush
  | OnlineMessagePush
  | ResyncPush
  | PresencePush
  | KickedPush;

/** Whatever the server says. */
export type ServerFrame = AnswerFrame | RefusalFrame | Push;
