import type { Meter, Return } from "#domain/account";
import type { Told } from "./shared-server.ts";

interface Untold {
  readonly meter: Meter;
  /** Units by the second of the wall clock in which they were taken. */
  readonly bySecond: Map<number, number>;
}

/** What is older is no part of any minute that is still looked at, s. */
const windowSeconds = 62;
/** Meters that are kept; of what comes on top the server is not told. */
const mostMeters = 20_000;

/** What a node used of rates while nobody counted for all nodes: told to the server when it is back. */
export class UntoldRates {
  readonly #byMeter = new Map<string, Untold>();

  add(meter: Meter, units: number, nowS: number): void {
    if (units <= 0) return;
    let untold = this.#byMeter.get(meter.id);
    if (untold === undefined) {
      if (this.#byMeter.size >= mostMeters) this.#forgetOld(nowS);
      if (this.#byMeter.size >= mostMeters) return;
      this.#byMeter.set(meter.id, (untold = { meter, bySecond: new Map() }));
    }
    untold.bySecond.set(nowS, (untold.bySecond.get(nowS) ?? 0) + units);
    if (untold.bySecond.size > windowSeconds) forgetBefore(untold, nowS - windowSeconds);
  }

  /** The newest first, as it was the latest to be lent; a correction in its own second and those just before. */
  take({ meter, back, spent, atS }: Return, nowS: number): void {
    if (back > 0) this.#less(meter, back, nowS);
    if (spent > 0) this.add(meter, spent, nowS);
    if (spent < 0) this.#less(meter, -spent, atS ?? nowS);
  }

  /** All of it that still counts, and none of it any more. */
  drain(nowS: number): readonly Told[] {
    const told = [...this.#byMeter.values()].flatMap(({ meter, bySecond }) =>
      [...bySecond].flatMap(([atS, units]) =>
        units > 0 && atS > nowS - windowSeconds ? [{ meter, back: 0, spent: units, atS, used: true as const }] : [],
      ),
    );
    this.#byMeter.clear();
    return told;
  }

  #less(meter: Meter, units: number, fromS: number): void {
    const bySecond = this.#byMeter.get(meter.id)?.bySecond;
    let left = units;
    for (const second of [...(bySecond?.keys() ?? [])].toSorted((a, b) => b - a)) {
      if (left <= 0 || second > fromS) continue;
      const there = Math.min(left, bySecond?.get(second) ?? 0);
      bySecond?.set(second, (bySecond.get(second) ?? 0) - there);
      left -= there;
    }
  }

  #forgetOld(nowS: number): void {
    for (const [id, untold] of this.#byMeter) {
      forgetBefore(untold, nowS - windowSeconds);
      if (untold.bySecond.size === 0) this.#byMeter.delete(id);
    }
  }
}

function forgetBefore({ bySecond }: Untold, second: number): void {
  for (const each of bySecond.keys()) if (each <= second) bySecond.delete(each);
}
