import { join, resolve } from "node:path";
import { calibrationsFile } from "#control/config/calibrations";
import type { Configuration, Refused } from "#control/config/configuration";
import { withCalibration } from "#control/config/fingerprint";
import { renderProblem, type ConfigProblem } from "#control/config/problem";
import type { CalibrationSet } from "#domain/calibration";
import { reviewFile } from "#control/reviews/review-file";
import { labelsFile, openLabelsFile } from "#control/store/labels-file";
import { memoryFile } from "#control/store/memory-file";
import { openStore, storeFile, type Store } from "#control/store/sqlite";
import { AuditTrail } from "./audit-trail.ts";
import { BudgetAlerts } from "./budget-alerts.ts";
import { watchConfiguration } from "./configuration-watch.ts";
import type { NodeAccounts } from "./node-accounts.ts";
import { openAccounts, workersOf } from "./open-accounts.ts";
import { openDataFolder, type DataFolder } from "./data-folder.ts";
import { describeChange } from "./describe-change.ts";
import { openTelemetry, type TelemetryExport } from "./export-telemetry.ts";
import { forwardRecords, type RecordForwarder } from "./forward-records.ts";
import { forwardingFamilies } from "./forwarding-metrics.ts";
import { followJournals, type JournalFollower } from "./ingest.ts";
import { explainListenFailure, prepareListening } from "./listen-address.ts";
import { openKeyFeed, type KeyFeed } from "./key-feed.ts";
import { followLabels, type Learner } from "./learn.ts";
import type { Log, LogStyle } from "./log.ts";
import type { ListenAddress } from "./messages.ts";
import { joinNodes, type Joined } from "./join-nodes.ts";
import { drainOrphans, isAlive } from "./orphans.ts";
import { settingsThatWait } from "./settings-that-wait.ts";
import { tendReviewsIn, type ReviewTending } from "./tend-reviews.ts";
import { usualSuccess } from "./usual-success.ts";
import { WorkerFleet } from "./worker-fleet.ts";

export interface SupervisorOptions {
  /** Reads and compiles the configuration: at start, and again for each reload. */
  readonly configure: () => Configuration | Refused;
  /** Absolute path of the file to watch, where there is one. */
  readonly watch?: string;
  readonly cwd: string;
  readonly log: Log;
  readonly logStyle: LogStyle;
  /** For tests: how workers share the port on systems of the other kind. */
  readonly listenHow?: ListenAddress["how"];
}

export type SupervisorStart =
  | { readonly kind: "running"; readonly supervisor: Supervisor }
  /** Lines for people: what is wrong and what to do. */
  | { readonly kind: "refused"; readonly lines: readonly string[] };

export interface Supervisor {
  /** `http://host:port`, at which the gateway answers. */
  readonly url: string;
  readonly configuration: Configuration;
  /** All or nothing: on any problem the last good configuration stays. */
  reload(): void;
  /**
   * Drains the workers and puts every record into the store. Resolves to whether all went well: no call was left
   * untold, no record unwritten. Called again: calls still in flight are told at once.
   */
  stop(): Promise<boolean>;
}

/** How long workers of a dead supervisor may take to leave a port that cannot be shared. */
const leavePortMs = 5_000;

/** Starts the control plane and its workers. Resolves when the gateway answers, or with why it cannot. */
export async function startSupervisor(options: SupervisorOptions): Promise<SupervisorStart> {
  const configuration = options.configure();
  if (configuration.kind === "refused") return { kind: "refused", lines: configuration.problems.map(renderProblem) };
  const { server } = configuration;
  const opened = openDataFolder(resolve(options.cwd, server.data));
  if (opened.kind === "refused") return { kind: "refused", lines: [opened.message] };
  const { folder } = opened;
  const store = openStore(join(folder.path, storeFile));
  if (store.kind === "refused") {
    folder.release();
    return { kind: "refused", lines: [store.message] };
  }
  const refuse = (lines: readonly string[]): SupervisorStart => {
    store.store.close();
    folder.release();
    return { kind: "refused", lines };
  };
  const trail = AuditTrail.open({ folder, settings: server.audit, cwd: options.cwd, log: options.log });
  if (trail.kind === "refused") return refuse([trail.message]);
  const workers = workersOf(configuration);
  let served = (): Configuration => configuration;
  const retention = () => served().server.retention;
  const shared = await joinNodes({ server, folder, store: store.store, workers, log: options.log, retention });
  const alerts = new BudgetAlerts({ folder: folder.path, settings: () => served().server.alerts, log: options.log });
  const accounts = await openAccounts(store.store, { configuration, folder, shared, alerts, log: options.log });
  const telemetry = openTelemetry(options.log, configuration);
  const own = { folder, store: store.store, trail: trail.trail, alerts };
  const keys = await openKeyFeed({
    sql: shared.store,
    path: join(folder.path, storeFile),
    log: options.log,
    onChange: (change) => own.trail.note("key", { ...change }),
  });
  const parts = { options, configuration, ...own, accounts, shared, telemetry, keys };
  const started = await startFleet(parts);
  if (started.kind === "failed") {
    await keys.finish();
    await shared.leave();
    await shared.close();
    return refuse([explainListenFailure(started, server)]);
  }
  const supervisor = new RunningSupervisor({ ...parts, ...started });
  served = () => supervisor.configuration;
  return { kind: "running", supervisor };
}

interface Parts {
  readonly alerts: BudgetAlerts;
  readonly trail: AuditTrail;
  readonly keys: KeyFeed;
  readonly telemetry: TelemetryExport;
  readonly shared: Joined;
  readonly accounts: NodeAccounts;
  readonly options: SupervisorOptions;
  readonly configuration: Configuration;
  readonly folder: DataFolder;
  readonly store: Store;
}

type FleetStarted =
  | { readonly kind: "started"; readonly port: number; readonly fleet: WorkerFleet }
  | { readonly kind: "failed"; readonly message: string; readonly code?: string };

async function startFleet({
  options,
  configuration,
  folder,
  store,
  accounts,
  shared,
  telemetry,
  keys,
}: Parts): Promise<FleetStarted> {
  const { log, logStyle } = options;
  const { host, port } = configuration.server;
  const { orphans } = folder;
  const prepare = () =>
    prepareListening({
      host,
      port,
      shareWithOrphans: orphans.some((orphan) => orphan.port === port),
      ...(options.listenHow === undefined ? {} : { how: options.listenHow }),
    });
  let prepared = await prepare();
  if (prepared.kind === "failed" && orphans.length > 0) {
    // Where a port cannot be shared, the old workers have to leave it before the new ones can come.
    drainOrphans(orphans, log);
    for (const until = performance.now() + leavePortMs; prepared.kind === "failed" && performance.now() < until;) {
      await new Promise((done) => setTimeout(done, 100));
      prepared = await prepare();
    }
  }
  if (prepared.kind === "failed") return prepared;
  const usual = usualSuccess({ store, log, wallMs: Date.now });
  const fleet = new WorkerFleet({
    workers: workersOf(configuration),
    listen: prepared.listen,
    ...(prepared.handed === undefined ? {} : { handed: prepared.handed }),
    journalFolder: folder.journal,
    memoryFile: join(folder.path, memoryFile),
    labelsFile: join(folder.path, labelsFile),
    reviewFile: join(folder.path, reviewFile),
    snapshot: configuration.snapshot,
    log,
    logStyle,
    usual: ({ routes }) => usual(routes),
    keys,
    ownMetrics: () => [...forwardingFamilies(store), ...shared.metrics(), ...telemetry.families()],
    lender: (recall) => accounts.lender(recall),
    onEnded: (journal, lost) => accounts.ended(journal, lost),
    onWorkers(running) {
      try {
        folder.noteWorkers([...running, ...orphans.filter(isAlive)]);
      } catch (error) {
        // A full disk: only a supervisor that comes after a crash would miss the note.
        log.warn("the running workers could not be written down", { why: (error as Error).message });
      }
    },
  });
  keys.follow((news) => fleet.tellKeys(news));
  const started = await fleet.start();
  if (started.kind === "failed") return started;
  telemetry.connect(() => fleet.counts());
  // Only now, so that somebody answers at every moment of the change.
  drainOrphans(orphans, log);
  return { kind: "started", port: started.port, fleet };
}

class RunningSupervisor implements Supervisor {
  readonly url: string;
  readonly #options: SupervisorOptions;
  readonly #folder: DataFolder;
  readonly #store: Store;
  readonly #fleet: WorkerFleet;
  readonly #keys: KeyFeed;
  readonly #follower: JournalFollower;
  readonly #forwarder: RecordForwarder;
  readonly #telemetry: TelemetryExport;
  readonly #reviews: ReviewTending | undefined;
  readonly #learner: Learner | undefined;
  readonly #endWatch: () => void;
  readonly #shared: Joined;
  readonly #trail: AuditTrail;
  readonly #alerts: BudgetAlerts;
  #configuration: Configuration;
  #stopped: Promise<boolean> | undefined;

  constructor(parts: Parts & { readonly port: number; readonly fleet: WorkerFleet }) {
    const { options, configuration, folder, store, fleet, port, accounts } = parts;
    const { host } = configuration.server;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    this.#options = options;
    this.#configuration = configuration;
    this.#folder = folder;
    this.#store = store;
    this.#fleet = fleet;
    this.#keys = parts.keys;
    this.#telemetry = parts.telemetry;
    this.#shared = parts.shared;
    this.#trail = parts.trail;
    this.#alerts = parts.alerts;
    this.#trail.note("start", { version: configuration.snapshot.version });
    this.#trail.start();
    const { log, watch } = options;
    const growing = () => [...fleet.journals, ...folder.orphans.filter(isAlive).map(({ journal }) => journal)];
    this.#forwarder = forwardRecords({ store, log, settings: () => this.#configuration.server.forward });
    this.#follower = followJournals({
      folder: folder.journal,
      store,
      log,
      growing,
      isRead: (file, size) => parts.shared.isRead(file, size) && parts.trail.has(file, size),
      retention: () => this.#configuration.server.retention,
      onStored: (journal, records) => {
        accounts.stored(journal, records);
        this.#telemetry.observe(records);
      },
      onPass: (growsOn) => {
        for (const journal of accounts.lostJournals) if (!growsOn.has(journal)) accounts.read(journal);
      },
    });
    this.#learner = this.#learn();
    this.#reviews = tendReviewsIn(folder.path, { log, routes: () => this.#configuration.snapshot.routes });
    this.#endWatch =
      watch === undefined ? () => {} : watchConfiguration({ file: watch, log, onChange: () => this.reload() });
    this.#say("warn", configuration.warnings);
    const said = new Set(configuration.warnings.map(({ message }) => message));
    for (const notice of configuration.snapshot.notices) if (!said.has(notice)) log.info(notice);
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  reload(): void {
    if (this.#stopped !== undefined) return;
    const { log } = this.#options;
    const next = this.#options.configure();
    if (next.kind === "refused") {
      log.error("the new configuration has problems; the last good one stays", {
        version: this.#configuration.snapshot.version,
        problems: next.problems.length,
      });
      this.#say("error", next.problems);
      return;
    }
    const before = this.#configuration;
    this.#configuration = next;
    this.#forwarder.apply();
    this.#telemetry.apply(next);
    const { version } = next.snapshot;
    const waiting = settingsThatWait(before, next);
    if (waiting.length > 0) log.warn(`these changes wait for a restart: ${waiting.join(", ")}`);
    if (version === before.snapshot.version) {
      const more = waiting.length === 0 ? "" : " otherwise";
      log.info(`the configuration was read again and${more} says the same`, { version });
      return;
    }
    const changes = describeChange(before.snapshot, next.snapshot);
    this.#trail.note("configuration", { before: before.snapshot.version, version, changes });
    log.info(`a new configuration: ${changes.join("; ")}`, { version, before: before.snapshot.version });
    this.#say("warn", next.warnings);
    void this.#fleet
      .publish(next.snapshot)
      .then(() => log.info("every worker runs on the new configuration", { version }));
  }

  #learn(): Learner | undefined {
    const { log } = this.#options;
    const onTrouble = (why: string): void => log.error("nothing is learned from labels", { why });
    try {
      return followLabels({
        store: this.#store,
        storePath: join(this.#folder.path, storeFile),
        labelsPath: join(this.#folder.path, labelsFile),
        labels: openLabelsFile({
          path: join(this.#folder.path, labelsFile),
          onTrouble,
          nowMs: () => performance.now(),
        }),
        file: join(this.#folder.path, calibrationsFile),
        log,
        snapshot: () => this.#configuration.snapshot,
        onLearned: (calibrations) => this.#apply(calibrations),
      });
    } catch (error) {
      onTrouble((error as Error).message);
      return undefined;
    }
  }

  /** What was learned is a new snapshot of the same configuration. */
  #apply(calibrations: CalibrationSet): void {
    if (this.#stopped !== undefined) return;
    const snapshot = withCalibration(this.#configuration.snapshot, calibrations);
    this.#configuration = { ...this.#configuration, snapshot };
    void this.#fleet.publish(snapshot);
  }

  stop(): Promise<boolean> {
    if (this.#stopped === undefined) {
      this.#stopped = this.#stop(this.#configuration.snapshot.limits.drainMs);
    } else {
      this.#options.log.info("asked again to stop: calls in flight are told now");
      void this.#fleet.drain(0);
    }
    return this.#stopped;
  }

  async #stop(drainMs: number): Promise<boolean> {
    const { log } = this.#options;
    log.info("stopping: no new connections, calls in flight may finish", { limitMs: drainMs });
    this.#endWatch();
    const drained = await this.#fleet.drain(drainMs);
    await this.#keys.finish();
    await this.#shared.leave();
    await this.#alerts.finish();
    await this.#learner?.finish();
    await this.#follower.finish();
    await this.#trail.finish();
    await this.#shared.close();
    await Promise.all([this.#forwarder.finish(), this.#telemetry.finish()]);
    await this.#reviews?.finish();
    this.#store.close();
    const clean = this.#leaveFolder() && drained;
    if (clean) log.info("stopped");
    else if (drained) log.error("stopped, but not in order");
    else log.error("stopped, but a worker failed on the way: calls in flight may have been cut");
    return clean;
  }

  #leaveFolder(): boolean {
    try {
      this.#folder.noteWorkers(this.#folder.orphans.filter(isAlive));
      this.#folder.release();
      return true;
    } catch (error) {
      const why = (error as Error).message;
      this.#options.log.error("the data folder could not be left in order; its last records may be lost", { why });
      return false;
    }
  }

  #say(level: "warn" | "error", problems: readonly ConfigProblem[]): void {
    for (const problem of problems) this.#options.log[level](renderProblem(problem));
  }
}
