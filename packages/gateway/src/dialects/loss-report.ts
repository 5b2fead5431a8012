import { failure } from "#domain/failure";
import { LossCollector } from "./loss-collector.ts";

/**
 * A row of the chat languages' tables. `mapped`: said in other words. `dropped`: left out, with a warning. `refused`: the
 * target cannot be used for it.
 */
export interface LossRow {
  readonly treatment: "mapped" | "dropped" | "refused";
  readonly why: string;
}

/** Collects what one translation loses, by the rows of its language. */
export class RowReport<Name extends string> extends LossCollector {
  readonly #rows: Readonly<Record<Name, LossRow>>;

  constructor(rows: Readonly<Record<Name, LossRow>>) {
    super();
    this.#rows = rows;
  }

  /** `what` names the occurrence in words; `param` is the request's field, where one is. */
  meet(loss: Name, what?: string, param?: string): void {
    const row = this.#rows[loss];
    const text = `${loss}: ${row.why}${what === undefined ? "" : ` (${what})`}`;
    if (row.treatment !== "refused") this.warn(text);
    else this.refuse(failure("not_translatable", text, param === undefined ? {} : { param }));
  }
}
