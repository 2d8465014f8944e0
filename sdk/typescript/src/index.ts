// The package as apps import it:
//
//     import Couplet from "@couplet/client";
//     const chat = Couplet.create({ SDKAppID, server });

import { refuseAbsent } from "./absent.js";
import type { Absent } from "./absent.js";
import { Chat } from "./chat.js";
import { EVENT, TYPES } from "./constants.js";
import type { CreateOptions } from "./options.js";

function create(options: CreateOptions): Chat & Absent {
  const chat = new Chat(options);
  refuseAbsent(chat);
  return chat as Chat & Absent;
}

const Couplet = { create, EVENT, TYPES } as const;
export default Couplet;

export { Chat, EVENT, TYPES, create };
export { Message } from "./message.js";
export { ChatError, CLIENT_CODES } from "./errors.js";
export { CLOSE_CODES, ERROR_CODES } from "./wire.js";
export type { Absent } from "./absent.js";
export type { ConversationFilter, Receipt } from "./chat.js";
export type { NetState } from "./connection.js";
export type { MessageOptions } from "./drafts.js";
export type * from "./elements.js";
export type { Result } from "./errors.js";
export type { ChatEvent } from "./events.js";
export type { AddFriend, Friend, FriendApplication, FriendGroup, ListResult } from "./friends.js";
export type { Hopping, MessagePage } from "./history.js";
export type { FileBytes, FileSource } from "./media.js";
export type { MessageStatus } from "./message.js";
export type { CreateOptions } from "./options.js";
export type { KeyValueStorage } from "./outbox.js";
export type { CustomField, Profile, ProfileChange } from "./profile.js";
export type { OfflinePushInfo, SendOptions } from "./sending.js";
export type { UserStatus } from "./status.js";
export type { Conversation, LastMessage } from "./store/conversations.js";
