import { familyOf, mergeSamples, type MetricsSample } from "./metrics.ts";

/**
 * What the workers have counted, those that have ended among them: their counters stay in the sum at what was heard last,
 * so that none falls when a worker is started again. Workers are known by their journals.
 */
export class FleetCounts {
  #ended: MetricsSample = [];
  readonly #heard = new Map<string, MetricsSample>();

  heard(journal: string, sample: MetricsSample): void {
    this.#heard.set(journal, sample);
  }

  /** What was heard of it last. */
  of(journal: string): MetricsSample {
    return this.#heard.get(journal) ?? [];
  }

  /** It counts no more. */
  end(journal: string): void {
    const counters = this.of(journal).filter(({ name }) => familyOf(name).type !== "gauge");
    this.#heard.delete(journal);
    if (counters.length > 0) this.#ended = mergeSamples([this.#ended, counters]);
  }

  /** Of those that have ended. */
  get ended(): MetricsSample {
    return this.#ended;
  }

  /** Of all, as heard last. */
  get sum(): MetricsSample {
    return mergeSamples([this.#ended, ...this.#heard.values()]);
  }
}
