import { createHash } from "node:crypto";
import type { EventLoop } from "./event-loop.ts";

/** Everything that happened in a world, one line each: two runs of one seed must agree on every byte. */
export class History {
  readonly #loop: EventLoop;
  readonly #lines: string[] = [];

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  note(what: string): void {
    this.#lines.push(`${(this.#loop.nowMs() / 1000).toFixed(6)} ${what}`);
  }

  get length(): number {
    return this.#lines.length;
  }

  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  get sha256(): string {
    return createHash("sha256").update(this.text).digest("hex");
  }

  last(count: number): string {
    return this.#lines.slice(-count).join("\n");
  }
}
