import { failure } from "#domain/failure";
import { LossCollector } from "./loss-collector.ts";

/** A row of a language's written table of what it loses. */
export interface Loss {
  readonly treatment: "refused" | "dropped" | "mapped";
  /** For the caller; a detail may follow in parentheses. */
  readonly words: string;
}

export function refused(words: string): Loss {
  return { treatment: "refused", words };
}

export function dropped(words: string): Loss {
  return { treatment: "dropped", words };
}

export function mapped(words: string): Loss {
  return { treatment: "mapped", words };
}

/** A row as its caller reads it. The name comes first, so that programs can tell warnings apart. */
export function lossWarning(name: string, loss: Loss, detail: string | undefined): string {
  return `${name}: ${said(loss, detail)}`;
}

/** What one request loses, by the rows of its language's table. The first refusal decides; each warning is said once. */
export class TableLedger<Name extends string> extends LossCollector {
  readonly #table: Readonly<Record<Name, Loss>>;

  constructor(table: Readonly<Record<Name, Loss>>) {
    super();
    this.#table = table;
  }

  /** `detail` names the occurrence in words; `param` is the request's field, where one is. */
  note(name: Name, detail?: string, param?: string): void {
    const loss = this.#table[name];
    if (loss.treatment !== "refused") {
      this.warn(lossWarning(name, loss, detail));
      return;
    }
    const why = `The request cannot be sent to this model: ${said(loss, detail)}.`;
    this.refuse(failure("not_translatable", why, param === undefined ? {} : { param }));
  }
}

function said({ words }: Loss, detail: string | undefined): string {
  return detail === undefined ? words : `${words} (${detail})`;
}
