import type { Charge, Meter } from "#domain/account";

/** What was really promised and spent, as somebody sees it who sees everything; what must hold of it at every moment. */
export class Bounds {
  readonly problems: string[] = [];
  readonly #budgets = new Map<string, { spent: number; promised: number; beyond: number }>();
  readonly #slots = new Map<string, number>();
  readonly #requests = new Map<string, number[]>();

  /** An attempt is sent, with so much held back for it. */
  sent(charges: readonly Charge[]): void {
    for (const { meter, amount } of charges) {
      if (meter.unit !== "money") continue;
      this.#of(meter).promised += amount;
      this.#look(meter);
    }
  }

  /** It has cost so much; beyond what was held back a budget may be passed, by that. */
  ended(charges: readonly Charge[], used: readonly number[]): void {
    for (const [index, { meter, amount }] of charges.entries()) {
      if (meter.unit !== "money") continue;
      const budget = this.#of(meter);
      const cost = used[index] ?? amount;
      budget.promised -= amount;
      budget.spent += cost;
      budget.beyond += Math.max(0, cost - amount);
      this.#look(meter);
    }
  }

  /** A supervisor died: what its workers have is theirs to spend, and whoever comes next does not know of it. */
  adrift(meter: Meter, nano: number): void {
    this.#of(meter).beyond += nano;
  }

  /** `where`: all that is counted together, `node-1 supervisor-2`. */
  let(where: string, charges: readonly Charge[], nowMs: number): void {
    for (const { meter, amount } of charges) {
      const name = `${where} ${meter.id}`;
      if (meter.unit === "slots") {
        const now = (this.#slots.get(name) ?? 0) + amount;
        this.#slots.set(name, now);
        if (now > meter.limit) this.problems.push(`${now} calls at once for ${name}, of ${meter.limit}`);
      }
      if (meter.unit !== "requests") continue;
      const times = this.#requests.get(name) ?? [];
      times.push(nowMs);
      this.#requests.set(name, times);
      const inMinute = times.filter((atMs) => atMs > nowMs - 60_000).length;
      if (inMinute > meter.limit) this.problems.push(`${inMinute} requests in a minute for ${name}, of ${meter.limit}`);
    }
  }

  over(where: string, charges: readonly Charge[]): void {
    for (const { meter, amount } of charges) {
      if (meter.unit !== "slots") continue;
      const name = `${where} ${meter.id}`;
      this.#slots.set(name, (this.#slots.get(name) ?? 0) - amount);
    }
  }

  #look(meter: Meter): void {
    const { spent, promised, beyond } = this.#of(meter);
    if (spent + promised <= meter.limit + beyond) return;
    this.problems.push(`${spent} spent and ${promised} promised of ${meter.limit} of ${meter.id}, ${beyond} excused`);
  }

  #of(meter: Meter) {
    let budget = this.#budgets.get(meter.id);
    if (budget === undefined) this.#budgets.set(meter.id, (budget = { spent: 0, promised: 0, beyond: 0 }));
    return budget;
  }
}
