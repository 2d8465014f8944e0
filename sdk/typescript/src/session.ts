// One login: the connection and everything that is kept while it lasts. It starts, loads what there is, goes on where it
// was when the connection comes back, and ends.

import { Connection } from "./connection.js";
import type { End, NetState, Timing, WebSocketConstructor } from "./connection.js";
import { EVENT, TYPES } from "./constants.js";
import { readBody, writeBody } from "./elements.js";
import { ChatError, CLIENT_CODES, Refused } from "./errors.js";
import type { Events } from "./events.js";
import { Follower } from "./follower.js";
import { Friends } from "./friends.js";
import { Intake } from "./intake.js";
import { Message } from "./message.js";
import type { Viewer } from "./message.js";
import { Outbox } from "./outbox.js";
import type { KeyValueStorage, Landed, Letter } from "./outbox.js";
import { inLists, pages } from "./pages.js";
import { Profiles } from "./profile.js";
import { Statuses } from "./status.js";
import { Conversations } from "./store/conversations.js";
import { Messages } from "./store/messages.js";
import { ERROR_CODES } from "./wire.js";
import type { ConnectAnswer, Conversation as WireConversation, KickReason, Position, Push, SendRequest } from "./wire.js";

export interface SessionTiming extends Timing {
  /** How long a login waits for the first connection. */
  loginMs: number;
  /** How long after its first attempt a message is sent again without looking into history first. */
  resendMs: number;
}

export interface SessionOptions {
  sdkappid: number;
  userID: string;
  userSig: string;
  url: string;
  WebSocket: WebSocketConstructor;
  platform: string;
  deviceID: string;
  storage: KeyValueStorage | null;
  refreshUserSig: ((userID: string) => Promise<string> | string) | undefined;
  timing: SessionTiming;
  events: Events;
  /** The session is over, and not because somebody logged out. */
  onEnd: () => void;
}

/** What a message is sent with besides itself. */
export type SendMembers = Pick<SendRequest, "online_only" | "no_unread" | "no_last_msg" | "offline_push">;

const CONVERSATIONS_PAGE_LEN = 100;
/** Long enough for the changes that are on their way, and short enough not to be seen. */
const SETTLE_MS = 500;

const KICK_TYPES: Record<KickReason, string> = {
  same_device: TYPES.KICKED_OUT_MULT_ACCOUNT,
  other_device: TYPES.KICKED_OUT_MULT_DEVICE,
  revoked: TYPES.KICKED_OUT_REST_API,
  deleted: TYPES.KICKED_OUT_REST_API,
  expired: TYPES.KICKED_OUT_USERSIG_EXPIRED,
};

export class Session implements Viewer {
  readonly sdkappid: number;
  readonly userID: string;
  readonly connection: Connection;
  readonly messages: Messages;
  readonly conversations: Conversations;
  readonly profiles: Profiles;
  readonly friends: Friends;
  readonly statuses: Statuses;
  readonly outbox: Outbox;
  /** What the server said of itself. */
  connected: ConnectAnswer | null = null;
  isReady = false;
  readonly #options: SessionOptions;
  readonly #events: Events;
  readonly #follower = new Follower();
  readonly #intake: Intake;
  #opened: { resolve: () => void; reject: (error: ChatError) => void } | null = null;
  #isLoaded = false;
  #isLoading = false;
  #unsure = new Set<string>();
  #isReadingAgain = false;
  #toldUnread = 0;
  #tellingList = false;
  #over = false;
  #settleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SessionOptions) {
    const { sdkappid, userID, userSig, events, timing } = options;
    this.sdkappid = sdkappid;
    this.userID = userID;
    this.#options = options;
    this.#events = events;
    this.connection = new Connection(
      { sdkappid, userID, userSig },
      {
        ...options,
        position: () => this.#follower.position,
        onState: (state) => this.#state(state),
        onConnected: (answer, resumed) => this.#connected(answer, resumed),
        onPush: (push) => this.#pushed(push),
        onEnd: (end) => this.#ended(end),
      },
    );
    this.profiles = new Profiles(() => this.connection);
    this.messages = new Messages(this);
    this.conversations = new Conversations((peer) => this.profiles.get(peer));
    this.friends = new Friends(this.connection, events);
    this.statuses = new Statuses(this.connection, (changed) => events.emit(EVENT.USER_STATUS_UPDATED, changed));
    this.outbox = new Outbox({
      storage: options.storage,
      name: `${sdkappid}.${userID}`,
      resendMs: timing.resendMs,
      retryMsMin: timing.retryMsMin,
      retryMsMax: timing.retryMsMax,
      nowMs: () => this.connection.nowMs(),
      isConnected: () => this.connection.isConnected,
      send: (text) => this.connection.askWritten<"send">(text),
      history: (request) => this.connection.ask<"history">(request),
      restore: (letter) => this.#restored(letter),
    });
    this.#intake = new Intake({
      viewer: this,
      events,
      messages: this.messages,
      conversations: this.conversations,
      friends: this.friends,
      landed: (wire) => this.outbox.landed(wire),
      readAgain: (peer) => this.readAgain(peer),
      listChanged: () => this.listChanged(),
      ownProfileChanged: () => void this.#ownProfileChanged(),
      extensions: async (message) => {
        const [peer, key] = [message.conversationID.slice(3), message._key];
        return (await this.connection.request<"extensions">({ op: "extensions", peer, key })).extensions;
      },
    });
  }

  person(userID: string): { nick: string; avatar: string } {
    return this.profiles.person(userID);
  }

  /** Resolves when the server has accepted the login. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#opened?.reject(new ChatError(CLIENT_CODES.NetworkTimeout, "the server cannot be reached", undefined, true));
        this.close(false);
      };
      const timer = setTimeout(late, this.#options.timing.loginMs);
      const settled = (settle: () => void) => {
        clearTimeout(timer);
        this.#opened = null;
        settle();
      };
      this.#opened = {
        resolve: () => settled(resolve),
        reject: (error) => settled(() => reject(error)),
      };
      this.outbox.restore();
      this.connection.open();
    });
  }

  /** Ends it. `forget`: what was not sent yet is not sent later either. */
  close(forget: boolean): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#settleTimer);
    const error = new ChatError(CLIENT_CODES.NotLoggedIn, "the session has ended");
    this.#opened?.reject(error);
    this.outbox.close(error, forget);
    this.connection.close();
    const wasReady = this.isReady;
    this.isReady = false;
    if (wasReady) this.#events.emit(EVENT.SDK_NOT_READY);
  }

  /** Sends it as soon as it can be, and resolves when it is stored. */
  async send(message: Message, members: SendMembers): Promise<void> {
    message._noLast = members.no_last_msg === true;
    const request: SendRequest = {
      op: "send",
      to: message.to,
      random: message.random,
      body: writeBody(message.elements()),
      client_time: message.clientTime,
      ...(message.cloudCustomData && { custom_data: message.cloudCustomData }),
      ...(message.needReadReceipt && { need_read_receipt: true }),
      ...(message.isSupportExtension && { support_extension: true }),
      ...members,
    };
    const text = JSON.stringify(request).slice(1);
    message.status = "unSend";
    if (members.online_only) {
      // Of use at this moment or never: it waits for nothing.
      const answer = await this.connection.askWritten<"send">(text);
      Object.assign(message, { status: "success", time: answer.MsgTime, ID: answer.MsgId });
      return;
    }
    this.messages.drafted(message);
    const { to: peer, random, clientTime } = message;
    this.#landed(message, await this.outbox.add(message, { peer, random, clientTime, text }));
  }

  /** The conversation is not known well enough. */
  readAgain(peer: string): void {
    this.#unsure.add(peer);
    void this.#readAgain();
  }

  /** Tells the app of the list, once for everything that happens in this turn. */
  listChanged(): void {
    if (this.#tellingList || !this.isReady) return;
    this.#tellingList = true;
    queueMicrotask(() => {
      this.#tellingList = false;
      if (this.#over) return;
      this.#events.emit(EVENT.CONVERSATION_LIST_UPDATED, this.conversations.list());
      const unread = this.conversations.unreadToShow();
      if (unread === this.#toldUnread) return;
      this.#toldUnread = unread;
      this.#events.emit(EVENT.TOTAL_UNREAD_MESSAGE_COUNT_UPDATED, unread);
    });
  }

  #landed(message: Message, landed: Landed): void {
    message.status = "success";
    if (!("MsgBody" in landed)) this.messages.landed(message.to, message, landed);
    // Found in history. Where its push told of it, it has had its place, and may be deleted again by now.
    else if (!message._reached) this.messages.take(landed);
  }

  /** A message that an earlier page left behind. It is sent, and shows among the unsent until then. */
  #restored(letter: Letter): Message {
    const { to, body, custom_data } = JSON.parse(`{${letter.text}`) as SendRequest;
    const message = Message.draft(this, to, readBody(body), letter.clientTime, letter.random);
    message.cloudCustomData = custom_data ?? "";
    this.messages.drafted(message);
    return message;
  }

  #state(state: NetState): void {
    this.#events.emit(EVENT.NET_STATE_CHANGE, { state });
    if (state === "connected") this.outbox.resume();
  }

  #connected(answer: ConnectAnswer, resumed: boolean): void {
    this.connected = answer;
    if (!resumed) this.#startOver(answer.position, answer.unread);
    this.#opened?.resolve();
    // Not in this turn: whoever listens for the state is told first.
    queueMicrotask(() => {
      this.#settle();
      // A status that cannot be had now is asked for by the app, or comes with the next connection.
      this.statuses.resume().catch(() => {});
    });
  }

  /** What is kept is of another log, or there is nothing yet. */
  #startOver(position: Position, unread: number | null): void {
    this.#follower.reset(position, unread);
    this.conversations.forget();
    this.messages.clear();
    this.#unsure.clear();
    this.#isLoaded = false;
  }

  #pushed(push: Push): void {
    if (push.push === "resync") {
      this.#startOver(push.position, null);
      void this.#load();
      return;
    }
    if (push.push === "kicked") return;
    if (push.push === "presence" || push.push === "online_message") return this.#intake.passing(push);
    const verdict = this.#follower.take(push.position, push.unread);
    if (verdict.kind === "gap") this.connection.restart();
    if (verdict.kind !== "next") return;
    this.#intake.change(push, verdict.delta);
    if (this.conversations.unread() !== push.unread) this.#settleLater();
  }

  /** Sees to it that what is shown is what the server has. Without a connection, the next one does. */
  #settle(): void {
    if (this.#over || !this.connection.isConnected) return;
    if (!this.#isLoaded) return void this.#load();
    if (this.#unsure.size > 0) return void this.#readAgain();
    // A list may be read while changes are on their way, and be ahead of them. When it is quiet, the sum has to be right.
    const unread = this.#follower.unread;
    if (unread === null || unread === this.conversations.unread()) return;
    this.#isLoaded = false;
    void this.#load();
  }

  #settleLater(): void {
    if (this.#over) return;
    this.#settleTimer ??= setTimeout(() => {
      this.#settleTimer = undefined;
      this.#settle();
    }, SETTLE_MS);
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      do await this.#readList();
      while (!this.#isLoaded && this.connection.isConnected && !this.#over);
    } catch (error) {
      // Without a connection, the next one begins again. What the server refuses is the app's to know.
      if (error instanceof Refused) this.#events.emit(EVENT.ERROR, error);
      if (error instanceof Refused && !error.temporary) this.#loaded();
    } finally {
      this.#isLoading = false;
      if (!this.#isLoaded) this.#settleLater();
    }
  }

  async #readList(): Promise<void> {
    const epoch = this.#follower.position?.epoch;
    const isStale = () => this.#follower.position?.epoch !== epoch || this.#over;
    const listed = new Set<string>();
    let firstAsOf: number | null = null;
    const limit = CONVERSATIONS_PAGE_LEN;
    let askedAt = 0;
    const ask = (place: object) => {
      askedAt = this.#offset();
      return this.connection.request<"conversations">({ op: "conversations", limit, ...place });
    };
    for await (const page of pages(ask)) {
      if (isStale()) return;
      const asOf = this.#adopt(page, askedAt);
      firstAsOf ??= asOf;
      for (const { peer } of page.conversations) listed.add(peer);
    }
    this.conversations.keepOnly(listed, firstAsOf ?? askedAt);
    await this.#meet([this.userID, ...listed]);
    if (!isStale()) this.#loaded();
  }

  #loaded(): void {
    this.#isLoaded = true;
    if (this.#over) return;
    this.conversations.refresh();
    if (!this.isReady) {
      this.isReady = true;
      this.#events.emit(EVENT.SDK_READY);
    }
    this.listChanged();
  }

  /** Takes over conversations; returns the offset that they are of. */
  #adopt(answer: { conversations: WireConversation[]; position?: Position | null }, askedAt: number): number {
    const asOf = answer.position?.offset ?? askedAt;
    for (const wire of answer.conversations) {
      const isNews = wire.last !== null && this.conversations.isBehind(wire.peer, asOf);
      this.conversations.adopt(wire, wire.last && isNews ? this.messages.take(wire.last) : null, asOf);
    }
    return asOf;
  }

  async #readAgain(): Promise<void> {
    if (this.#isReadingAgain) return;
    this.#isReadingAgain = true;
    try {
      while (this.#unsure.size > 0 && !this.#over) {
        const peers = inLists([...this.#unsure], CONVERSATIONS_PAGE_LEN)[0] ?? [];
        for (const peer of peers) this.#unsure.delete(peer);
        const askedAt = this.#offset();
        const answer = await this.connection.request<"conversations">({ op: "conversations", peers }).catch((error) => {
          for (const peer of peers) this.#unsure.add(peer);
          throw error;
        });
        const asOf = this.#adopt(answer, askedAt);
        const found = new Set(answer.conversations.map(({ peer }) => peer));
        for (const peer of peers) if (!found.has(peer)) this.conversations.absent(peer, asOf);
        this.listChanged();
        await this.#meet(peers);
      }
    } catch (error) {
      if (error instanceof Refused && !error.temporary) this.#unsure.clear();
    } finally {
      this.#isReadingAgain = false;
      if (this.#unsure.size > 0) this.#settleLater();
    }
  }

  /** Learns who people are, and shows it wherever they are. */
  async #meet(peers: string[]): Promise<void> {
    // Names are an ornament: without them, everything else goes on.
    await this.profiles.know(peers).catch(() => {});
    for (const peer of peers) for (const message of this.messages.list(peer)) message.name(this);
    this.conversations.refresh();
    this.listChanged();
  }

  async #ownProfileChanged(): Promise<void> {
    const changed = await this.profiles.fetch([this.userID]).catch(() => []);
    if (changed.length > 0) this.#events.emit(EVENT.PROFILE_UPDATED, changed);
  }

  #offset(): number {
    return this.#follower.position?.offset ?? 0;
  }

  #ended(end: End): void {
    const error =
      end.kind === "refused" ? end.error : new ChatError(CLIENT_CODES.NotLoggedIn, `kicked out: ${end.reason}`);
    const wasOpened = this.#opened === null;
    this.#opened?.reject(error);
    this.close(false);
    this.#options.onEnd();
    if (!wasOpened) return;
    const kickType = end.kind === "kicked" ? KICK_TYPES[end.reason] : REFUSALS[end.error.code];
    if (kickType) this.#events.emit(EVENT.KICKED_OUT, { type: kickType });
    else this.#events.emit(EVENT.ERROR, error);
  }
}

/** A UserSig that is worth nothing any more ends a session as if it had been kicked. */
const REFUSALS: Record<number, string> = {
  [ERROR_CODES.UserSigExpired.code]: TYPES.KICKED_OUT_USERSIG_EXPIRED,
  [ERROR_CODES.UserSigRevoked.code]: TYPES.KICKED_OUT_REST_API,
};
