// A bad network between a device and the server: it delays, splits and swallows bytes, and cuts connections, as a seed
// decides. Bytes are never changed or reordered: TCP does not do that either.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Chance } from "./chance.js";

const DELAY_MS_MAX = 30;

export class FlakyNetwork {
  #isHealed = false;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly listener: Server,
    private readonly chance: Chance,
    private readonly port: number,
  ) {
    listener.on("connection", (device) => this.#join(device));
  }

  static async before(port: number, chance: Chance): Promise<FlakyNetwork> {
    const listener = createServer();
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new FlakyNetwork(listener, chance, port);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** From now on it is a good network. What it swallowed is gone. */
  heal(): void {
    this.#isHealed = true;
    this.cut();
  }

  /** Ends every connection, and lets new ones be made. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.listener.close();
    await once(this.listener, "close");
  }

  #join(device: Socket): void {
    const server = connect(this.port, "127.0.0.1");
    this.#carry(device, server);
    this.#carry(server, device);
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    let isSwallowing = false;
    let turn = Promise.resolve();
    from.on("data", (bytes) => {
      const cuts = this.#does(0.015);
      isSwallowing ||= this.#does(0.01);
      if (isSwallowing) return;
      const delayMs = this.#does(0.3) ? this.chance.below(DELAY_MS_MAX) : 0;
      // Half of what was said may arrive before the connection breaks.
      const parts = this.#does(0.3) ? split(bytes, this.chance.below(bytes.length)) : [bytes];
      turn = turn.then(async () => {
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        for (const part of cuts ? parts.slice(0, 1) : parts) if (!to.destroyed) to.write(part);
        if (cuts) from.destroy();
      });
    });
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      // What it said last is still to be heard.
      turn = turn.then(() => void to.end());
    });
  }

  #does(probability: number): boolean {
    return !this.#isHealed && this.chance.happens(probability);
  }
}

function split(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}
