// What the user said and the server has not confirmed: one queue, in order, each message until it is known to be stored
// or refused. A message is sent again with the same bytes, which the server recognises for a while; past that, history
// says whether it landed. So nothing is lost, and nothing is there twice.

import { Backoff } from "./backoff.js";
import { ChatError, CLIENT_CODES, Refused } from "./errors.js";
import { keyTime, type Message } from "./message.js";
import type { HistoryAnswer, HistoryRequest, Message as WireMessage, SendAnswer } from "./wire.js";

/** The part of `localStorage` that is used. */
export type KeyValueStorage = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** A message with the bytes that it is sent with. */
export interface Letter {
  peer: string;
  random: number;
  clientTime: number;
  /** The members of the request: `"op":"send",…}`. */
  text: string;
}

interface Kept extends Letter {
  /** Grows from message to message, also over pages. */
  order: number;
  /** On the server's clock: when it was first on its way. */
  firstSentMs: number | null;
}

interface Entry extends Kept {
  message: Message;
  /** Another page may have sent it. */
  restored: boolean;
  settled: boolean;
  resolve: (landed: Landed) => void;
  reject: (error: ChatError) => void;
}

/** How a message came to be stored: answered, or found. */
export type Landed = SendAnswer | WireMessage;

export interface OutboxOptions {
  /** `null`: unsent messages end with the page. */
  storage: KeyValueStorage | null;
  /** Distinguishes apps and users in the storage. */
  name: string;
  /** How long the server is asked again before history is. The server recognises a repetition for 120 s. */
  resendMs: number;
  retryMsMin: number;
  retryMsMax: number;
  nowMs: () => number;
  isConnected: () => boolean;
  send: (text: string) => Promise<SendAnswer>;
  history: (request: HistoryRequest) => Promise<Pick<HistoryAnswer, "messages" | "next">>;
  /** Makes the message of a letter that an earlier page left behind. */
  restore: (letter: Letter) => Message;
}

const LEN_MAX = 1_000;
const HISTORY_PAGE_LEN = 100;
/** What clocks may be apart: messages this much older than the first attempt are looked at too. */
const CLOCK_SKEW_SECS = 60;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #backoff: Backoff;
  #entries: Entry[] = [];
  #lastOrder = 0;
  #running = false;
  #closed = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #wakeRetry: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.retryMsMin, options.retryMsMax);
  }

  /** What an earlier page left behind. */
  restore(): void {
    const { storage } = this.#options;
    if (!storage) return;
    const kept: Kept[] = [];
    for (let index = 0; index < storage.length; index += 1) {
      const key = storage.key(index);
      if (!key?.startsWith(this.#prefix)) continue;
      try {
        kept.push(JSON.parse(storage.getItem(key) ?? "") as Kept);
      } catch {
        // Not written by this: it can neither be sent nor explained.
      }
    }
    kept.sort((a, b) => a.order - b.order);
    for (const letter of kept.slice(0, LEN_MAX)) {
      const entry = { ...letter, message: this.#options.restore(letter), restored: true };
      // Nobody waits for it; what becomes of it shows in the message.
      this.#push(entry).catch(() => {});
    }
  }

  /** Messages that are not known to be stored, in the order in which they will be. */
  get unsent(): Message[] {
    return this.#entries.map((entry) => entry.message);
  }

  add(message: Message, letter: Letter): Promise<Landed> {
    if (this.#entries.length >= LEN_MAX) {
      return Promise.reject(new ChatError(CLIENT_CODES.OutboxFull, `${LEN_MAX} messages wait to be sent already`));
    }
    // Microseconds, so that messages of one millisecond keep their order too.
    this.#lastOrder = Math.max(this.#lastOrder + 1, Date.now() * 1000);
    const order = this.#lastOrder;
    const landed = this.#push({ ...letter, order, firstSentMs: null, message, restored: false });
    void this.run();
    return landed;
  }

  /** There is a connection again: what was refused for the moment need not wait any longer. */
  resume(): void {
    this.#backoff.reset();
    this.#wakeRetry?.();
    void this.run();
  }

  /** Delivers one message after another for as long as there is a connection. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#closed && this.#options.isConnected()) {
        const entry = this.#entries[0];
        if (!entry || !(await this.#deliver(entry))) break;
      }
    } finally {
      this.#running = false;
    }
    // A connection may have come while the last attempt was being given up.
    if (!this.#closed && this.#entries.length > 0 && this.#options.isConnected()) void this.run();
  }

  /** The server told this client of its own message: whatever became of the answer, it landed. */
  landed(wire: WireMessage): boolean {
    const entry = this.#entries.find((it) => isSame(it, wire));
    if (entry) this.#settle(entry, wire);
    return entry !== undefined;
  }

  /** Gives up what waits. `forget`: also what would be sent by the next page. */
  close(error: ChatError, forget: boolean): void {
    this.#closed = true;
    this.#wakeRetry?.();
    const entries = this.#entries;
    this.#entries = [];
    for (const entry of entries) {
      entry.settled = true;
      if (forget) this.#forget(entry);
      entry.reject(error);
    }
  }

  /** One attempt. `false`: the connection is gone. */
  async #deliver(entry: Entry): Promise<boolean> {
    try {
      if (entry.restored && !this.#isKept(entry)) {
        // Another page of the same user has sent it meanwhile.
        this.#reject(entry, new ChatError(CLIENT_CODES.NetworkError, "another page has sent this message"));
        return true;
      }
      const found = this.#isDoubtful(entry) ? await this.#lookUp(entry) : null;
      if (entry.settled) return true;
      if (found) {
        this.#settle(entry, found);
        return true;
      }
      entry.restored = false;
      entry.firstSentMs ??= this.#options.nowMs();
      this.#keep(entry);
      this.#settle(entry, await this.#options.send(entry.text));
      this.#backoff.reset();
      return true;
    } catch (error) {
      return this.#failed(entry, error);
    }
  }

  async #failed(entry: Entry, error: unknown): Promise<boolean> {
    if (entry.settled) return true;
    if (error instanceof Refused && error.temporary) {
      await this.#pause();
      return true;
    }
    // Without an answer nothing is known, save that there is no connection.
    if (error instanceof ChatError && error.temporary) return false;
    this.#reject(entry, error instanceof ChatError ? error : new ChatError(CLIENT_CODES.BadParameter, String(error)));
    return true;
  }

  #isDoubtful(entry: Entry): boolean {
    if (entry.restored) return true;
    return entry.firstSentMs !== null && this.#options.nowMs() - entry.firstSentMs > this.#options.resendMs;
  }

  /** Whether it is in the conversation. If it is not, the next attempt is a first one. */
  async #lookUp(entry: Entry): Promise<WireMessage | null> {
    const sinceSecs = (entry.firstSentMs ?? entry.clientTime * 1000) / 1000 - CLOCK_SKEW_SECS;
    const request: HistoryRequest = { op: "history", peer: entry.peer, limit: HISTORY_PAGE_LEN };
    for (;;) {
      const { messages, next } = await this.#options.history(request);
      const found = messages.find((wire) => isSame(entry, wire));
      if (found) return found;
      if (!next || keyTime(next) < sinceSecs) break;
      request.before = next;
    }
    entry.firstSentMs = null;
    return null;
  }

  #push(entry: Omit<Entry, "settled" | "resolve" | "reject">): Promise<Landed> {
    return new Promise((resolve, reject) => {
      const pushed = { ...entry, settled: false, resolve, reject };
      this.#entries.push(pushed);
      this.#keep(pushed);
    });
  }

  #settle(entry: Entry, landed: Landed): void {
    if (this.#leave(entry)) entry.resolve(landed);
  }

  #reject(entry: Entry, error: ChatError): void {
    if (this.#leave(entry)) entry.reject(error);
  }

  #leave(entry: Entry): boolean {
    if (entry.settled) return false;
    entry.settled = true;
    this.#entries = this.#entries.filter((it) => it !== entry);
    this.#forget(entry);
    return true;
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wakeRetry = resolve;
      this.#retryTimer = setTimeout(resolve, this.#backoff.nextMs());
    });
    clearTimeout(this.#retryTimer);
    this.#wakeRetry = undefined;
  }

  get #prefix(): string {
    return `couplet.unsent.${this.#options.name}.`;
  }

  #key(entry: Kept): string {
    return `${this.#prefix}${entry.clientTime}-${entry.random}`;
  }

  #isKept(entry: Kept): boolean {
    return this.#options.storage === null || this.#options.storage.getItem(this.#key(entry)) !== null;
  }

  #keep(entry: Kept): void {
    const { peer, random, clientTime, text, order, firstSentMs } = entry;
    const kept: Kept = { peer, random, clientTime, text, order, firstSentMs };
    try {
      this.#options.storage?.setItem(this.#key(entry), JSON.stringify(kept));
    } catch {
      // A full storage must not keep anybody from sending; the message is safe as long as the page is.
    }
  }

  #forget(entry: Kept): void {
    this.#options.storage?.removeItem(this.#key(entry));
  }
}

/** A message is known by its random number and the sender's clock; only one's own are compared. */
function isSame(letter: Letter, wire: WireMessage): boolean {
  return (
    wire.MsgRandom === letter.random && wire.MsgClientTime === letter.clientTime && wire.To_Account === letter.peer
  );
}
