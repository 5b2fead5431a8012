import type { MetricsSample } from "./metrics.ts";

interface Round<Worker> {
  readonly asker: Worker;
  readonly askersId: number;
  readonly missing: Set<Worker>;
  readonly samples: MetricsSample[];
  readonly timer: NodeJS.Timeout;
}

export interface RoundsOptions<Worker> {
  readonly ask: (worker: Worker, id: number) => void;
  readonly answer: (asker: Worker, id: number, samples: readonly MetricsSample[]) => void;
}

/** Less than what the asking worker waits, so that a worker that hangs costs its own numbers and nobody else's. */
const roundMs = 120;

/** Collects every worker's counts for the one that was asked for `/metrics`. */
export class MetricsRounds<Worker> {
  readonly #options: RoundsOptions<Worker>;
  readonly #rounds = new Map<number, Round<Worker>>();
  #nextId = 1;

  constructor(options: RoundsOptions<Worker>) {
    this.#options = options;
  }

  begin(asker: Worker, askersId: number, others: readonly Worker[]): void {
    const id = this.#nextId;
    this.#nextId += 1;
    const timer = setTimeout(() => this.#end(id), roundMs);
    this.#rounds.set(id, { asker, askersId, missing: new Set(others), samples: [], timer });
    for (const worker of others) this.#options.ask(worker, id);
    this.#endIfWhole(id);
  }

  take(worker: Worker, id: number, sample: MetricsSample): void {
    const round = this.#rounds.get(id);
    if (round === undefined || !round.missing.delete(worker)) return;
    round.samples.push(sample);
    this.#endIfWhole(id);
  }

  /** The worker is gone. */
  forget(worker: Worker): void {
    for (const [id, round] of this.#rounds) {
      if (round.missing.delete(worker)) this.#endIfWhole(id);
    }
  }

  #endIfWhole(id: number): void {
    if (this.#rounds.get(id)?.missing.size === 0) this.#end(id);
  }

  #end(id: number): void {
    const round = this.#rounds.get(id);
    if (round === undefined) return;
    clearTimeout(round.timer);
    this.#rounds.delete(id);
    this.#options.answer(round.asker, round.askersId, round.samples);
  }
}
