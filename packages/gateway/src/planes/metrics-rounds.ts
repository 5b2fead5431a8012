interface Round<Worker, Report, Asker> {
  readonly asker: Asker;
  readonly askersId: number;
  readonly missing: Set<Worker>;
  readonly reports: Report[];
  readonly timer: NodeJS.Timeout;
}

export interface RoundsOptions<Worker, Report, Asker = Worker> {
  readonly ask: (worker: Worker, id: number) => void;
  readonly answer: (asker: Asker, id: number, reports: readonly Report[]) => void;
}

/** Less than what the asking worker waits, so that a worker that hangs costs its own numbers and nobody else's. */
const roundMs = 120;

/** Collects every worker's numbers for the one that was asked for them. */
export class MetricsRounds<Worker, Report, Asker = Worker> {
  readonly #options: RoundsOptions<Worker, Report, Asker>;
  readonly #rounds = new Map<number, Round<Worker, Report, Asker>>();
  #nextId = 1;

  constructor(options: RoundsOptions<Worker, Report, Asker>) {
    this.#options = options;
  }

  begin(asker: Asker, askersId: number, others: readonly Worker[]): void {
    const id = this.#nextId;
    this.#nextId += 1;
    const timer = setTimeout(() => this.#end(id), roundMs);
    this.#rounds.set(id, { asker, askersId, missing: new Set(others), reports: [], timer });
    for (const worker of others) this.#options.ask(worker, id);
    this.#endIfWhole(id);
  }

  take(worker: Worker, id: number, report: Report): void {
    const round = this.#rounds.get(id);
    if (round === undefined || !round.missing.delete(worker)) return;
    round.reports.push(report);
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
    this.#options.answer(round.asker, round.askersId, round.reports);
  }
}
