// However bad the network: every device of every user ends with the same conversations, counts and messages, in the same
// order, with nothing missing and nothing twice. The seed of a run is in its name; SEED=… runs it again.

import { WebSocket } from "ws";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EVENT } from "../src/constants.js";
import { Events } from "../src/events.js";
import { Message } from "../src/message.js";
import { settingsOf } from "../src/options.js";
import { Session } from "../src/session.js";
import type { Request } from "../src/wire.js";
import { Chance } from "./chance.js";
import { QUICK } from "./device.js";
import { FlakyNetwork } from "./flaky.js";
import { SDKAPPID, Server, userSig } from "./server.js";

const PEOPLE = ["ana", "bo", "cleo"];
const DEVICES_PER_USER = 2;
const ROUNDS = 25;

let server: Server;
beforeAll(async () => {
  server = await Server.start();
});
afterAll(() => server.stop());

/** One login, with what its app was told of messages. */
class Machine {
  readonly told: string[] = [];
  readonly session: Session;
  /** Ids of what was said here, in order. */
  readonly said: Message[] = [];
  readonly doing: Promise<unknown>[] = [];
  #waiting: (() => void)[] = [];

  constructor(
    readonly userID: string,
    readonly name: string,
    url: string,
  ) {
    const timing = { ...QUICK, answerMs: 500 };
    const settings = settingsOf({ SDKAppID: SDKAPPID, server: url, WebSocket, timing });
    const events = new Events();
    const onEnd = () => this.told.push("ended");
    this.session = new Session({ ...settings, onEnd, userID, userSig: userSig(userID), events });
    events.on(EVENT.MESSAGE_RECEIVED, ({ data }: { data: Message[] }) => this.told.push(...data.map(({ ID }) => ID)));
    for (const event of Object.values(EVENT)) events.on(event, () => this.#look());
  }

  say(to: string): void {
    const elements = [{ type: "TIMTextElem", payload: { text: `${this.name} ${this.said.length}` } }];
    const message = Message.draft(this.session, to, elements, Math.floor(this.session.connection.nowMs() / 1000));
    this.said.push(message);
    this.doing.push(this.session.send(message, {}).finally(() => this.#look()));
  }

  /** Something else that people do. It may be refused, such as taking back what was taken back. */
  act(peer: string, chance: Chance): void {
    const last = this.session.messages.list(peer).at(-1);
    const own = this.session.messages.list(peer).filter(({ flow }) => flow === "out").at(-1);
    const acts: (Request | null | undefined)[] = [
      { op: "read", peer },
      { op: "read", peer },
      { op: "pin", peer, pinned: chance.happens(0.5) },
      { op: "mark", peers: [peer], mark: 1 + chance.below(4), on: chance.happens(0.5) },
      own && { op: "recall", peer, key: own._key },
      last && { op: "delete", peer, keys: [last._key] },
      chance.happens(0.2) ? { op: "clear", peer } : null,
      chance.happens(0.2) ? { op: "remove", peer, erase: chance.happens(0.5) } : null,
    ];
    const act = chance.pick(acts);
    if (act) this.doing.push(this.session.connection.request(act).catch(() => {}));
  }

  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(() => isSo() && resolve());
      this.#look();
    });
  }

  /** What its user would see. */
  view(): object {
    const conversations = this.session.conversations.list().map((it) => ({
      id: it.conversationID,
      unread: it.unreadCount,
      last: it.lastMessage?.lastSequence,
      isRevoked: it.lastMessage?.isRevoked,
      isPinned: it.isPinned,
      marks: it.markList,
      peerReadTime: it.peerReadTime,
    }));
    return { conversations, unread: this.session.conversations.unreadToShow() };
  }

  messages(peer: string): string[] {
    return this.session.messages.list(peer).map(shown);
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

const shown = ({ ID, isRevoked }: Message): string => `${ID}${isRevoked ? " taken back" : ""}`;

/** What the server has of a conversation, for its user. */
async function stored(session: Session, peer: string): Promise<string[]> {
  const all: string[] = [];
  let before: string | undefined;
  for (;;) {
    const page = { op: "history" as const, peer, limit: 100, ...(before && { before }) };
    const { messages, next } = await session.connection.request<"history">(page);
    all.unshift(...messages.map((wire) => shown(Message.received(session, wire))));
    if (!next) return all;
    before = next;
  }
}

async function converges(seed: number): Promise<void> {
  const chance = new Chance(seed);
  const people = PEOPLE.map((name) => `${name}${seed}`);
  const machines: Machine[] = [];
  const networks: FlakyNetwork[] = [];
  for (const userID of people) {
    for (let n = 0; n < DEVICES_PER_USER; n += 1) {
      const network = await FlakyNetwork.before(server.port, new Chance(chance.below(2 ** 32)));
      networks.push(network);
      machines.push(new Machine(userID, `${userID}/${n}`, network.url));
    }
  }
  // Everybody has an account before somebody writes to them.
  await Promise.all(machines.map(({ session }) => session.open()));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const machine of machines) {
      const others = people.filter((userID) => userID !== machine.userID);
      machine.say(chance.pick(others));
      if (chance.happens(0.4)) machine.act(chance.pick(others), chance);
      if (chance.happens(0.05)) chance.pick(networks).cut();
    }
    // Not everything at once: each round waits for somebody's word to be stored.
    await chance.pick(machines).doing.at(-1);
  }
  for (const network of networks) network.heal();
  await Promise.all(machines.flatMap(({ doing }) => doing));
  for (const userID of people) {
    const devices = machines.filter((machine) => machine.userID === userID);
    await agree(devices, people.filter((other) => other !== userID));
  }
  for (const { session } of machines) session.close(true);
  for (const network of networks) await network.close();
}

/** Devices of one user against one that comes now, and is told everything by the server. */
async function agree(devices: Machine[], peers: string[]): Promise<void> {
  const userID = devices[0]!.userID;
  const witness = new Machine(userID, `${userID}/new`, server.url);
  await witness.session.open();
  await witness.until(() => witness.session.isReady);
  const truth = JSON.stringify(witness.view());
  const messages = new Map(await Promise.all(peers.map(async (peer) => [peer, await stored(witness.session, peer)] as const)));
  for (const device of devices) {
    await device.until(() => JSON.stringify(device.view()) === truth);
    // A device came at some time, and has everything since, and not what was deleted.
    for (const peer of peers) expect(device.messages(peer), `${device.name} with ${peer}`).toEqual(messages.get(peer));
    expect(new Set(device.told).size, device.name).toBe(device.told.length);
    for (const peer of peers) {
      const own = new Set(device.said.map(({ ID }) => ID));
      const inOrder = messages.get(peer)!.map((it) => it.split(" ")[0] as string).filter((ID) => own.has(ID));
      const asSaid = device.said.map(({ ID }) => ID).filter((ID) => inOrder.includes(ID));
      expect(inOrder, `${device.name} to ${peer}`).toEqual(asSaid);
    }
  }
  witness.session.close(true);
}

const seeds = process.env.SEED ? [Number(process.env.SEED)] : [1, 2, Math.floor(Math.random() * 1_000_000)];

test.each(seeds)("every device converges over a bad network, seed %i", async (seed) => {
  await converges(seed);
});
