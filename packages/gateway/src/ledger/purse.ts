import type { Accounts, Charge, Lender, Lent, Meter, Return, Taken, Want } from "#domain/account";
import type { Clock } from "#domain/ports";
import { Pocket } from "./pocket.ts";

interface Waiter {
  readonly charges: readonly Charge[];
  readonly tell: (taken: Taken) => void;
}

/** What there was of a charge while more is asked for. */
interface Held extends Charge {
  readonly pocket: Pocket;
  readonly had: number;
}

/** Calls that want of the same meters: one asks for all of them, and the others wait for its answer. */
interface Line {
  readonly name: string;
  readonly waiters: Waiter[];
  asking: boolean;
}

const sweepMs = 100;

/**
 * What one process has been lent of meters, and takes its calls' charges from: at once where there is enough, after asking
 * the lender where there is not. What it does not use goes back within a few tenths of a second.
 */
export class Purse implements Accounts {
  readonly #lender: Lender;
  readonly #clock: Clock;
  /** By meter, and by the meters that are wanted. No `Map`s: see {@link RecentlyUsed} for what those cost that every call comes to. */
  readonly #pockets: Record<string, Pocket> = Object.create(null) as Record<string, Pocket>;
  readonly #lines: Record<string, Line> = Object.create(null) as Record<string, Line>;
  #cancelSweep: (() => void) | undefined;

  constructor({ lender, clock }: { readonly lender: Lender; readonly clock: Clock }) {
    this.#lender = lender;
    this.#clock = clock;
  }

  /** All charges or none. The meters are different ones, in an order that is the same for calls of the same accounts. */
  take(charges: readonly Charge[]): Taken | Promise<Taken> {
    this.#sweepLater();
    return (
      this.#takeNow(charges) ??
      new Promise((resolve) => {
        const line = this.#lineOf(charges);
        line.waiters.push({ charges, tell: resolve });
        if (!line.asking) void this.#serve(line);
      })
    );
  }

  /** What the charges really came to, in their order: once for what was taken. Of slots and requests nothing is asked. */
  settle(charges: readonly Charge[], atS: number, used: readonly number[]): void {
    this.#sweepLater();
    for (const [index, { meter, amount }] of charges.entries()) {
      this.#pocketOf(meter).settle(amount, used[index] ?? amount, atS);
    }
  }

  left(meter: Meter): number | undefined {
    return this.#pockets[meter.id]?.left;
  }

  /** What is here for whoever comes next, of the meter's unit. */
  free(meter: Meter): number {
    return this.#pockets[meter.id]?.free(this.#clock.nowMs()) ?? 0;
  }

  /** Others are in need: what of these is not in use goes back at once. */
  recall(meters: readonly string[]): void {
    const returns: Return[] = [];
    for (const id of meters) this.#pockets[id]?.report(0, this.#clock.nowMs(), returns);
    if (returns.length > 0) this.#lender.giveBack(returns);
  }

  /** Everything that is not in use goes back, and everything is reported: the last word. */
  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    this.recall(Object.keys(this.#pockets));
  }

  #takeNow(charges: readonly Charge[]): Taken | undefined {
    const nowMs = this.#clock.nowMs();
    let enough = true;
    for (const { meter, amount } of charges) {
      const pocket = this.#pocketOf(meter);
      if (pocket.has(amount, nowMs)) continue;
      enough = false;
      const denied = pocket.stillDenied(amount, nowMs);
      if (denied !== undefined) return denied;
    }
    if (!enough) return undefined;
    for (const { meter, amount } of charges) this.#pocketOf(meter).take(amount, nowMs);
    return { kind: "taken", atS: this.#second() };
  }

  /** Asks for the first in line, and serves whom its answer serves, until nobody waits. */
  async #serve(line: Line): Promise<void> {
    line.asking = true;
    try {
      for (let head = line.waiters.shift(); head !== undefined; head = line.waiters.shift()) {
        const now = this.#takeNow(head.charges);
        head.tell(now ?? (await this.#ask(head.charges, line.waiters)));
      }
    } finally {
      delete this.#lines[line.name];
    }
  }

  /** What is here and too little is kept at hand while more is asked for; where that is denied, it goes back, and once more. */
  async #ask(charges: readonly Charge[], behind: readonly Waiter[]): Promise<Taken> {
    const nowMs = this.#clock.nowMs();
    const held = charges.map(({ meter, amount }) => {
      const pocket = this.#pocketOf(meter);
      return { pocket, meter, amount, had: pocket.hold(amount, nowMs) };
    });
    const taken = await this.#borrow(held, behind);
    if (taken.kind === "taken" || held.every(({ had }) => had <= 0)) return taken;
    // Others may do the same at this moment, each with a part of what one of them needs.
    this.recall(held.map(({ meter }) => meter.id));
    return this.#borrow(
      held.map(({ pocket, meter, amount }) => ({ pocket, meter, amount, had: 0 })),
      behind,
    );
  }

  async #borrow(held: readonly Held[], behind: readonly Waiter[]): Promise<Taken> {
    const nowMs = this.#clock.nowMs();
    const wants: Want[] = [];
    const asked: { readonly pocket: Pocket; readonly need: number }[] = [];
    for (const [index, { pocket, meter, amount, had }] of held.entries()) {
      const need = amount - had;
      if (need <= 0) continue;
      const waiting = behind.reduce((sum, { charges }) => sum + (charges[index]?.amount ?? 0), 0);
      wants.push({ meter, need, like: waiting + pocket.like(nowMs) });
      asked.push({ pocket, need });
    }
    for (const { pocket } of held) pocket.asking += 1;
    let lent: Lent;
    try {
      lent = wants.length === 0 ? { kind: "lent", amounts: [] } : await this.#lender.borrow(wants);
    } finally {
      for (const { pocket } of held) pocket.asking -= 1;
    }
    const thenMs = this.#clock.nowMs();
    if (lent.kind === "lent") {
      for (const [index, { pocket, need }] of asked.entries()) {
        pocket.add((lent.amounts[index] ?? need) - need, nowMs);
        pocket.leftAtLender = lent.left?.[index];
      }
      for (const { pocket, amount } of held) pocket.used(amount, thenMs);
      return { kind: "taken", atS: this.#second() };
    }
    for (const { pocket, had } of held) pocket.release(had);
    if (lent.kind === "denied") this.#pocketOf(lent.meter).denied(lent, thenMs);
    return lent;
  }

  #lineOf(charges: readonly Charge[]): Line {
    const name = charges.map(({ meter }) => meter.id).join("\n");
    return (this.#lines[name] ??= { name, waiters: [], asking: false });
  }

  #pocketOf(meter: Meter): Pocket {
    const pocket = (this.#pockets[meter.id] ??= new Pocket(meter));
    pocket.meter = meter;
    return pocket;
  }

  #sweepLater(): void {
    if (this.#cancelSweep === undefined) this.#cancelSweep = this.#clock.timer(sweepMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const nowMs = this.#clock.nowMs();
    const returns: Return[] = [];
    let isEmpty = true;
    for (const pocket of Object.values(this.#pockets)) {
      pocket.report(pocket.like(nowMs), nowMs, returns);
      if (pocket.isEmpty(nowMs)) delete this.#pockets[pocket.meter.id];
      else isEmpty = false;
    }
    if (returns.length > 0) this.#lender.giveBack(returns);
    if (!isEmpty) this.#sweepLater();
  }

  #second(): number {
    return Math.floor(this.#clock.wallMs() / 1000);
  }
}
