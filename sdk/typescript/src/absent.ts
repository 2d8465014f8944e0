// Methods of the widely used SDK that are about two people and are not here. They are refused in so many words, so that
// an app that was moved says what it misses and does not break where it stands.

import { ChatError, CLIENT_CODES } from "./errors.js";

export const ABSENT = [
  "addMessageReaction",
  "removeMessageReaction",
  "getMessageReactions",
  "getAllUserListOfMessageReaction",
  "translateText",
  "convertVoiceToText",
  "searchCloudMessages",
  "setAllReceiveMessageOpt",
  "getAllReceiveMessageOpt",
  "getConversationGroupList",
  "createConversationGroup",
  "deleteConversationGroup",
  "renameConversationGroup",
  "addConversationsToGroup",
  "deleteConversationsFromGroup",
  "setFriendApplicationRead",
] as const;

export type Absent = Record<(typeof ABSENT)[number], (...given: unknown[]) => Promise<never>>;

export function refuseAbsent(chat: object): void {
  for (const name of ABSENT) {
    const refuse = () => Promise.reject(new ChatError(CLIENT_CODES.NotSupported, `${name} is not supported`));
    Object.defineProperty(chat, name, { value: refuse });
  }
}
