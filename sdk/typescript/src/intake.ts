// What each push means: for the messages, for the list of conversations, and for whoever listens.

import { EVENT } from "./constants.js";
import type { Events } from "./events.js";
import type { Friends } from "./friends.js";
import { peerOf } from "./message.js";
import type { Message, Viewer } from "./message.js";
import { readStatus } from "./status.js";
import type { Conversations } from "./store/conversations.js";
import type { Messages } from "./store/messages.js";
import type { ConversationPush, Extension, Message as WireMessage, Push, ReadPush, RelationPush } from "./wire.js";

/** A push that changes something, in its place in the user's log. */
type ChangePush = Exclude<Push, { push: "online_message" | "presence" | "kicked" | "resync" }>;

export interface IntakeOptions {
  viewer: Viewer;
  events: Events;
  messages: Messages;
  conversations: Conversations;
  friends: Friends;
  /** The outbox hears of messages that were sent from here. */
  landed: (wire: WireMessage) => void;
  /** This conversation has to be read again. */
  readAgain: (peer: string) => void;
  /** The list is another one. */
  listChanged: () => void;
  ownProfileChanged: () => void;
  extensions: (message: Message) => Promise<Extension[]>;
}

export class Intake {
  constructor(private readonly of: IntakeOptions) {}

  /** What passes by and is kept nowhere. */
  passing(push: Push): void {
    const { events, messages } = this.of;
    if (push.push === "presence") events.emit(EVENT.USER_STATUS_UPDATED, [readStatus(push)]);
    if (push.push === "online_message") events.emit(EVENT.MESSAGE_RECEIVED, [messages.look(push.message)]);
  }

  /** The next change. `delta` is what it did to the number of unread messages, where that is known. */
  change(push: ChangePush, delta: number | null): void {
    const offset = push.position.offset;
    switch (push.push) {
      case "message":
        return this.#message(push.message, offset, delta);
      case "read":
        return this.#read(push, offset, delta);
      case "recalled":
      case "edited":
      case "confirmed":
      case "extended":
        return this.#altered(push.push, push.message, offset, delta);
      case "deleted":
        return this.#deleted(push.message, offset, delta);
      case "conversation":
        return this.#conversation(push, offset);
      case "relation":
        return this.#relation(push);
      case "profile":
        return this.of.ownProfileChanged();
    }
  }

  #message(wire: WireMessage, offset: number, delta: number | null): void {
    const { viewer, events, messages, conversations } = this.of;
    const peer = peerOf(wire, viewer.userID);
    const message = messages.take(wire);
    message._reached = true;
    if (message._own) this.of.landed(wire);
    this.#listed(peer, conversations.message(peer, message, offset, delta));
    // What the app has from history, read while this push was on its way, is no news either.
    if (message._own || message._given) return;
    message._given = true;
    events.emit(EVENT.MESSAGE_RECEIVED, [message]);
  }

  #altered(
    what: "recalled" | "edited" | "confirmed" | "extended",
    wire: WireMessage,
    offset: number,
    delta: number | null,
  ): void {
    const { viewer, events, messages, conversations } = this.of;
    const peer = peerOf(wire, viewer.userID);
    const message = messages.look(wire);
    this.#listed(peer, conversations.altered(peer, offset, delta));
    if (what === "recalled") events.emit(EVENT.MESSAGE_REVOKED, [message]);
    if (what === "edited") events.emit(EVENT.MESSAGE_MODIFIED, [message]);
    if (what === "confirmed" && message.flow === "out") this.#confirmed(message);
    if (what === "extended") void this.#extended(message);
  }

  #confirmed(message: Message): void {
    const { ID: messageID, conversationID, to: userID } = message;
    const receipt = { messageID, conversationID, userID, isPeerRead: true, readCount: 1, unreadCount: 0 };
    this.of.events.emit(EVENT.MESSAGE_READ_RECEIPT_RECEIVED, [receipt]);
  }

  async #extended(message: Message): Promise<void> {
    if (!this.of.events.has(EVENT.MESSAGE_EXTENSIONS_UPDATED)) return;
    const pairs = await this.of.extensions(message).catch(() => null);
    if (!pairs) return;
    const extensions = pairs.map(({ Key: key, Value: value }) => ({ key, value }));
    this.of.events.emit(EVENT.MESSAGE_EXTENSIONS_UPDATED, { messageID: message.ID, extensions });
  }

  #deleted(wire: WireMessage, offset: number, delta: number | null): void {
    const { viewer, messages, conversations } = this.of;
    const peer = peerOf(wire, viewer.userID);
    const message = messages.look(wire);
    const enough = conversations.deleted(peer, message, offset, delta);
    messages.remove(peer, message);
    this.#listed(peer, enough);
  }

  #read(push: ReadPush, offset: number, delta: number | null): void {
    const { viewer, events, messages, conversations } = this.of;
    if (push.reader === viewer.userID) {
      return this.#listed(push.peer, conversations.read(push.peer, push.read_until, offset, delta));
    }
    conversations.readByPeer(push.reader, push.read_until);
    const isNews = (it: Message) => it.flow === "out" && !it.isPeerRead && it.time <= push.read_until;
    const read = messages.list(push.reader).filter(isNews);
    for (const message of read) message.isPeerRead = true;
    this.of.listChanged();
    if (read.length > 0) events.emit(EVENT.MESSAGE_READ_BY_PEER, read);
  }

  #conversation({ peer, change }: ConversationPush, offset: number): void {
    const { messages, conversations } = this.of;
    if (change === "removed" || change === "erased") conversations.removed(peer, offset);
    if (change === "cleared") conversations.cleared(peer, offset);
    if (change === "erased" || change === "cleared") messages.removeAll(peer);
    // What was pinned or noted is not in the push.
    this.#listed(peer, !["pinned", "unpinned", "noted"].includes(change));
  }

  #relation({ peer, news }: RelationPush): void {
    // The remark is shown with the conversation.
    if (["befriended", "unfriended", "noted"].includes(news) && this.of.conversations.get(peer)) {
      this.of.readAgain(peer);
    }
    this.of.friends.changed(news).catch((error: unknown) => this.of.events.emit(EVENT.ERROR, error));
  }

  #listed(peer: string, enough: boolean): void {
    if (!enough) this.of.readAgain(peer);
    this.of.listChanged();
  }
}
