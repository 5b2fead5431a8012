import type { ServicePromise, Snapshot } from "#domain/snapshot";
import type { ErrorClass } from "#control/store/error-class";
import type { TimeWindow } from "#control/store/read-attempts";
import { firstContentCounts, type FirstContentCount } from "#control/store/read-traffic";
import { bucketMs, oldestBucketMs, serviceBuckets, type ServiceBucket } from "#control/store/service-buckets";
import type { LedgerReader } from "#control/store/sql";

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

type Counts = { -readonly [K in keyof ServiceCounts]: number };

interface Service {
  readonly provider: string;
  readonly model: string;
  readonly buckets: readonly ServiceBucket[];
}

/** The window grows to whole intervals. */
export async function slaReport(
  reader: LedgerReader,
  asked: TimeWindow,
  { providers }: Pick<Snapshot, "providers">,
): Promise<SlaReport> {
  const window = { ...asked, fromMs: Math.max(asked.fromMs, (await oldestBucketMs(reader)) ?? asked.fromMs) };
  const kept = await serviceBuckets(reader, window);
  const bySame = Map.groupBy(kept, ({ provider, model }) => JSON.stringify([provider, model]));
  const all = [...bySame.values()].flatMap((buckets): Service[] => {
    const [first] = buckets;
    return first === undefined ? [] : [{ provider: first.provider, model: first.model, buckets }];
  });
  const firsts = await firstContentCounts(reader, window);
  const intervals = Math.max(0, Math.ceil(window.untilMs / bucketMs) - Math.floor(window.fromMs / bucketMs));
  return {
    from: new Date(window.fromMs).toISOString(),
    until: new Date(window.untilMs).toISOString(),
    intervals,
    rows: all.map((service) => rowOf(service, intervals, firsts)),
    promises: [...providers.values()].flatMap(({ id, sla }) => {
      const own = all.filter(({ provider }) => provider === id).flatMap(({ buckets }) => buckets);
      return sla === undefined ? [] : [promiseOf(id, sla, { own, intervals })];
    }),
    buckets: all.flatMap(({ buckets }) => buckets.map(bucketOf)),
  };
}

/** Nearest rank: the least time that a share `p` of all answers did not exceed. Undefined where there are none. */
function countedPercentile(counted: readonly FirstContentCount[], p: number): number | undefined {
  const rank = Math.max(1, Math.ceil(p * counted.reduce((sum, { answers }) => sum + answers, 0)));
  let seen = 0;
  return counted.find(({ answers }) => (seen += answers) >= rank)?.ms;
}

function countsOf({ answered, capacity, fault, timeout, client }: ServiceBucket): Counts {
  return { requests: answered + capacity + fault + timeout + client, answered, capacity, fault, timeout, client };
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

function rowOf(
  { provider, model, buckets }: Service,
  intervals: number,
  firsts: ReadonlyMap<string, readonly FirstContentCount[]>,
): SlaRow {
  const counts = added(buckets.map(countsOf));
  const availability = availabilityOf(counts, usualDowntime);
  const counted = firsts.get(JSON.stringify([provider, model])) ?? [];
  const [p50, p95] = [countedPercentile(counted, 0.5), countedPercentile(counted, 0.95)];
  return {
    provider,
    model,
    ...counts,
    ...(availability === undefined ? {} : { availability }),
    uptime: uptimeOf(buckets, intervals, usualDowntime),
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
function uptimeOf(buckets: readonly ServiceBucket[], intervals: number, downtime: ServicePromise["counts"]): number {
  if (intervals === 0) return 1;
  let lost = 0;
  for (const same of Map.groupBy(buckets, ({ atMs }) => atMs).values()) {
    lost += 1 - (availabilityOf(added(same.map(countsOf)), downtime) ?? 1);
  }
  return 1 - lost / intervals;
}

function promiseOf(
  provider: string,
  { availability: promised, counts, credits }: ServicePromise,
  { own, intervals }: { readonly own: readonly ServiceBucket[]; readonly intervals: number },
): PromiseKept {
  const uptime = uptimeOf(own, intervals, counts);
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
