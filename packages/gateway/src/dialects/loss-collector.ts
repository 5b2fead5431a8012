import type { Failure } from "#domain/failure";

/** What one translation loses: each warning once, however often it occurs, and the first refusal, which decides. */
export class LossCollector {
  readonly #warnings = new Set<string>();
  #refusal: Failure | undefined;

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  get refusal(): Failure | undefined {
    return this.#refusal;
  }

  protected warn(text: string): void {
    this.#warnings.add(text);
  }

  protected refuse(why: Failure): void {
    this.#refusal ??= why;
  }
}
