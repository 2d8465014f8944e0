// Where this client is in its user's log. It decides what a push means; it does not know what a message is.

import type { Position } from "./wire.js";

export type Verdict =
  /** The next change: apply it. `delta` is what it did to the number of unread messages, where that is known. */
  | { kind: "next"; delta: number | null }
  /** It was applied before. */
  | { kind: "seen" }
  /** Something in between is missing: connect again from the position. */
  | { kind: "gap" };

export class Follower {
  #position: Position | null = null;
  #unread: number | null = null;
  /** The position from which a connection was made because of a gap. */
  #gapAt: number | null = null;

  get position(): Position | null {
    return this.#position;
  }

  /** Unread messages in all conversations at the position. */
  get unread(): number | null {
    return this.#unread;
  }

  /** What the server had is not what this client has: go on from here. */
  reset(position: Position | null, unread: number | null): void {
    this.#position = position;
    this.#unread = unread;
    this.#gapAt = null;
  }

  take(position: Position, unread: number): Verdict {
    const here = this.#position;
    if (here === null || here.epoch !== position.epoch) return { kind: "gap" };
    if (position.offset <= here.offset) return { kind: "seen" };
    if (position.offset > here.offset + 1 && this.#gapAt !== here.offset) {
      this.#gapAt = here.offset;
      return { kind: "gap" };
    }
    // A gap that is there again after connecting anew is one in the log itself, and asking again would never end.
    const delta = this.#unread === null ? null : unread - this.#unread;
    this.#position = position;
    this.#unread = unread;
    return { kind: "next", delta };
  }
}
