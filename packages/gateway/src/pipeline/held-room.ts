/** As they came from upstream. What is kept of them in memory is a small multiple. */
const mostHeldBytes = 256 * 1024 * 1024;

/** What one call keeps of answers until they are judged. */
export interface HeldShare {
  /** False where there is no room for so much more. */
  take(bytes: number): boolean;
  /** The call is over. */
  free(): void;
}

/**
 * The room of one worker for answers that wait for their verdict. Each of them is bounded, and so are calls at once, but
 * the product of both is more than any machine has.
 */
export class HeldRoom {
  readonly #most: number;
  #bytes = 0;

  constructor(most: number = mostHeldBytes) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  share(): HeldShare {
    let own = 0;
    return {
      take: (bytes) => {
        if (this.#bytes + bytes > this.#most) return false;
        this.#bytes += bytes;
        own += bytes;
        return true;
      },
      free: () => {
        this.#bytes -= own;
        own = 0;
      },
    };
  }
}
