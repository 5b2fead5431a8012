import type { ServicePromise, Snapshot } from "#domain/snapshot";
import type { ErrorClass } from "#control/store/error-class";
import type { TimeWindow } from "#control/store/read-attempts";
import { firstContentCounts, type FirstContentCount } from "#control/store/read-traffic";
import {
  bucketMs,
  lostIntervals,
  oldestBucketMs,
  serviceBuckets,
  serviceTotals,
  type ServiceBucket,
  type ServiceTotals,
} from "#control/store/service-buckets";
import type { LedgerReader } from "#control/store/sql";

export interface SlaReport {
  /** ISO 8601; begins at the oldest kept call where less is kept than was asked for. */
  readonly from: string;
  readonly until: string;
  /** Five-minute intervals of the window, those without a call included. */
  readonly intervals: number;
  readonly rows: readonly SlaRow[];
  readonly promises: readonly PromiseKept[];
  /** Those that were asked for, by provider, model and time. */
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
  /** From when the attempt began, over the whole hours that the window touches; within 1.3 %. */
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

interface Wish extends TimeWindow {
  /** Which intervals are told of by themselves: `all`, of which there may be hundreds of thousands, or so many of the newest with errors. */
  readonly buckets: "all" | { readonly troubled: number };
}

/** The window grows to whole intervals. */
export async function slaReport(
  reader: LedgerReader,
  asked: Wish,
  { providers }: Pick<Snapshot, "providers">,
): Promise<SlaReport> {
  const window = { ...asked, fromMs: Math.max(asked.fromMs, (await oldestBucketMs(reader)) ?? asked.fromMs) };
  const totals = await serviceTotals(reader, window);
  const firsts = await firstContentCounts(reader, window);
  const intervals = Math.max(0, Math.ceil(window.untilMs / bucketMs) - Math.floor(window.fromMs / bucketMs));
  const promises: PromiseKept[] = [];
  for (const { id, sla } of providers.values()) {
    if (sla === undefined) continue;
    const own = totals.filter(({ provider }) => provider === id);
    const lost = await lostIntervals(reader, window, { provider: id, downtime: sla.counts });
    promises.push(promiseOf(id, sla, { own, uptime: uptimeOf(lost, intervals) }));
  }
  return {
    from: new Date(window.fromMs).toISOString(),
    until: new Date(window.untilMs).toISOString(),
    intervals,
    rows: totals.map((service) => rowOf(service, intervals, firsts)),
    promises,
    buckets: (await serviceBuckets(reader, window, asked.buckets)).map(bucketOf),
  };
}

/** Nearest rank: the least time that a share `p` of all answers did not exceed. Undefined where there are none. */
function countedPercentile(counted: readonly FirstContentCount[], p: number): number | undefined {
  const rank = Math.max(1, Math.ceil(p * counted.reduce((sum, { answers }) => sum + answers, 0)));
  let seen = 0;
  return counted.find(({ answers }) => (seen += answers) >= rank)?.ms;
}

function countsOf({ answered, capacity, fault, timeout, client }: ServiceBucket | ServiceTotals): ServiceCounts {
  return { requests: answered + capacity + fault + timeout + client, answered, capacity, fault, timeout, client };
}

const usualDowntime: ServicePromise["counts"] = ["fault", "timeout"];

function rowOf(
  service: ServiceTotals,
  intervals: number,
  firsts: ReadonlyMap<string, readonly FirstContentCount[]>,
): SlaRow {
  const { provider, model } = service;
  const counts = countsOf(service);
  const availability = availabilityOf(counts, usualDowntime);
  const counted = firsts.get(JSON.stringify([provider, model])) ?? [];
  const [p50, p95] = [countedPercentile(counted, 0.5), countedPercentile(counted, 0.95)];
  return {
    provider,
    model,
    ...counts,
    ...(availability === undefined ? {} : { availability }),
    uptime: uptimeOf(service.lostIntervals, intervals),
    ...(p50 === undefined ? {} : { firstContentP50Ms: p50 }),
    ...(p95 === undefined ? {} : { firstContentP95Ms: p95 }),
  };
}

/** Undefined where there was no request that could say anything of the provider. */
function availabilityOf(counts: ServiceCounts, downtime: ServicePromise["counts"]): number | undefined {
  const valid = counts.requests - counts.client;
  const bad = downtime.reduce((sum, each) => sum + counts[each], 0);
  return valid === 0 ? undefined : 1 - bad / valid;
}

/** The mean of the intervals' availabilities; an interval without a request counts as available. */
function uptimeOf(lost: number, intervals: number): number {
  return intervals === 0 ? 1 : 1 - lost / intervals;
}

function promiseOf(
  provider: string,
  { availability: promised, counts, credits }: ServicePromise,
  { own, uptime }: { readonly own: readonly ServiceTotals[]; readonly uptime: number },
): PromiseKept {
  const credit = Math.max(0, ...credits.filter(({ below }) => uptime < below).map((step) => step.credit));
  const spentNanoUsd = own.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
  return {
    provider,
    promised,
    counts,
    uptime,
    kept: uptime >= promised,
    credit,
    spentNanoUsd,
    unpriced: own.reduce((sum, { unpriced }) => sum + unpriced, 0),
    creditNanoUsd: Math.floor(spentNanoUsd * credit),
  };
}

function bucketOf(bucket: ServiceBucket): SlaBucket {
  const { provider, model, atMs } = bucket;
  return { provider, model, at: new Date(atMs).toISOString(), ...countsOf(bucket) };
}
