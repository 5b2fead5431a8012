import { countOutbox, isOutboxOpen } from "#control/store/outbox";
import type { Store } from "#control/store/sqlite";
import type { SampledFamily } from "./metrics.ts";

/** Records on their way to a collector as families of metrics; none where nobody collects, or the store cannot tell. */
export function forwardingFamilies(store: Store): readonly SampledFamily[] {
  try {
    if (!isOutboxOpen(store)) return [];
    const { waiting, refused, dropped } = countOutbox(store);
    return [
      { name: "hedgerow_forwarding_waiting_records", series: [{ labels: [], values: [waiting] }] },
      { name: "hedgerow_forwarding_refused_records", series: [{ labels: [], values: [refused] }] },
      { name: "hedgerow_forwarding_dropped_total", series: [{ labels: [], values: [dropped] }] },
    ];
  } catch {
    // A store in trouble is complained of by whoever writes to it; the other figures are shown all the same.
    return [];
  }
}
