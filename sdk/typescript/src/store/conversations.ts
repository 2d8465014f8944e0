// The user's list of conversations, kept up to date by what is pushed. It asks nobody: where a push does not say enough,
// it answers that the conversation has to be read again.
//
// Unread counts are exact because the server says with each change how many messages are unread in all conversations
// after it: the difference to the change before is what this change did to this conversation.

import { inOrder } from "../message.js";
import type { Message } from "../message.js";
import { emptyProfile } from "../profile.js";
import type { Profile } from "../profile.js";
import type { Conversation as WireConversation, Notify } from "../wire.js";

export interface LastMessage {
  lastTime: number;
  lastSequence: number;
  fromAccount: string;
  type: string;
  payload: unknown;
  /** The message in one line; empty if it was taken back. */
  messageForShow: string;
  isRevoked: boolean;
  isPeerRead: boolean;
  nick: string;
  cloudCustomData: string;
  revoker: string;
  revokerInfo: { userID: string; nick: string; avatar: string };
}

export interface Conversation {
  readonly conversationID: string;
  readonly type: "C2C";
  readonly unreadCount: number;
  readonly lastMessage: LastMessage | undefined;
  readonly userProfile: Profile;
  readonly remark: string;
  readonly isPinned: boolean;
  readonly messageRemindType: Notify;
  readonly markList: number[];
  readonly customData: string;
  readonly conversationGroupList: string[];
  readonly draftText: string;
  /** Unix seconds: the other party has read what was sent until then. */
  readonly peerReadTime: number;
}

interface Entry {
  peer: string;
  listed: boolean;
  /** Offset in the user's log that counts and last message are of. */
  asOf: number;
  /** Whether `unread` is known, and not only guessed. */
  exact: boolean;
  unread: number;
  last: Message | null;
  time: number;
  pinnedMs: number;
  notify: Notify;
  marks: number[];
  custom: string;
  remark: string;
  peerReadUntil: number;
  readUntil: number;
  draft: string;
  shown: Conversation | null;
}

/** Whether the list knows enough, or the conversation has to be read again. */
export type Enough = boolean;

export class Conversations {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly profileOf: (userID: string) => Profile | undefined) {}

  /** Pinned ones first, then by time, and of one time by name. */
  list(): Conversation[] {
    const listed = [...this.#entries.values()].filter((entry) => entry.listed);
    listed.sort(
      (a, b) =>
        Number(b.pinnedMs > 0) - Number(a.pinnedMs > 0) || b.time - a.time || (a.peer < b.peer ? -1 : 1),
    );
    return listed.map((entry) => this.#shown(entry));
  }

  get(peer: string): Conversation | null {
    const entry = this.#entries.get(peer);
    return entry?.listed ? this.#shown(entry) : null;
  }

  /** People with whom there is a conversation. */
  peers(): string[] {
    return [...this.#entries.values()].filter((entry) => entry.listed).map((entry) => entry.peer);
  }

  /** Unread messages of all conversations. */
  unread(): number {
    return this.#sum(() => true);
  }

  /** Those of conversations that ring. */
  unreadToShow(): number {
    return this.#sum((entry) => entry.notify === "AcceptAndNotify");
  }

  peerReadUntil(peer: string): number {
    return this.#entries.get(peer)?.peerReadUntil ?? 0;
  }

  /** Whether an answer that is of `asOf` knows more than the pushes up to now. */
  isBehind(peer: string, asOf: number): boolean {
    const entry = this.#entries.get(peer);
    return !entry || !entry.exact || entry.asOf <= asOf;
  }

  /** Takes over what the server answered, which is how it was at `asOf` or later. */
  adopt(wire: WireConversation, last: Message | null, asOf: number): void {
    const entry = this.#entry(wire.peer);
    entry.shown = null;
    entry.pinnedMs = wire.pinned ? Math.max(1, wire.pinned_time_ms) : 0;
    entry.notify = wire.notify;
    entry.marks = wire.marks;
    entry.custom = wire.custom;
    entry.remark = wire.remark;
    entry.peerReadUntil = Math.max(entry.peerReadUntil, wire.peer_read_until);
    entry.readUntil = Math.max(entry.readUntil, wire.read_until);
    // A push that came meanwhile knows more about these.
    if (!this.isBehind(wire.peer, asOf)) return;
    Object.assign(entry, { asOf, exact: true, unread: wire.unread, last, time: wire.time });
    entry.listed = wire.time > 0 || last !== null || wire.pinned;
  }

  /** The server does not know of such a conversation. */
  absent(peer: string, asOf: number): void {
    const entry = this.#entries.get(peer);
    if (entry && this.isBehind(peer, asOf)) this.#empty(entry, asOf);
  }

  /** Whatever was not answered in a whole list that was read at `asOf` is not there any more. */
  keepOnly(peers: Set<string>, asOf: number): void {
    for (const entry of this.#entries.values()) if (!peers.has(entry.peer)) this.absent(entry.peer, asOf);
  }

  /** A message came, or was sent. */
  message(peer: string, message: Message, offset: number, delta: number | null): Enough {
    const known = this.#entries.get(peer);
    const entry = known ?? this.#entry(peer);
    if (offset <= entry.asOf) return true;
    // A list read without a position may be ahead of the pushes: then the message is in it, and counted.
    const isCounted = entry.last !== null && entry.last === message;
    const wasListed = entry.listed;
    const enough = isCounted || this.#count(entry, offset, delta);
    entry.shown = null;
    if (!message._noLast && (!entry.last || inOrder(entry.last, message) <= 0)) {
      entry.listed = true;
      entry.last = message;
      entry.time = message.time;
    }
    // One that does not count may also be one that does not show.
    return enough && wasListed && (message.flow === "out" || isCounted || delta !== 0);
  }

  /** Something happened to a message: the count may be another, and the list shows it as it is now. */
  altered(peer: string, offset: number, delta: number | null): Enough {
    const entry = this.#entries.get(peer);
    if (!entry) return true;
    entry.shown = null;
    return offset <= entry.asOf || this.#count(entry, offset, delta);
  }

  /** The user deleted a message for themself. */
  deleted(peer: string, message: Message, offset: number, delta: number | null): Enough {
    const isLast = this.#entries.get(peer)?.last === message;
    const enough = this.altered(peer, offset, delta);
    return enough && !isLast;
  }

  /** The user has read. */
  read(peer: string, until: number, offset: number, delta: number | null): Enough {
    const entry = this.#entries.get(peer);
    if (!entry) return true;
    entry.readUntil = Math.max(entry.readUntil, until);
    return this.altered(peer, offset, delta);
  }

  readByPeer(peer: string, until: number): void {
    const entry = this.#entries.get(peer);
    if (!entry) return;
    entry.peerReadUntil = Math.max(entry.peerReadUntil, until);
    entry.shown = null;
  }

  /** It is out of the list. */
  removed(peer: string, offset: number): void {
    const entry = this.#entry(peer);
    if (offset > entry.asOf) this.#empty(entry, offset);
  }

  /** Its history is gone, and it stays. */
  cleared(peer: string, offset: number): void {
    const entry = this.#entries.get(peer);
    if (!entry || offset <= entry.asOf) return;
    Object.assign(entry, { asOf: offset, unread: 0, last: null, shown: null });
  }

  draft(peer: string, text: string): void {
    const entry = this.#entry(peer);
    entry.draft = text;
    entry.shown = null;
  }

  /** What is shown with a conversation, and is kept elsewhere, may be another now. */
  refresh(): void {
    for (const entry of this.#entries.values()) entry.shown = null;
  }

  /** The log is another one: offsets of before mean nothing any more. */
  forget(): void {
    this.#entries.clear();
  }

  #sum(wanted: (entry: Entry) => boolean): number {
    let sum = 0;
    for (const entry of this.#entries.values()) if (wanted(entry)) sum += entry.unread;
    return sum;
  }

  #count(entry: Entry, offset: number, delta: number | null): Enough {
    entry.asOf = offset;
    const unread = entry.unread + (delta ?? 0);
    entry.exact = entry.exact && delta !== null && unread >= 0;
    entry.unread = Math.max(0, unread);
    return entry.exact;
  }

  #empty(entry: Entry, asOf: number): void {
    const settings = { pinnedMs: 0, marks: [], custom: "" };
    Object.assign(entry, { ...settings, asOf, exact: true, listed: false, unread: 0, last: null, time: 0, shown: null });
  }

  #entry(peer: string): Entry {
    let entry = this.#entries.get(peer);
    if (!entry) {
      entry = {
        peer,
        listed: false,
        asOf: -1,
        exact: true,
        unread: 0,
        last: null,
        time: 0,
        pinnedMs: 0,
        notify: "AcceptAndNotify",
        marks: [],
        custom: "",
        remark: "",
        peerReadUntil: 0,
        readUntil: 0,
        draft: "",
        shown: null,
      };
      this.#entries.set(peer, entry);
    }
    return entry;
  }

  #shown(entry: Entry): Conversation {
    entry.shown ??= {
      conversationID: `C2C${entry.peer}`,
      type: "C2C",
      unreadCount: entry.unread,
      lastMessage: entry.last ? lastMessage(entry.last, entry.peerReadUntil) : undefined,
      userProfile: this.profileOf(entry.peer) ?? emptyProfile(entry.peer),
      remark: entry.remark,
      isPinned: entry.pinnedMs > 0,
      messageRemindType: entry.notify,
      markList: entry.marks,
      customData: entry.custom,
      conversationGroupList: [],
      draftText: entry.draft,
      peerReadTime: entry.peerReadUntil,
    };
    return entry.shown;
  }
}

function lastMessage(message: Message, peerReadUntil: number): LastMessage {
  const { time, sequence, from, type, payload, isRevoked, nick, cloudCustomData, revoker, revokerInfo } = message;
  return {
    lastTime: time,
    lastSequence: sequence,
    fromAccount: from,
    type,
    payload,
    messageForShow: message._shown,
    isRevoked,
    isPeerRead: message.isPeerRead || (message.flow === "out" && time <= peerReadUntil),
    nick,
    cloudCustomData,
    revoker,
    revokerInfo,
  };
}
