// One user's connection: it connects, logs in, asks and hears answers, notices when nothing comes any more, and connects
// again. It knows no message; what is pushed goes to whoever owns it.

import { Backoff } from "./backoff.js";
import { ChatError, CLIENT_CODES, Lost, Refused } from "./errors.js";
import { CLOSE_CODES, ERROR_CODES } from "./wire.js";
import type { AnswerOf, ConnectAnswer, KickReason, Op, Position, Push, RequestOf, WireError } from "./wire.js";

/** What is used of a WebSocket: the browser's, Node's and that of `ws` all have it. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}
export type WebSocketConstructor = new (url: string) => WebSocketLike;

export type NetState = "connected" | "connecting" | "disconnected";

/** Why a connection ends for good. */
export type End =
  | { kind: "kicked"; reason: KickReason }
  | { kind: "refused"; error: ChatError };

/** Times and counts that seldom need to be other than they are. */
export interface Timing {
  /** How long the server may say nothing while an answer is due. */
  answerMs: number;
  retryMsMin: number;
  retryMsMax: number;
  /** How long a request waits for a connection and its answer. */
  requestMs: number;
}

export interface Credentials {
  sdkappid: number;
  userID: string;
  userSig: string;
}

export interface ConnectionOptions {
  url: string;
  WebSocket: WebSocketConstructor;
  platform: string;
  deviceID: string;
  timing: Timing;
  /** A new UserSig, when the old one is worth nothing any more. */
  refreshUserSig: ((userID: string) => Promise<string> | string) | undefined;
  /** The last position that this client has. */
  position: () => Position | null;
  onState: (state: NetState) => void;
  onConnected: (answer: ConnectAnswer, resumed: boolean) => void;
  onPush: (push: Push) => void;
  onEnd: (end: End) => void;
}

/** The server keeps 32 waiting; beyond that it refuses. */
const OUTSTANDING_LEN_MAX = 16;
/** A connection that lasted this long was a good one: the next pause begins at the shortest again. */
const GOOD_CONNECTION_MS_MIN = 5_000;
const WATCH_MS = 1_000;
const OPEN = 1;
const NORMAL_CLOSURE = 1000;
/** A UserSig that can be replaced by a new one. */
const STALE_USERSIG: readonly number[] = [ERROR_CODES.UserSigExpired.code, ERROR_CODES.UserSigRevoked.code];

/** A request whose members are written already: everything but the opening brace and the id. */
interface Asked {
  text: string;
  resolve: (answer: never) => void;
  reject: (error: ChatError) => void;
  sentMs: number;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #credentials: Credentials;
  readonly #backoff: Backoff;
  #socket: WebSocketLike | null = null;
  #state: NetState = "disconnected";
  #ended = false;
  #lastId = 0;
  readonly #asked = new Map<number, Asked>();
  #queue: Asked[] = [];
  /** Those that wait for a connection. */
  readonly #onChange = new Set<() => void>();
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;
  #heardMs = 0;
  #connectedMs = 0;
  #heartbeatMs = 30_000;
  #kick: KickReason | null = null;
  #hasNewUserSig = false;
  #serverAheadMs = 0;

  constructor(credentials: Credentials, options: ConnectionOptions) {
    this.#credentials = { ...credentials };
    this.#options = options;
    this.#backoff = new Backoff(options.timing.retryMsMin, options.timing.retryMsMax);
  }

  get isConnected(): boolean {
    return this.#state === "connected";
  }

  /** The server's clock. */
  nowMs(): number {
    return Date.now() + this.#serverAheadMs;
  }

  open(): void {
    // Other environments have neither, and then nothing is to be heard from them.
    globalThis.addEventListener?.("online", this.#hurry);
    globalThis.document?.addEventListener?.("visibilitychange", this.#hurry);
    this.#connect();
  }

  /** Says goodbye. Nothing of this connection is heard after this. */
  close(): void {
    this.#finish(new Lost("the connection was closed"), NORMAL_CLOSURE);
  }

  /** Gives this socket up and connects anew from the position. */
  restart(): void {
    const socket = this.#socket;
    if (socket) this.#gone(socket, null);
  }

  /** Resolves once there is a connection, or rejects when there is none in time. */
  async whenConnected(untilMs: number): Promise<void> {
    while (!this.isConnected) {
      if (this.#ended) throw new Lost("there is no connection");
      await new Promise<void>((resolve, reject) => {
        const done = () => {
          clearTimeout(timer);
          this.#onChange.delete(done);
          resolve();
        };
        const late = () => {
          this.#onChange.delete(done);
          reject(new ChatError(CLIENT_CODES.NetworkTimeout, "there was no connection in time", undefined, true));
        };
        const timer = setTimeout(late, Math.max(0, untilMs - Date.now()));
        this.#onChange.add(done);
      });
    }
  }

  /** Asks on this connection, or not at all. */
  ask<O extends Op>(request: RequestOf<O>): Promise<AnswerOf<O>> {
    return this.askWritten(JSON.stringify(request).slice(1));
  }

  /** The same with the members as they are to be sent, to the byte: `"op":…}`. */
  askWritten<O extends Op>(text: string): Promise<AnswerOf<O>> {
    if (!this.isConnected) return Promise.reject(new Lost("there is no connection"));
    return this.#enqueue(text);
  }

  /** Asks as soon as there is a connection. What may be done twice is asked again when its connection broke. */
  async request<O extends Op>(request: RequestOf<O>, mayRepeat = true): Promise<AnswerOf<O>> {
    const untilMs = Date.now() + this.#options.timing.requestMs;
    const text = JSON.stringify(request).slice(1);
    for (;;) {
      await this.whenConnected(untilMs);
      try {
        return await this.askWritten<O>(text);
      } catch (error) {
        if (!(error instanceof Lost) || !mayRepeat || this.#ended || Date.now() >= untilMs) throw error;
      }
    }
  }

  #enqueue<O extends Op>(text: string): Promise<AnswerOf<O>> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ text, resolve: resolve as (answer: never) => void, reject, sentMs: 0 });
      this.#sendQueued();
    });
  }

  #sendQueued(): void {
    const socket = this.#socket;
    if (socket?.readyState !== OPEN) return;
    while (this.#asked.size < OUTSTANDING_LEN_MAX) {
      const asked = this.#queue.shift();
      if (!asked) return;
      this.#send(socket, asked);
    }
  }

  #send(socket: WebSocketLike, asked: Asked): void {
    const id = ++this.#lastId;
    asked.sentMs = Date.now();
    this.#asked.set(id, asked);
    socket.send(`{"id":${id},${asked.text}`);
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#setState("connecting");
    let socket: WebSocketLike;
    try {
      socket = new this.#options.WebSocket(this.#options.url);
    } catch (error) {
      this.#end({ kind: "refused", error: new ChatError(CLIENT_CODES.BadParameter, String(error)) });
      return;
    }
    this.#socket = socket;
    this.#heardMs = Date.now();
    this.#kick = null;
    socket.onopen = () => this.#logIn(socket);
    socket.onmessage = (event: { data: unknown }) => this.#heard(socket, String(event.data));
    socket.onclose = (event: { code: number }) => this.#gone(socket, event.code);
    // Every failure is followed by a close.
    socket.onerror = () => {};
    const watchMs = Math.min(WATCH_MS, this.#options.timing.answerMs / 2);
    this.#watchTimer = setInterval(() => this.#watch(socket), watchMs);
  }

  #logIn(socket: WebSocketLike): void {
    if (socket !== this.#socket) return;
    this.#heardMs = Date.now();
    const position = this.#options.position();
    const { sdkappid, userID, userSig } = this.#credentials;
    const { platform, deviceID } = this.#options;
    const login = {
      op: "connect",
      sdkappid,
      user_id: userID,
      usersig: userSig,
      platform,
      device_id: deviceID,
      ...(position && { position }),
    };
    this.#send(socket, {
      text: JSON.stringify(login).slice(1),
      // Not by way of a promise: the first push may come in the same turn as the answer, and needs to know it.
      resolve: (answer: ConnectAnswer) => this.#loggedIn(answer, position !== null && !answer.resync),
      reject: (error: ChatError) => {
        if (error instanceof Refused) void this.#refused(socket, error);
      },
      sentMs: 0,
    });
  }

  #loggedIn(answer: ConnectAnswer, resumed: boolean): void {
    this.#connectedMs = Date.now();
    this.#hasNewUserSig = false;
    this.#heartbeatMs = answer.heartbeat_secs * 1000;
    this.#serverAheadMs = answer.server_time_ms - Date.now();
    this.#options.onConnected(answer, resumed);
    this.#setState("connected");
    this.#sendQueued();
  }

  async #refused(socket: WebSocketLike, error: Refused): Promise<void> {
    if (error.temporary) return this.#gone(socket, null);
    if (!STALE_USERSIG.includes(error.code)) return this.#end({ kind: "refused", error });
    await this.#renew(socket, { kind: "refused", error });
  }

  /** Connects with a new UserSig, or ends as given if there is none. */
  async #renew(socket: WebSocketLike, otherwise: End): Promise<void> {
    const refresh = this.#options.refreshUserSig;
    // One that is refused although it is new would be refused again and again.
    if (!refresh || this.#hasNewUserSig) return this.#end(otherwise);
    this.#release(socket);
    this.#setState("connecting");
    try {
      const userSig = await refresh(this.#credentials.userID);
      if (this.#ended) return;
      this.#credentials.userSig = userSig;
      this.#hasNewUserSig = true;
      this.#connect();
    } catch {
      // The app's backend may be out of reach just like the server: the old one is refused, and asked for again.
      this.#retryLater();
    }
  }

  #heard(socket: WebSocketLike, text: string): void {
    if (socket !== this.#socket) return;
    this.#heardMs = Date.now();
    let frame: { id?: number | null; ok?: never; error?: WireError } | Push;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#gone(socket, null);
    }
    if ("push" in frame) {
      if (frame.push === "kicked") this.#kick = frame.reason;
      else this.#options.onPush(frame);
      return;
    }
    const asked = this.#asked.get(frame.id ?? -1);
    if (!asked) return;
    this.#asked.delete(frame.id ?? -1);
    if (frame.error) asked.reject(new Refused(frame.error));
    else asked.resolve(frame.ok as never);
    this.#sendQueued();
  }

  /** A socket can be dead for minutes before anybody says so: silence while an answer is due is enough. */
  #watch(socket: WebSocketLike): void {
    const nowMs = Date.now();
    const silentMs = nowMs - this.#heardMs;
    const oldest = this.#asked.values().next().value;
    const isLoggingIn = this.#state !== "connected";
    const isDue = isLoggingIn || (oldest !== undefined && nowMs - oldest.sentMs > this.#options.timing.answerMs);
    if (isDue && silentMs > this.#options.timing.answerMs) return this.#gone(socket, null);
    if (!isLoggingIn && oldest === undefined && silentMs > this.#heartbeatMs) this.#ping();
  }

  #ping(): void {
    // Its answer is the point, and that is noticed in passing.
    this.ask({ op: "ping" }).catch(() => {});
  }

  /** The page is looked at again, or the network is back: do not wait for a timer that was set before. */
  readonly #hurry = (): void => {
    if (globalThis.document?.visibilityState === "hidden") return;
    if (this.#retryTimer !== undefined) this.#connect();
    else if (this.isConnected && this.#asked.size === 0) this.#ping();
  };

  /** The socket is of no use any more: with the code of the server, or `null` if this side gave it up. */
  #gone(socket: WebSocketLike, code: number | null): void {
    if (socket !== this.#socket) return;
    if (code === CLOSE_CODES.FrameTooLarge.code) this.#blameLargest();
    if (code === CLOSE_CODES.Kicked.code || code === CLOSE_CODES.Replaced.code) {
      const usual = code === CLOSE_CODES.Replaced.code ? "same_device" : "other_device";
      return this.#end({ kind: "kicked", reason: this.#kick ?? usual });
    }
    if (code === CLOSE_CODES.Expired.code) return void this.#renew(socket, { kind: "kicked", reason: "expired" });
    if (code === CLOSE_CODES.LoginRefused.code) return this.#end({ kind: "kicked", reason: this.#kick ?? "deleted" });
    if (code === CLOSE_CODES.BadFrame.code) {
      const text = "the server did not understand a frame";
      return this.#end({ kind: "refused", error: new ChatError(code, text) });
    }
    this.#release(socket);
    this.#setState("connecting");
    if (this.#connectedMs > 0 && Date.now() - this.#connectedMs > GOOD_CONNECTION_MS_MIN) this.#backoff.reset();
    this.#connectedMs = 0;
    this.#retryLater();
  }

  /** Of what was under way, the largest frame is what the server did not want to read; the others may be sent again. */
  #blameLargest(): void {
    const byLength = [...this.#asked].sort(([, a], [, b]) => b.text.length - a.text.length);
    const [id, asked] = byLength[0] ?? [];
    if (id === undefined) return;
    this.#asked.delete(id);
    asked?.reject(new ChatError(ERROR_CODES.PacketTooLarge.code, "the frame is larger than the server allows"));
  }

  #retryLater(): void {
    if (this.#ended) return;
    this.#retryTimer = setTimeout(() => this.#connect(), this.#backoff.nextMs());
  }

  #release(socket: WebSocketLike, code?: number): void {
    this.#socket = null;
    clearInterval(this.#watchTimer);
    // `onerror` stays: closing a socket that is still opening is an error to some.
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close(code);
    } catch {
      // It was closed already.
    }
    // What has not been sent yet goes with the rest: its callers decide what to do on the next connection.
    this.#failAll(new Lost());
  }

  #failAll(error: Lost): void {
    const asked = [...this.#asked.values(), ...this.#queue];
    this.#asked.clear();
    this.#queue = [];
    for (const { reject } of asked) reject(error);
  }

  #end(end: End): void {
    if (this.#ended) return;
    this.#finish(new Lost("the session has ended"));
    this.#options.onEnd(end);
  }

  #finish(error: Lost, code?: number): void {
    this.#ended = true;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    globalThis.removeEventListener?.("online", this.#hurry);
    globalThis.document?.removeEventListener?.("visibilitychange", this.#hurry);
    if (this.#socket) this.#release(this.#socket, code);
    this.#failAll(error);
    this.#setState("disconnected");
  }

  #setState(state: NetState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const notify of [...this.#onChange]) notify();
    this.#options.onState(state);
  }
}
