import type { Meter } from "#domain/account";

interface Row {
  readonly meter: Meter;
  /** What questions that are under way may still bring, at the most. */
  pending: number;
  touchedMs: number;
}

/** A question under way. */
export interface Pending {
  readonly row: Row;
  readonly units: number;
  /** Signs of life that were sent since: they counted these units as held. */
  readonly sinceBeat: number;
}

/** Where nothing is held any more, the server is told so for this long: what was sent before may still be heard late. */
const toldForMs = 10_000;

/** Whose slots the server may have counted for this node: with every sign of life it is told what is really held. */
export class SlotRegister {
  readonly #rows = new Map<string, Row>();
  #beats = 0;

  touch(meter: Meter, nowMs: number): void {
    this.#rowOf(meter, nowMs);
  }

  ask(meter: Meter, units: number, nowMs: number): Pending {
    const row = this.#rowOf(meter, nowMs);
    row.pending += units;
    return { row, units, sinceBeat: this.#beats };
  }

  /** How many the server counts too many, where the question brought so few and a sign of life was sent meanwhile. */
  answered({ row, units, sinceBeat }: Pending, got: number): number {
    row.pending -= units;
    return sinceBeat === this.#beats ? 0 : units - got;
  }

  /** What to tell: all that may be counted there, by what is held here and may still come. */
  beat(held: (meter: Meter) => number, nowMs: number): readonly { readonly meter: Meter; readonly units: number }[] {
    this.#beats += 1;
    const told: { readonly meter: Meter; readonly units: number }[] = [];
    for (const [id, { meter, pending, touchedMs }] of this.#rows) {
      const units = Math.max(0, held(meter)) + pending;
      if (units === 0 && nowMs - touchedMs > toldForMs) this.#rows.delete(id);
      else told.push({ meter, units });
    }
    return told;
  }

  #rowOf(meter: Meter, nowMs: number): Row {
    let row = this.#rows.get(meter.id);
    if (row === undefined) this.#rows.set(meter.id, (row = { meter, pending: 0, touchedMs: nowMs }));
    row.touchedMs = nowMs;
    return row;
  }
}
