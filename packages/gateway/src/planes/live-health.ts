import type { HealthHint, HealthRow, UsualSuccess } from "#domain/health";
import { Health } from "#policy/health";
import type { HealthNews } from "./messages.ts";

/** What this process knows of providers under its present configuration, and what it hears of others. */
export class LiveHealth {
  readonly #nowMs: () => number;
  #health = new Health();
  #version: string;

  constructor(nowMs: () => number, version: string) {
    this.#nowMs = nowMs;
    this.#version = version;
  }

  get current(): Health {
    return this.#health;
  }

  /** `forget`: keys or addresses have changed, which may cure what was parked as dead. */
  underConfiguration(version: string, { forget }: { readonly forget: boolean }): void {
    this.#version = version;
    if (forget) this.#health = new Health();
  }

  rows(): readonly HealthRow[] {
    return this.#health.rows(this.#nowMs());
  }

  /** What was found out since the last time, for the other workers. */
  takeNews(): Pick<HealthNews, "version" | "hints"> {
    return { version: this.#version, hints: this.#health.takeHints(this.#nowMs()) };
  }

  /** How calls usually ended before this process was. */
  learn(usual: readonly UsualSuccess[]): void {
    for (const { provider, model, ...tally } of usual)
      this.#health.recentAt({ provider, model }).learn(tally, this.#nowMs());
  }

  /** What another worker found out; under another configuration it may have had other keys. */
  hear(hints: readonly HealthHint[], version: string): void {
    if (version === this.#version) this.#health.hear(hints, this.#nowMs());
  }
}
