// A device of a user, as an app drives it, and waiting for what it is told.

import { WebSocket } from "ws";
import Couplet from "../src/index.js";
import type { ChatEvent, CreateOptions, Message } from "../src/index.js";
import { SDKAPPID, userSig } from "./server.js";

type Chat = ReturnType<typeof Couplet.create>;

/** Short, so that a connection that was cut is back before anybody wonders. */
export const QUICK = { answerMs: 2_000, retryMsMin: 20, retryMsMax: 200, requestMs: 40_000, loginMs: 40_000 };

export class Device {
  readonly chat: Chat;
  readonly told: ChatEvent[] = [];
  #waiting: (() => void)[] = [];

  constructor(
    readonly userID: string,
    server: string,
    options: Partial<CreateOptions> = {},
  ) {
    this.chat = Couplet.create({ SDKAppID: SDKAPPID, server, WebSocket, timing: QUICK, ...options });
    for (const name of Object.values(Couplet.EVENT)) {
      this.chat.on(name, (event: ChatEvent) => {
        this.told.push(event);
        for (const look of this.#waiting) look();
      });
    }
  }

  static async online(userID: string, server: string, options: Partial<CreateOptions> = {}): Promise<Device> {
    const device = new Device(userID, server, options);
    await device.chat.login({ userID, userSig: userSig(userID) });
    await device.event(Couplet.EVENT.SDK_READY);
    return device;
  }

  /** Resolves as soon as this is so: it is looked at whenever something was told. */
  until<T>(look: () => T | undefined | false | null): Promise<T> {
    return new Promise((resolve) => {
      const check = () => {
        const found = look();
        if (!found) return;
        this.#waiting = this.#waiting.filter((it) => it !== check);
        resolve(found);
      };
      this.#waiting.push(check);
      check();
    });
  }

  /** The first event of this name, whose data is as wanted. */
  async event<T = any>(name: string, wanted: (data: T) => boolean = () => true): Promise<T> {
    const event = await this.until(() => this.told.find((it) => it.name === name && wanted(it.data as T)));
    return event.data as T;
  }

  /** What was told last under this name. */
  last<T = any>(name: string): T | undefined {
    return this.told.filter((it) => it.name === name).at(-1)?.data as T | undefined;
  }

  /** How often it was connected. */
  connections(): number {
    const isConnected = ({ name, data }: ChatEvent) =>
      name === Couplet.EVENT.NET_STATE_CHANGE && (data as { state: string }).state === "connected";
    return this.told.filter(isConnected).length;
  }

  /** What was received, as texts. */
  received(): string[] {
    const news = this.told.filter(({ name }) => name === Couplet.EVENT.MESSAGE_RECEIVED);
    return news.flatMap(({ data }) => (data as Message[]).map(textOf));
  }

  text(to: string, text: string, more: object = {}): Message {
    return this.chat.createTextMessage({ to, conversationType: Couplet.TYPES.CONV_C2C, payload: { text }, ...more });
  }

  async say(to: string, text: string, more: object = {}): Promise<Message> {
    return (await this.chat.sendMessage(this.text(to, text, more))).data.message;
  }
}

export function textOf(message: Message): string {
  return (message.payload as { text: string }).text;
}
