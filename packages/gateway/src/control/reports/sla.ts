import type { ServicePromise, Snapshot } from "#domain/snapshot";
import { eachAttempt, oldestCallMs } from "#control/store/read-attempts";
import type { StoredAttempt, TimeWindow } from "#control/store/read-attempts";
import type { Store } from "#control/store/sqlite";
import { errorClassOf, type ErrorClass } from "./error-class.ts";
import { ascending, percentile } from "./percentile.ts";

/** Contracts count in intervals of five minutes (AWS' service level agreements among them). */
export const bucketMs = 300_000;

export interface SlaReport {
  /** ISO 8601; begins at the oldest kept call where less is kept than was asked for. */
  readonly from: string;
  readonly until: string;
  /** Five-minute intervals of the window, those without a call included. */
  readonly intervals: number;
  readonly rows: readonly SlaRow[];
  readonly promises: readonly PromiseKept[];
  readonly buckets: readonly SlaBucket[];
}

export interface ServiceCounts extends Readonly<Record<ErrorClass, number>> {
  readonly requests: number;
  readonly answered: number;
}

export interface SlaRow extends ServiceCounts {
  readonly provider: string;
  readonly model: string;
  /** Of the requests that were not the client's fault, those without a fault or timeout; absent: there were none. */
  readonly availability?: number;
  /** Mean over the intervals; one without such a request counts as available. */
  readonly uptime: number;
  /** From when the attempt began. */
  readonly firstContentP50Ms?: number;
  readonly firstContentP95Ms?: number;
}

/** A provider's promise beside what was measured over all its models. */
export interface PromiseKept {
  readonly provider: string;
  readonly promised: number;
  readonly counts: ServicePromise["counts"];
  readonly uptime: number;
  readonly kept: boolean;
  /** Share of the bill that is due, and of what. */
  readonly credit: number;
  readonly spentNanoUsd: number;
  /** Answered requests of unknown cost: no part of `spentNanoUsd`. */
  readonly unpriced: number;
  readonly creditNanoUsd: number;
}

/** One interval of a provider's model, with at least one request. */
export interface SlaBucket extends ServiceCounts {
  readonly provider: string;
  readonly model: string;
  /** ISO 8601, its beginning. */
  readonly at: string;
}

type Counts = { -readonly [K in keyof ServiceCounts]: number };

interface Service {
  readonly provider: string;
  readonly model: string;
  readonly buckets: Map<number, Counts>;
  readonly firstContentMs: number[];
  spentNanoUsd: number;
  unpriced: number;
}

export function slaReport(store: Store, asked: TimeWindow, { providers }: Pick<Snapshot, "providers">): SlaReport {
  const window = { ...asked, fromMs: Math.max(asked.fromMs, oldestCallMs(store) ?? asked.fromMs) };
  const services = new Map<string, Service>();
  eachAttempt(store, window, (attempt) => count(services, attempt));
  const first = Math.floor(window.fromMs / bucketMs);
  const intervals = Math.max(0, Math.ceil(window.untilMs / bucketMs) - first);
  const all = [...services.values()].toSorted(
    (a, b) => a.provider.localeCompare(b.provider) || a.model.localeCompare(b.model),
  );
  return {
    from: new Date(window.fromMs).toISOString(),
    until: new Date(window.untilMs).toISOString(),
    intervals,
    rows: all.map((service) => rowOf(service, intervals)),
    promises: [...providers.values()].flatMap(({ id, sla }) => {
      const own = all.filter(({ provider }) => provider === id);
      return sla === undefined ? [] : [promiseOf(id, sla, { own, intervals })];
    }),
    buckets: all.flatMap(bucketsOf),
  };
}

/** An attempt belongs to the interval in which its call was accepted. */
function count(services: Map<string, Service>, attempt: StoredAttempt): void {
  const { provider, model } = attempt;
  const key = JSON.stringify([provider, model]);
  let service = services.get(key);
  if (service === undefined) {
    service = { provider, model, buckets: new Map(), firstContentMs: [], spentNanoUsd: 0, unpriced: 0 };
    services.set(key, service);
  }
  const at = Math.floor(attempt.atMs / bucketMs);
  const counts = service.buckets.get(at) ?? nothing();
  service.buckets.set(at, counts);
  counts.requests += 1;
  counts[errorClassOf(attempt) ?? "answered"] += 1;
  service.spentNanoUsd += attempt.costNanoUsd ?? 0;
  if (errorClassOf(attempt) !== undefined) return;
  if (attempt.costNanoUsd === undefined) service.unpriced += 1;
  if (attempt.firstContentMs !== undefined) service.firstContentMs.push(attempt.firstContentMs);
}

function nothing(): Counts {
  return { requests: 0, answered: 0, capacity: 0, fault: 0, timeout: 0, client: 0 };
}

function added(all: Iterable<Counts>): Counts {
  const sum = nothing();
  for (const each of all) for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += each[key];
  return sum;
}

const usualDowntime: ServicePromise["counts"] = ["fault", "timeout"];

function rowOf({ provider, model, buckets, firstContentMs }: Service, intervals: number): SlaRow {
  const counts = added(buckets.values());
  const availability = availabilityOf(counts, usualDowntime);
  const sorted = ascending(firstContentMs);
  const [p50, p95] = [percentile(sorted, 0.5), percentile(sorted, 0.95)];
  return {
    provider,
    model,
    ...counts,
    ...(availability === undefined ? {} : { availability }),
    uptime: uptimeOf([buckets], intervals, usualDowntime),
    ...(p50 === undefined ? {} : { firstContentP50Ms: p50 }),
    ...(p95 === undefined ? {} : { firstContentP95Ms: p95 }),
  };
}

/** Undefined where there was no request that could say anything of the provider. */
function availabilityOf(counts: Counts, downtime: ServicePromise["counts"]): number | undefined {
  const valid = counts.requests - counts.client;
  const bad = downtime.reduce((sum, each) => sum + counts[each], 0);
  return valid === 0 ? undefined : 1 - bad / valid;
}

/** The mean of the intervals' availabilities; an interval without a request counts as available. */
function uptimeOf(
  services: readonly ReadonlyMap<number, Counts>[],
  intervals: number,
  downtime: ServicePromise["counts"],
): number {
  if (intervals === 0) return 1;
  const together = Map.groupBy(
    services.flatMap((buckets) => [...buckets]),
    ([at]) => at,
  );
  let lost = 0;
  for (const same of together.values()) {
    lost += 1 - (availabilityOf(added(same.map(([, counts]) => counts)), downtime) ?? 1);
  }
  return 1 - lost / intervals;
}

function promiseOf(
  provider: string,
  { availability: promised, counts, credits }: ServicePromise,
  { own, intervals }: { readonly own: readonly Service[]; readonly intervals: number },
): PromiseKept {
  const uptime = uptimeOf(
    own.map(({ buckets }) => buckets),
    intervals,
    counts,
  );
  const credit = Math.max(0, ...credits.filter(({ below }) => uptime < below).map((step) => step.credit));
  const spentNanoUsd = own.reduce((sum, service) => sum + service.spentNanoUsd, 0);
  return {
    provider,
    promised,
    counts,
    uptime,
    kept: uptime >= promised,
    credit,
    spentNanoUsd,
    unpriced: own.reduce((sum, service) => sum + service.unpriced, 0),
    creditNanoUsd: Math.floor(spentNanoUsd * credit),
  };
}

function bucketsOf({ provider, model, buckets }: Service): readonly SlaBucket[] {
  const inOrder = [...buckets].toSorted(([a], [b]) => a - b);
  return inOrder.map(([at, counts]) =>
    Object.assign({ provider, model, at: new Date(at * bucketMs).toISOString() }, counts),
  );
}
