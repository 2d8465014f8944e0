// The messages that this client has seen, by conversation and in order. One instance for each message, whichever way
// it came here: sent, pushed or read from history.

import { inOrder, Message, peerOf } from "../message.js";
import type { Viewer } from "../message.js";
import type { Message as WireMessage } from "../wire.js";

/** Older ones are read from history again when they are asked for. */
const CONVERSATION_LEN_MAX = 5_000;

interface Kept {
  inOrder: Message[];
  byKey: Map<string, Message>;
}

export class Messages {
  readonly #viewer: Viewer;
  readonly #conversations = new Map<string, Kept>();
  readonly #byId = new Map<string, Message>();
  readonly #alterations = new Map<string, number>();

  constructor(viewer: Viewer) {
    this.#viewer = viewer;
  }

  /** Of a conversation, from old to new. */
  list(peer: string): Message[] {
    return [...(this.#conversations.get(peer)?.inOrder ?? [])];
  }

  find(id: string): Message | null {
    return this.#byId.get(id) ?? null;
  }

  /** A message that is on its way can be found, and has no place in the conversation yet. */
  drafted(message: Message): void {
    this.#byId.set(message.ID, message);
  }

  /** The message that this is, as it is now. */
  take(wire: WireMessage): Message {
    const kept = this.#kept(peerOf(wire, this.#viewer.userID));
    const known = kept.byKey.get(nameOf(wire)) ?? this.#draftOf(wire);
    if (!known) return this.#insert(kept, Message.received(this.#viewer, wire));
    const hasPlace = known._key !== "";
    known.update(wire);
    return hasPlace ? known : this.#insert(kept, known);
  }

  /** The same, but one that is not here gets no place: it may be cleared already, or so old that nobody asked for it. */
  look(wire: WireMessage): Message {
    const peer = peerOf(wire, this.#viewer.userID);
    this.#altered(peer);
    const known = this.#conversations.get(peer)?.byKey.get(nameOf(wire));
    if (!known) return Message.received(this.#viewer, wire);
    known.update(wire);
    return known;
  }

  /** The server has answered with what it calls the message. */
  landed(peer: string, message: Message, answer: { MsgTime: number; MsgKey: string; MsgId: string }): void {
    message.status = "success";
    // The push of it may have come first, and more after that.
    if (message._key !== "" || message.isDeleted) return;
    message.ID = answer.MsgId;
    message._key = answer.MsgKey;
    message.time = answer.MsgTime;
    message.sequence = Number(answer.MsgKey.split("_")[0]);
    this.#insert(this.#kept(peer), message);
  }

  remove(peer: string, message: Message): void {
    message.isDeleted = true;
    this.#byId.delete(message.ID);
    const kept = this.#conversations.get(peer);
    if (!kept) return;
    kept.byKey.delete(placeOf(message));
    kept.inOrder = kept.inOrder.filter((it) => it !== message);
  }

  /** All that there were. What was sent from here after that, and is answered already, stays. */
  removeAll(peer: string): void {
    this.#altered(peer);
    for (const message of this.list(peer)) if (message._reached || !message._own) this.remove(peer, message);
  }

  /** Nothing of what was here is known to be so. Messages that are on their way stay. */
  clear(): void {
    this.#conversations.clear();
    for (const [id, message] of this.#byId) if (message._key !== "") this.#byId.delete(id);
  }

  /** Rises with everything that is done to messages of the conversation, whether they are here or not. */
  alterations(peer: string): number {
    return this.#alterations.get(peer) ?? 0;
  }

  #altered(peer: string): void {
    this.#alterations.set(peer, this.alterations(peer) + 1);
  }

  #kept(peer: string): Kept {
    let kept = this.#conversations.get(peer);
    if (!kept) {
      kept = { inOrder: [], byKey: new Map() };
      this.#conversations.set(peer, kept);
    }
    return kept;
  }

  /** One that this client is sending, and has no name for yet. */
  #draftOf(wire: WireMessage): Message | null {
    const message = this.#byId.get(wire.MsgId);
    return message && message._key === "" && message.to === wire.To_Account ? message : null;
  }

  #insert(kept: Kept, message: Message): Message {
    kept.byKey.set(placeOf(message), message);
    this.#byId.set(message.ID, message);
    // Nearly all come at the end.
    let at = kept.inOrder.length;
    while (at > 0 && inOrder(kept.inOrder[at - 1] as Message, message) > 0) at -= 1;
    kept.inOrder.splice(at, 0, message);
    if (kept.inOrder.length > CONVERSATION_LEN_MAX) this.#forgetOldest(kept);
    return message;
  }

  #forgetOldest(kept: Kept): void {
    const oldest = kept.inOrder.shift();
    if (!oldest) return;
    kept.byKey.delete(placeOf(oldest));
    this.#byId.delete(oldest.ID);
  }
}

/** Both people may happen to use the same key. */
function nameOf(wire: WireMessage): string {
  return `${wire.From_Account} ${wire.MsgKey}`;
}

function placeOf(message: Message): string {
  return `${message.from} ${message._key}`;
}
