import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { Headroom } from "./headroom.ts";

/** As many as a worker has sockets to one origin: more would wait for a free one until their deadline. */
export const mostInFlight = 16_384;

/** What a credential carries for one model: its calls in flight, and what is known of how many it takes. */
export class Load {
  readonly limit = new ConcurrencyLimit();
  readonly headroom = new Headroom();
  inFlight = 0;

  get isFull(): boolean {
    return this.limit.isReached(this.inFlight);
  }

  get isPacked(): boolean {
    return this.inFlight >= mostInFlight;
  }

  /** How near to its limit it is: 1 at it. */
  get share(): number {
    return this.inFlight / this.limit.calls;
  }
}
