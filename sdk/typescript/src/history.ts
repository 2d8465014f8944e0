// Pages of a conversation.

import { badParameter } from "./errors.js";
import { keyTime, type Message } from "./message.js";
import type { Session } from "./session.js";
import type { HistoryAnswer, HistoryRequest } from "./wire.js";

export interface MessagePage {
  /** From old to new. */
  messageList: Message[];
  /** Where the next page begins; empty when there is none. */
  nextReqMessageID: string;
  isCompleted: boolean;
}

export interface Hopping {
  conversationID: string;
  /** Unix seconds: messages of this second are part of the page. */
  time?: number;
  /** 0 for older ones, 1 for newer ones. */
  direction?: number;
  count?: number;
  /** In place of `time`: only messages beyond this one. */
  nextReqMessageID?: string;
}

const PAGE_LEN = 15;
const NEWER = 1;
const TRIES_MAX = 5;
/** Of the ids that are not known any more, only those of the server can still be asked for. */
const KEY = /^\d+_\d+_\d+$/;

export class History {
  constructor(private readonly session: Session) {}

  async page(options: { conversationID: string; nextReqMessageID?: string }): Promise<MessagePage> {
    const { conversationID, nextReqMessageID } = options;
    const place = nextReqMessageID ? { before: this.#key(nextReqMessageID) } : {};
    return this.#read(conversationID, place, PAGE_LEN, false);
  }

  async hop(options: Hopping): Promise<MessagePage & { nextMessageTime: number }> {
    const { conversationID, time, direction, nextReqMessageID, count = PAGE_LEN } = options;
    if (!(count >= 1 && count <= PAGE_LEN)) throw badParameter(`count is a number from 1 to ${PAGE_LEN}`);
    const newer = direction === NEWER;
    let place: Partial<HistoryRequest> = {};
    if (nextReqMessageID) place = { [newer ? "after" : "before"]: this.#key(nextReqMessageID) };
    else if (time !== undefined) place = { [newer ? "from" : "until"]: time };
    const page = await this.#read(conversationID, place, count, newer);
    const edge = newer ? page.messageList.at(-1) : page.messageList[0];
    const seen = edge ? edge.time : page.isCompleted ? time : keyTime(page.nextReqMessageID);
    return { ...page, nextMessageTime: seen ?? 0 };
  }

  async #read(
    conversationID: string,
    place: Partial<HistoryRequest>,
    limit: number,
    newer: boolean,
  ): Promise<MessagePage> {
    if (!conversationID?.startsWith("C2C")) throw badParameter("conversationID is C2C and the user's id");
    const peer = conversationID.slice(3);
    const { messages, conversations } = this.session;
    const { messages: wires, next } = await this.#answer({ op: "history", peer, limit, ...place });
    const messageList = wires.map((wire) => messages.take(wire));
    const readUntil = conversations.peerReadUntil(peer);
    for (const message of messageList) {
      message._given = true;
      if (message.flow === "out" && message.time <= readUntil) message.isPeerRead = true;
    }
    const edge = newer ? messageList.at(-1) : messageList[0];
    // A page may end behind a message that the user does not see any more: its key does as well.
    const nextReqMessageID = next && edge?._key === next ? edge.ID : (next ?? "");
    return { messageList, nextReqMessageID, isCompleted: !next };
  }

  /**
   * A page that is as new as every push that has come. One that was overtaken by a push could bring a deleted message
   * back, or show the old text of one that was not here when its edit came.
   */
  async #answer(request: HistoryRequest): Promise<HistoryAnswer> {
    const { connection, messages } = this.session;
    for (let tries = 1; ; tries += 1) {
      const before = messages.alterations(request.peer);
      const answer = await connection.request<"history">(request);
      // Somebody who never stops to edit must not keep the page from being shown.
      if (messages.alterations(request.peer) === before || tries === TRIES_MAX) return answer;
    }
  }

  #key(messageID: string): string {
    const key = this.session.messages.find(messageID)?._key || messageID;
    if (!KEY.test(key)) throw badParameter("nextReqMessageID is the id of a message that was read before");
    return key;
  }
}
