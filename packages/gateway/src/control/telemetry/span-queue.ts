import type { OtlpSpan } from "./spans.ts";

/** Spans that wait, and characters of their text. */
const mostSpans = 8192;
const mostText = 32 * 1024 * 1024;
/** Of one post. */
export const batchSpans = 512;
const batchText = 4 * 1024 * 1024;

/** Spans on their way to a collector, as text, oldest first. What there is no room for is the oldest, and is counted. */
export class SpanQueue {
  readonly #waiting: string[] = [];
  /** Of those that were taken from the front, how many are still in the array. */
  #from = 0;
  #length = 0;
  #dropped = 0;
  readonly #most: number;

  constructor(most = mostSpans) {
    this.#most = most;
  }

  get size(): number {
    return this.#waiting.length - this.#from;
  }

  get dropped(): number {
    return this.#dropped;
  }

  put(spans: readonly OtlpSpan[]): void {
    for (const span of spans) {
      const text = JSON.stringify(span);
      this.#waiting.push(text);
      this.#length += text.length;
      while (this.size > this.#most || (this.#length > mostText && this.size > 1)) {
        this.#shift();
        this.#dropped += 1;
      }
    }
  }

  /** The oldest, for one post; a single span whatever its length. They wait until they are `done`. */
  next(): readonly string[] {
    let length = 0;
    const batch: string[] = [];
    for (let at = this.#from; at < this.#waiting.length && batch.length < batchSpans; at += 1) {
      const text = this.#waiting[at] ?? "";
      length += text.length;
      if (batch.length > 0 && length > batchText) break;
      batch.push(text);
    }
    return batch;
  }

  /** Those of the batch that have not been dropped meanwhile wait no more. */
  done(batch: readonly string[]): void {
    for (const text of batch) if (this.#waiting[this.#from] === text) this.#shift();
  }

  #shift(): void {
    this.#length -= this.#waiting[this.#from]?.length ?? 0;
    this.#from += 1;
    if (this.#from * 2 <= this.#waiting.length) return;
    this.#waiting.splice(0, this.#from);
    this.#from = 0;
  }
}
