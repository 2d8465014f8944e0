// The outbox beside a server that is played by the test, which decides what is answered and what time it is.

import { expect, test } from "vitest";
import { ChatError, Lost, Refused } from "../src/errors.js";
import { Message } from "../src/message.js";
import { Outbox } from "../src/outbox.js";
import type { Landed } from "../src/outbox.js";
import type { Message as WireMessage, SendAnswer } from "../src/wire.js";
import { MemoryStorage } from "./storage.js";

const VIEWER = { sdkappid: 1400000001, userID: "ana", person: () => ({ nick: "", avatar: "" }) };
const START_MS = 1_795_440_912_000;

interface Attempt {
  text: string;
  answer(): void;
  refuse(error: Error): void;
}

class Bench {
  nowMs = START_MS;
  isConnected = true;
  readonly attempts: Attempt[] = [];
  /** Pages of history from new to old; each is asked for with the key of the one before. */
  pages: { messages: WireMessage[]; next: string | null }[] = [];
  readonly asked: (string | undefined)[] = [];
  readonly outbox: Outbox;
  #waiting: (() => void)[] = [];

  constructor(readonly storage = new MemoryStorage()) {
    this.outbox = new Outbox({
      storage,
      name: "1400000001.ana",
      resendMs: 100_000,
      retryMsMin: 1,
      retryMsMax: 1,
      nowMs: () => this.nowMs,
      isConnected: () => this.isConnected,
      send: (text) => this.#sent(text),
      history: async ({ before }) => {
        this.asked.push(before);
        return this.pages.shift() ?? { messages: [], next: null };
      },
      restore: ({ peer, clientTime, random }) => Message.draft(VIEWER, peer, [], clientTime, random),
    });
  }

  add(random: number): Promise<Landed> {
    const clientTime = Math.floor(this.nowMs / 1000);
    const message = Message.draft(VIEWER, "bo", [], clientTime, random);
    return this.outbox.add(message, { peer: "bo", random, clientTime, text: `letter ${random}` });
  }

  /** Waits for the attempt of this number. */
  async attempt(number: number): Promise<Attempt> {
    while (this.attempts.length < number) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.attempts[number - 1] as Attempt;
  }

  texts(): string[] {
    return this.attempts.map(({ text }) => text);
  }

  /** The connection breaks, and a new one is made. */
  async reconnect(attempt: Attempt): Promise<void> {
    this.isConnected = false;
    attempt.refuse(new Lost());
    await Promise.resolve();
    this.isConnected = true;
    this.outbox.resume();
  }

  #sent(text: string): Promise<SendAnswer> {
    return new Promise((resolve, reject) => {
      const random = Number(text.split(" ")[1]);
      const MsgTime = Math.floor(this.nowMs / 1000);
      const answer = { MsgTime, MsgKey: `1_${random}_${MsgTime}`, MsgId: `1-${MsgTime}-${random}` };
      this.attempts.push({ text, answer: () => resolve(answer), refuse: reject });
      for (const look of this.#waiting.splice(0)) look();
    });
  }
}

function stored(random: number, secs = START_MS / 1000): WireMessage {
  return {
    From_Account: "ana",
    To_Account: "bo",
    MsgSeq: 1,
    MsgRandom: random,
    MsgTimeStamp: secs,
    MsgFlagBits: 0,
    IsPeerRead: 0,
    MsgKey: `1_${random}_${secs}`,
    MsgId: `1-${secs}-${random}`,
    MsgBody: [],
    CloudCustomData: "",
    MsgClientTime: START_MS / 1000,
    MsgVersion: 0,
    IsNeedReadReceipt: 0,
    SupportMessageExtension: 0,
  };
}

/** Lets everything happen that can. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function refusal(code: number, temporary: boolean): Refused {
  return new Refused({ code, text: "no", temporary });
}

test("messages are sent one after another", async () => {
  const bench = new Bench();
  const all = [bench.add(1), bench.add(2), bench.add(3)];
  for (const number of [1, 2, 3]) (await bench.attempt(number)).answer();
  await Promise.all(all);
  expect(bench.texts()).toEqual(["letter 1", "letter 2", "letter 3"]);
  expect([bench.outbox.unsent, bench.storage.length]).toEqual([[], 0]);
});

test("what got no answer is sent again as it was, before anything else", async () => {
  const bench = new Bench();
  const first = bench.add(1);
  const second = bench.add(2);
  await bench.reconnect(await bench.attempt(1));
  (await bench.attempt(2)).answer();
  (await bench.attempt(3)).answer();
  await Promise.all([first, second]);
  expect(bench.texts()).toEqual(["letter 1", "letter 1", "letter 2"]);
  expect(bench.asked).toEqual([]);
});

test("when the server may have forgotten the first attempt, history says that it landed", async () => {
  const bench = new Bench();
  const landed = bench.add(1);
  const attempt = await bench.attempt(1);
  bench.nowMs += 100_001;
  const nine = stored(9, START_MS / 1000 + 5);
  // Between the two the user has deleted so much that a page has nothing to show.
  const hidden = { messages: [], next: `1_7_${START_MS / 1000 + 4}` };
  const last = { messages: [stored(8), stored(1)], next: stored(8).MsgKey };
  bench.pages = [{ messages: [nine], next: nine.MsgKey }, hidden, last];
  await bench.reconnect(attempt);
  expect(await landed).toMatchObject({ MsgRandom: 1 });
  expect(bench.texts()).toEqual(["letter 1"]);
  expect(bench.asked).toEqual([undefined, nine.MsgKey, hidden.next]);
});

test("one that did not land is sent after all, and history is read no further than it could be", async () => {
  const bench = new Bench();
  const sent = bench.add(1);
  const attempt = await bench.attempt(1);
  bench.nowMs += 100_001;
  // Older than the first attempt by more than clocks are apart.
  const old = stored(8, START_MS / 1000 - 61);
  bench.pages = [{ messages: [old], next: old.MsgKey }];
  await bench.reconnect(attempt);
  (await bench.attempt(2)).answer();
  await sent;
  expect([bench.texts(), bench.asked]).toEqual([["letter 1", "letter 1"], [undefined]]);
});

test("within the window, history is not asked", async () => {
  const bench = new Bench();
  const sent = bench.add(1);
  const attempt = await bench.attempt(1);
  bench.nowMs += 100_000;
  await bench.reconnect(attempt);
  (await bench.attempt(2)).answer();
  await sent;
  expect(bench.asked).toEqual([]);
});

test("the push of one's own message is as good as the answer", async () => {
  const bench = new Bench();
  const sent = bench.add(1);
  await bench.attempt(1);
  expect(bench.outbox.landed(stored(2))).toBe(false);
  expect(bench.outbox.landed(stored(1))).toBe(true);
  expect(await sent).toMatchObject({ MsgRandom: 1 });
});

test("what is refused for the moment keeps its place, and what is refused for good makes room", async () => {
  const bench = new Bench();
  const first = bench.add(1);
  const second = bench.add(2);
  (await bench.attempt(1)).refuse(refusal(91000, true));
  (await bench.attempt(2)).refuse(refusal(80001, false));
  (await bench.attempt(3)).answer();
  await expect(first).rejects.toMatchObject({ code: 80001 });
  await second;
  expect(bench.texts()).toEqual(["letter 1", "letter 1", "letter 2"]);
});

test("the next page sends what this one could not, in order, unless it landed", async () => {
  const bench = new Bench();
  bench.isConnected = false;
  const all = [bench.add(1), bench.add(2), bench.add(3)];
  const lost = new ChatError(2024, "the page ends");
  bench.outbox.close(lost, false);
  await expect(Promise.all(all)).rejects.toBe(lost);
  const next = new Bench(bench.storage);
  next.outbox.restore();
  expect(next.outbox.unsent.map(({ random }) => random)).toEqual([1, 2, 3]);
  // The first had been sent, and only its answer was lost.
  next.pages = [{ messages: [stored(1)], next: null }];
  next.outbox.resume();
  (await next.attempt(1)).answer();
  (await next.attempt(2)).answer();
  while (next.storage.length > 0) await turn();
  expect(next.texts()).toEqual(["letter 2", "letter 3"]);
});

test("two pages do not send the same message one after the other", async () => {
  const first = new Bench();
  first.isConnected = false;
  void first.add(1);
  const second = new Bench(first.storage);
  second.outbox.restore();
  first.isConnected = true;
  first.outbox.resume();
  (await first.attempt(1)).answer();
  while (first.storage.length > 0) await turn();
  second.outbox.resume();
  while (second.outbox.unsent.length > 0) await turn();
  expect(second.texts()).toEqual([]);
});

test("whoever logs out leaves nothing behind", async () => {
  const bench = new Bench();
  bench.isConnected = false;
  const sent = bench.add(1);
  bench.outbox.close(new ChatError(2024, "logged out"), true);
  await expect(sent).rejects.toMatchObject({ code: 2024 });
  expect(bench.storage.length).toBe(0);
});

test("a queue that is full says so", async () => {
  const bench = new Bench();
  bench.isConnected = false;
  for (let random = 0; random < 1_000; random += 1) void bench.add(random).catch(() => {});
  await expect(bench.add(1_000)).rejects.toMatchObject({ code: 2906 });
});
