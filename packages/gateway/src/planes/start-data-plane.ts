import type { Server } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { ReviewDesk } from "#control/reviews/review-file";
import type { CalibrationSet } from "#domain/calibration";
import type { Accounts } from "#domain/account";
import type { KeyDesk } from "#domain/key-desk";
import type { PayloadRule } from "#domain/payload";
import type { Exchange, Journal, LabelIntake, Memory, Reviews } from "#domain/ports";
import type { ServerLimits, Snapshot } from "#domain/snapshot";
import { ownAccounts } from "#ledger/own-accounts";
import type { JournalStats } from "#ledger/journal";
import type { IssuedKeys } from "#pipeline/issued-keys";
import type { DataPlane, RetryBudgets } from "#pipeline/data-plane";
import { LiveCalls } from "#pipeline/live-calls";
import { processMemory } from "#pipeline/process-memory";
import { serveCall } from "#pipeline/serve-call";
import { WaitingRoom } from "#pipeline/waiting-room";
import { mostInFlight } from "#policy/load";
import type { TraitsOf } from "#policy/find-targets";
import { Affinity } from "#policy/affinity";
import { RetryBudget } from "#policy/retry-budget";
import { LogprobSupport } from "#policy/logprob-support";
import { UsualCost } from "#policy/usual-cost";
import { Speeds } from "#policy/speeds";
import { startListener, type Listener, type ListenerOptions } from "#transport/listener";
import { openUpstream } from "#transport/upstream";
import { serveAdmin } from "./admin.ts";
import type { AdminState } from "./admin-routes.ts";
import { calibrationFamilies } from "./calibration-metrics.ts";
import type { Log } from "./log.ts";
import { healthFamilies } from "./health-metrics.ts";
import { idSource } from "./id-source.ts";
import { LiveHealth } from "./live-health.ts";
import type { Fleet, OthersReports, WorkerReport } from "./messages.ts";
import { type LabelNames, Metrics, mergeSamples, type MetricsSample } from "./metrics.ts";
import { serveOperations, type OperationsState } from "./operations.ts";
import { labelNames } from "./label-names.ts";
import { loadFamilies, watchLoad, type LoadWatch } from "./watch-load.ts";
import type { PayloadLog } from "./payload-log.ts";
import { sameSettings } from "./same-settings.ts";
import { systemClock } from "./system-clock.ts";
import { traitsFromCatalogue } from "./traits-from-catalogue.ts";

/** What the data plane needs of a journal; `JournalWriter` is one, a test may bring a simpler one. */
export interface DataPlaneJournal extends Journal {
  readonly healthy: boolean;
  readonly stats: JournalStats;
  close(then: (error?: Error) => void): void;
}

export interface DataPlaneOptions {
  readonly snapshot: Snapshot;
  /** Closed by `drain`. */
  readonly journal: DataPlaneJournal;
  readonly listen: {
    readonly host: string;
    /** 0 lets the system choose. */
    readonly port: number;
    readonly reusePort?: boolean;
    readonly handle?: Server;
  };
  readonly log: Log;
  /** What is kept between calls; by default as long as the process lives. */
  readonly memory?: Memory;
  /** Where verdicts on answers are kept; without it they are refused. */
  readonly labels?: LabelIntake;
  /** Where answers wait for people; without it none does. */
  readonly reviews?: Reviews & ReviewDesk;
  /** Where sampled payloads are written; closed by `drain`. Without it none is. */
  readonly payloads?: PayloadLog;
  /** The keys that were issued at run time, as far as this process knows; absent: none. */
  readonly issuedKeys?: IssuedKeys;
  /** Where keys are issued and taken back; without it they cannot be. */
  readonly keyDesk?: KeyDesk;
  /** What limits and budgets are taken from; by default counted by this process alone, and closed with it. */
  readonly accounts?: Accounts & { close(): void };
  /** What is known of models; by default the snapshot's rows, then the catalogue that ships with the gateway. */
  readonly traitsOf?: TraitsOf;
  /** Told when a drain has closed the listener. */
  readonly onStoppedAccepting?: () => void;
  /** Where there are other workers: how they are, and their counts. */
  readonly fleet?: () => Fleet;
  readonly othersReports?: () => Promise<OthersReports>;
}

/** A data plane that answers calls, in whatever process it runs. */
export interface RunningDataPlane {
  readonly port: number;
  readonly draining: boolean;
  /** Of the snapshot that new calls see. */
  readonly payloadRule: PayloadRule | undefined;
  /** Calls that come from now on see the new snapshot; calls in flight keep theirs. */
  applySnapshot(snapshot: Snapshot): void;
  metrics(): MetricsSample;
  report(): WorkerReport;
  readonly health: LiveHealth;
  /**
   * Stops accepting; calls in flight may take `limitMs`, then each is told that the gateway stops. Resolves when no
   * call is left and the journal is closed. A second call may only shorten the limit. Rejects where records could not
   * be written.
   */
  drain(limitMs: number): Promise<void>;
}

/** Sockets of clients beyond the calls that are admitted: idle ones, and ones that get a refusal. */
const spareConnections = 1000;
const maxRetryBudgets = 1024;
const acceptWaitingMs = 20;
/** After the limit of a drain: for the errors to be written. */
const farewellMs = 2_000;
/** For the last bytes to leave the sockets. */
const lingerMs = 1_000;

/** Rejects where the address cannot be bound. */
export async function startDataPlane(options: DataPlaneOptions): Promise<RunningDataPlane> {
  const { journal, listen } = options;
  const live = new LiveCalls();
  const upstream = openUpstream({ maxConnections: mostInFlight });
  const accounts = options.accounts ?? ownAccounts(systemClock);
  let snapshot = options.snapshot;
  const health = new LiveHealth(() => systemClock.nowMs(), snapshot.version);
  const traitsOf = options.traitsOf ?? traitsFromCatalogue();
  const names = labelNames(() => snapshot, traitsOf);
  const waitingRoom = new WaitingRoom({ accounts, clock: systemClock });
  const load = watchLoad(() => snapshot.limits.maxLagMs);
  const gaugedParts = { journal, live, health, names, load, waitingRoom, payloads: options.payloads };
  const gauges = openGauges({ ...gaugedParts, calibrations: () => snapshot.calibration });
  const plane: DataPlane = {
    snapshot: () => snapshot,
    ...givenParts(options),
    clock: systemClock,
    send: upstream.send,
    journal,
    journalHealthy: () => journal.healthy,
    get health() {
      return health.current;
    },
    accounts,
    usualCost: new UsualCost(),
    waitingRoom,
    ...learnedParts(),
    traitsOf,
    live,
    load,
    random: Math.random,
    newId: idSource(Date.now),
    observe: (record) => gauges.metrics.observe(record),
    observeRefusal: (failure) => gauges.metrics.observeRefusal(failure),
    onBug: (bug) => options.log.error("a call ended in a bug of the gateway", { where: describeBug(bug) }),
  };
  const servesOperator = forOperators({ options, live, gauges, health, snapshot: () => snapshot });
  const listener = await startListener({
    ...listenerOptions(listen, snapshot.limits),
    onExchange(exchange) {
      if (!servesOperator(exchange)) void serveCall(exchange, plane);
    },
  });
  const close = async (): Promise<void> => {
    gauges.close();
    load.close();
    accounts.close();
    await upstream.close();
    await options.payloads?.close();
    await closeJournal(journal);
  };
  return {
    port: listener.port,
    get draining() {
      return live.draining;
    },
    get payloadRule() {
      return snapshot.payloads;
    },
    applySnapshot(next) {
      // Other changes than of keys and addresses leave what is known of providers alone.
      health.underConfiguration(next.version, { forget: !sameSettings(snapshot.providers, next.providers) });
      snapshot = next;
    },
    metrics: () => gauges.sample(),
    report: () => ({ metrics: gauges.sample(), health: health.rows() }),
    health,
    drain: drainOnce({ live, listener, close, onStoppedAccepting: options.onStoppedAccepting ?? (() => {}) }),
  };
}

/** What it has from whoever starts it, as far as it has it. */
function givenParts({ issuedKeys, memory, labels, reviews, payloads }: DataPlaneOptions) {
  return {
    memory: memory ?? processMemory(Date.now),
    ...(issuedKeys === undefined ? {} : { issuedKeys }),
    ...(labels === undefined ? {} : { labels }),
    ...(reviews === undefined ? {} : { reviews }),
    ...(payloads === undefined ? {} : { payloads }),
  };
}

/** What begins empty, and is learned from calls. */
function learnedParts() {
  return {
    retryBudgets: retryBudgets(),
    logprobSupport: new LogprobSupport(),
    affinity: new Affinity(),
    speeds: new Speeds(),
  };
}

interface OperatorParts {
  readonly options: DataPlaneOptions;
  readonly live: LiveCalls;
  readonly gauges: Gauges;
  readonly health: LiveHealth;
  readonly snapshot: () => Snapshot;
}

/** Whether an exchange was for the endpoints of operators, which are then answered. */
function forOperators({ options, live, gauges, health, snapshot }: OperatorParts): (exchange: Exchange) => boolean {
  const others = async (): Promise<OthersReports> =>
    (await options.othersReports?.()) ?? { reports: [], ofSupervisor: [] };
  const operations: OperationsState = {
    version: () => snapshot().version,
    draining: () => live.draining,
    journalHealthy: () => options.journal.healthy,
    fleet: options.fleet ?? (() => ({ wanted: 1, ready: 1, versions: [snapshot().version] })),
    async metrics() {
      const { reports, ofSupervisor } = await others();
      return mergeSamples([gauges.sample(), ofSupervisor, ...reports.map(({ metrics }) => metrics)]);
    },
  };
  const admin: AdminState = {
    snapshot,
    wallMs: () => systemClock.wallMs(),
    health: async () => [health.rows(), ...(await others()).reports.map((each) => each.health)],
    reviews: options.reviews,
    issued: options.issuedKeys,
    keys: options.keyDesk,
  };
  return (exchange) => serveOperations(exchange, operations) || serveAdmin(exchange, admin);
}

function listenerOptions(
  listen: DataPlaneOptions["listen"],
  limits: ServerLimits,
): Omit<ListenerOptions, "onExchange"> {
  return {
    host: listen.host,
    port: listen.port,
    reusePort: listen.reusePort ?? false,
    ...(listen.handle === undefined ? {} : { handle: listen.handle }),
    maxHeaderBytes: limits.maxHeaderBytes,
    headersTimeoutMs: limits.headersTimeoutMs,
    stalledClientMs: limits.stalledClientMs,
    maxConnections: limits.maxConcurrentCalls + spareConnections,
  };
}

interface Gauges {
  readonly metrics: Metrics;
  sample(): MetricsSample;
  close(): void;
}

interface GaugeParts {
  readonly journal: DataPlaneJournal;
  readonly live: LiveCalls;
  readonly health: LiveHealth;
  readonly names: LabelNames;
  readonly load: LoadWatch;
  readonly waitingRoom: WaitingRoom;
  readonly payloads: PayloadLog | undefined;
  readonly calibrations: () => CalibrationSet | undefined;
}

function openGauges(parts: GaugeParts): Gauges {
  const { journal, live, health, names, load, waitingRoom, payloads, calibrations } = parts;
  const metrics = new Metrics(names);
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  return {
    metrics,
    sample() {
      const { records, failures, dropped, queuedBytes } = journal.stats;
      const lagNs = lag.percentile(99);
      lag.reset();
      const now = {
        hedgerow_calls_in_flight: live.count,
        hedgerow_workers: 1,
        hedgerow_journal_healthy: journal.healthy ? 1 : 0,
        hedgerow_journal_records_total: records,
        hedgerow_journal_failures_total: failures,
        hedgerow_journal_dropped_total: dropped,
        hedgerow_journal_queued_bytes: queuedBytes,
        hedgerow_resident_bytes: load.memoryBytes,
        hedgerow_event_loop_lag_seconds: Number.isFinite(lagNs) ? lagNs / 1e9 : 0,
      };
      const beside = [
        ...healthFamilies(health.rows()),
        ...calibrationFamilies(calibrations()),
        ...(payloads?.families() ?? []),
      ];
      return [...metrics.sample(now), ...beside, ...loadFamilies(load.shedding, waitingRoom)];
    },
    close: () => lag.disable(),
  };
}

interface DrainParts {
  readonly live: LiveCalls;
  readonly listener: Listener;
  readonly close: () => Promise<void>;
  readonly onStoppedAccepting: () => void;
}

function drainOnce({ live, listener, close, onStoppedAccepting }: DrainParts): (limitMs: number) => Promise<void> {
  let running: Promise<void> | undefined;
  const { promise: expired, resolve: expire } = Promise.withResolvers<void>();

  async function run(): Promise<void> {
    await acceptWaiting();
    live.startDraining();
    listener.stopAccepting();
    onStoppedAccepting();
    await Promise.race([live.idle(), expired]);
    if (live.count > 0) {
      live.endAll();
      await Promise.race([live.idle(), after(farewellMs)]);
    }
    // Connections whose last answer has been taken are idle by now; the others get a moment to take it.
    listener.stopAccepting();
    await Promise.race([listener.closed, after(lingerMs)]);
    listener.destroy();
    await close();
  }
  return (limitMs) => {
    setTimeout(expire, limitMs).unref();
    running ??= run();
    return running;
  };
}

/**
 * A connection that waits to be accepted when its listener closes is reset, although another worker could have had it.
 * libuv accepts one each turn of the loop, so the loop is turned for a moment before the listener is closed.
 */
function acceptWaiting(): Promise<void> {
  const until = performance.now() + acceptWaitingMs;
  return new Promise((resolve) => {
    const turn = (): void => {
      if (performance.now() < until) setImmediate(turn);
      else resolve();
    };
    turn();
  });
}

function closeJournal(journal: DataPlaneJournal): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Names and places only: a message may quote what a caller sent. */
export function describeBug(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.slice(0, 6).map((line) => line.trim())].join(" ");
}

function retryBudgets(): RetryBudgets {
  const budgets = new Map<string, RetryBudget>();
  return {
    of(route) {
      let budget = budgets.get(route);
      if (budget !== undefined) return budget;
      // Callers may name any model of a provider as a route of its own.
      const oldest = budgets.keys().next();
      if (budgets.size >= maxRetryBudgets && oldest.done !== true) budgets.delete(oldest.value);
      budgets.set(route, (budget = new RetryBudget()));
      return budget;
    },
  };
}
