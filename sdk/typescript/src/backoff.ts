// How long to wait before trying again.

/** Growing pauses with full jitter: clients that lost the same server must not all come back at the same moment. */
export class Backoff {
  #attempt = 0;
  constructor(
    private readonly msMin: number,
    private readonly msMax: number,
  ) {}

  nextMs(): number {
    // Beyond this many doublings every pause is the longest one anyway.
    const ceiling = Math.min(this.msMax, this.msMin * 2 ** Math.min(this.#attempt, 16));
    this.#attempt += 1;
    return Math.random() * ceiling;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
