import { Broken } from "./invariant.ts";

interface Second {
  calls: number;
  retries: number;
}

const windowS = 10;
const ratio = 0.2;
const perSecond = 10;

/** Counts further attempts beside the gateway's own budget: one for each route of each node. */
export class RetryWatch {
  readonly #seconds = new Map<string, Map<number, Second>>();

  /** A node begins anew. */
  forget(node: number): void {
    for (const budget of this.#seconds.keys()) if (budget.startsWith(`n${node} `)) this.#seconds.delete(budget);
  }

  /** `chargedAtMs`: when the attempt was decided on; it may be sent later than that. */
  sent(budget: string, isRetry: boolean, chargedAtMs: number): void {
    const now = Math.floor(chargedAtMs / 1000);
    let seconds = this.#seconds.get(budget);
    if (seconds === undefined) this.#seconds.set(budget, (seconds = new Map()));
    const second = seconds.get(now) ?? { calls: 0, retries: 0 };
    seconds.set(now, second);
    if (isRetry) second.retries += 1;
    else {
      second.calls += 1;
      return;
    }
    let calls = 0;
    let retries = 0;
    for (let at = now - windowS + 1; at <= now; at += 1) {
      calls += seconds.get(at)?.calls ?? 0;
      retries += seconds.get(at)?.retries ?? 0;
    }
    const most = ratio * calls + perSecond * windowS;
    if (retries <= most) return;
    throw new Broken("I10", `${budget}: ${retries} retries in ten seconds, for ${calls} calls; at most ${most}`);
  }
}
