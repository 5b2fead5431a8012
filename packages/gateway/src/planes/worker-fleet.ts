import { fork, type ChildProcess } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Meter } from "#domain/account";
import type { NodeLender } from "#ledger/node-lender";
import type { KeyNews } from "#domain/gateway-key";
import type { UsualSuccess } from "#domain/health";
import type { KeyDesk } from "#domain/key-desk";
import type { Snapshot } from "#domain/snapshot";
import { noteOf, type WorkerNote } from "./data-folder.ts";
import { FleetCounts } from "./fleet-counts.ts";
import { HealthBoard } from "./health-board.ts";
import type { HandedAddress } from "./listen-address.ts";
import type { Log, LogStyle } from "./log.ts";
import type { Fleet, HealthNews, ListenAddress, SupervisorMessage, WorkerMessage, WorkerReport } from "./messages.ts";
import { mergeSamples, type MetricsSample } from "./metrics.ts";
import { MetricsRounds } from "./metrics-rounds.ts";
import { restartDelayMs } from "./restart-delay.ts";
import { sameSettings } from "./same-settings.ts";
import { sealSnapshot } from "./sealed-snapshot.ts";
import { TurnMail } from "./turn-mail.ts";
import { workerFlags } from "./worker-flags.ts";

export interface FleetOptions {
  readonly workers: number;
  readonly listen: ListenAddress;
  /** Where workers cannot bind the port themselves. Closed by `drain`. */
  readonly handed?: HandedAddress;
  readonly journalFolder: string;
  readonly memoryFile: string;
  readonly labelsFile: string;
  readonly reviewFile: string;
  readonly snapshot: Snapshot;
  readonly log: Log;
  readonly logStyle: LogStyle;
  /** The running workers, whenever that changes: written down for a supervisor that comes after a crash. */
  readonly onWorkers: (workers: readonly WorkerNote[]) => void;
  /** What is known of targets from records, for a worker that starts. */
  readonly usual: (snapshot: Snapshot) => readonly UsualSuccess[];
  /** The issued keys, as a worker is told them that starts; and who answers what is asked about them. */
  readonly keys: KeyDesk & { readonly current: KeyNews };
  /** Where workers have from what their calls take; `recall` asks a worker for what it does not use. */
  readonly lender: (recall: (holder: string, meters: readonly string[], id: number) => void) => NodeLender;
  /** A worker has ended, by whatever cause: its journal does not grow any more. `lost`: money that it may have spent. */
  readonly onEnded: (journal: string, lost: ReadonlyMap<Meter, number>) => void;
  /** What the supervisor adds to the workers' metrics. */
  readonly ownMetrics: () => MetricsSample;
}

export type FleetStart =
  | { readonly kind: "started"; readonly port: number }
  | { readonly kind: "failed"; readonly message: string; readonly code?: string };

interface Slot {
  readonly name: string;
  child: ChildProcess | undefined;
  /** To this child. */
  mail: TurnMail<SupervisorMessage> | undefined;
  note: WorkerNote | undefined;
  state: "down" | "starting" | "ready" | "draining";
  version: string;
  startedAtMs: number;
  /** Restarts since it last stayed up for a while. */
  failures: number;
  complaint: { readonly message: string; readonly code?: string } | undefined;
}

/** A worker's numbers, and its journal, by which it is told from the one that comes after it. */
interface JournalReport {
  readonly journal: string;
  readonly report: WorkerReport;
}

/** A worker that is not ready by then hangs: on a file system, on a debugger. */
const startWithinMs = 30_000;
/** Beyond the time a drain was given: for the goodbyes and the journal. */
const overtimeMs = 10_000;

/** The worker processes: started, restarted, told about new snapshots, drained. */
export class WorkerFleet {
  readonly #options: FleetOptions;
  readonly #slots: readonly Slot[];
  readonly #rounds: MetricsRounds<Slot, JournalReport, Slot | (() => void)>;
  readonly #counts = new FleetCounts();
  readonly #health = new HealthBoard();
  readonly #lender: NodeLender;
  #snapshot: Snapshot;
  #port: number;
  /** Until then a worker that ends is a reason not to start at all, and is not started again. */
  #started = false;
  #stopping = false;
  /** No worker failed while it drained. */
  #endedClean = true;
  /** Someone waits for the workers to be in some state. */
  readonly #watchers = new Set<() => void>();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#snapshot = options.snapshot;
    this.#port = options.listen.port;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      name: `w${index + 1}`,
      child: undefined,
      mail: undefined,
      note: undefined,
      state: "down" as const,
      version: "",
      startedAtMs: 0,
      failures: 0,
      complaint: undefined,
    }));
    this.#lender = options.lender((holder, meters, id) => {
      const slot = this.#slots.find((each) => each.note?.journal === holder);
      if (slot === undefined) this.#lender.returned(holder, id);
      else this.#send(slot, { kind: "recall", id, meters });
    });
    this.#rounds = new MetricsRounds({
      ask: (slot, id) => this.#send(slot, { kind: "metrics-request", id }),
      answer: (asker, id, answered) => (typeof asker === "function" ? asker() : this.#tellOthers(asker, id, answered)),
    });
  }

  /** Starts every worker; `failed` at the first that cannot, after stopping the others. */
  async start(): Promise<FleetStart> {
    const [first] = this.#slots;
    // With port 0 the first worker finds out which port it is.
    const groups = this.#port === 0 ? [[first], this.#slots.slice(1)] : [this.#slots];
    for (const group of groups) {
      const slots = group.filter((slot) => slot !== undefined);
      for (const slot of slots) this.#launch(slot);
      const late = setTimeout(() => this.#giveUpOn(slots), startWithinMs);
      await this.#until(
        () => slots.every(({ state }) => state === "ready") || slots.some(({ complaint }) => complaint),
      );
      clearTimeout(late);
      const complaint = slots.find((slot) => slot.complaint !== undefined)?.complaint;
      if (complaint === undefined) continue;
      await this.drain(0);
      return { ...complaint, kind: "failed" };
    }
    this.#started = true;
    return { kind: "started", port: this.#port };
  }

  /** Names of the journals that may still grow. */
  get journals(): readonly string[] {
    return this.#notes().map((note) => note.journal);
  }

  get state(): Fleet {
    const ready = this.#slots.filter((slot) => slot.state === "ready");
    const versions = [...new Set(ready.map((slot) => slot.version))];
    return { wanted: this.#slots.length, ready: ready.length, versions };
  }

  /** What all workers have counted together; of those that do not answer in time, what was heard last. */
  counts(): Promise<MetricsSample> {
    const workers = this.#slots.filter(({ child }) => child?.connected === true);
    return new Promise((resolve) => {
      this.#rounds.begin(() => resolve(this.#counts.sum), 0, workers);
    });
  }

  /** Resolves when every worker that is up runs on the snapshot. Later ones start with it. */
  async publish(snapshot: Snapshot): Promise<void> {
    if (!sameSettings(this.#snapshot.providers, snapshot.providers)) this.#health.clear();
    this.#snapshot = snapshot;
    for (const slot of this.#slots) {
      if (slot.state === "ready") this.#send(slot, { kind: "snapshot", snapshot: sealSnapshot(snapshot) });
    }
    await this.#until(() =>
      this.#slots.every(({ state, version }) => state !== "ready" || version === snapshot.version),
    );
  }

  /** Also to a worker that still starts: it was told of the keys as they were then. */
  tellKeys(news: KeyNews): void {
    for (const slot of this.#slots) this.#send(slot, { kind: "keys", news });
  }

  /**
   * Lets calls in flight take `limitMs` and resolves when no worker is left: true where each of them ended clean, with
   * its calls told and its records written. A second call may shorten the limit. Whoever is still there long after the
   * limit is killed.
   */
  async drain(limitMs: number): Promise<boolean> {
    if (!this.#stopping) this.#options.handed?.close();
    this.#stopping = true;
    for (const slot of this.#slots) this.#send(slot, { kind: "drain", limitMs });
    const deadline = setTimeout(() => {
      for (const { child, name } of this.#slots) {
        if (child === undefined) continue;
        this.#options.log.error("a worker did not end in time and is killed", { worker: name });
        child.kill("SIGKILL");
      }
    }, limitMs + overtimeMs);
    await this.#until(() => this.#slots.every(({ child }) => child === undefined));
    clearTimeout(deadline);
    return this.#endedClean;
  }

  #launch(slot: Slot): void {
    const { listen, journalFolder, memoryFile, labelsFile, reviewFile, logStyle, handed } = this.#options;
    const entry = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));
    const child = fork(entry, [], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: workerFlags(process.execArgv, process.env["NODE_OPTIONS"]),
    });
    const journal = `${slot.name}-${Date.now()}`;
    Object.assign(slot, { child, state: "starting", startedAtMs: performance.now(), complaint: undefined });
    slot.note = { worker: slot.name, journal, port: this.#port, ...noteOf(child.pid ?? 0) };
    slot.mail = new TurnMail((messages) => {
      // A worker that has just died is dealt with when its exit is seen.
      if (child.connected) child.send([...messages], () => {});
    });
    child.on("message", (messages) => {
      for (const message of messages as readonly WorkerMessage[]) this.#receive(slot, journal, message);
    });
    // `exit` follows or the process never was; either way the slot is looked at there.
    child.on("error", (error) => this.#ended(slot, child, error.message));
    child.on("exit", (code, signal) => {
      if (this.#stopping && code !== 0) this.#endedClean = false;
      this.#ended(slot, child, signal ?? `exit code ${code}`);
    });
    const start: SupervisorMessage = {
      kind: "start",
      worker: slot.name,
      journal: { folder: journalFolder, name: journal },
      memory: memoryFile,
      labels: labelsFile,
      reviews: reviewFile,
      listen: { ...listen, port: this.#port },
      snapshot: sealSnapshot(this.#snapshot),
      health: { hints: this.#health.view(performance.now()), wallMs: Date.now() },
      usual: this.#options.usual(this.#snapshot),
      keys: this.#options.keys.current,
      logStyle,
    };
    child.send([start], handed?.handle, {}, () => {});
    this.#changed();
  }

  #giveUpOn(slots: readonly Slot[]): void {
    for (const slot of slots) {
      if (slot.state !== "starting") continue;
      slot.complaint ??= { message: `worker ${slot.name} was not ready within ${startWithinMs / 1000} s` };
      slot.child?.kill("SIGKILL");
    }
    this.#changed();
  }

  /** `holder`: the worker's journal, by which it is told from the one that came after it. */
  #receive(slot: Slot, holder: string, message: WorkerMessage): void {
    switch (message.kind) {
      case "ready":
        this.#port = message.port;
        if (slot.note !== undefined) slot.note = { ...slot.note, port: message.port };
        Object.assign(slot, { state: "ready", version: message.version });
        // A reload may have happened while it started.
        if (message.version !== this.#snapshot.version) {
          this.#send(slot, { kind: "snapshot", snapshot: sealSnapshot(this.#snapshot) });
        }
        if (this.#stopping) this.#send(slot, { kind: "drain", limitMs: 0 });
        break;
      case "snapshot-applied":
        slot.version = message.version;
        break;
      case "draining":
        slot.state = "draining";
        break;
      case "drained":
        if (slot.note?.journal === holder) this.#counts.heard(holder, message.metrics);
        break;
      case "metrics":
        if (slot.note?.journal === holder) this.#counts.heard(holder, message.report.metrics);
        this.#rounds.take(slot, message.id, { journal: holder, report: message.report });
        return;
      case "metrics-wanted": {
        if (slot.note?.journal === holder) this.#counts.heard(holder, message.metrics);
        const others = this.#slots.filter((other) => other !== slot && other.child?.connected === true);
        this.#rounds.begin(slot, message.id, others);
        return;
      }
      case "health":
        this.#pass(slot, message);
        return;
      case "borrow":
        void this.#lend({ slot, holder }, message);
        return;
      case "admin-ask":
        void this.#options.keys
          .ask(message.ask)
          .then((answer) => this.#send(slot, { kind: "admin-answer", id: message.id, answer }));
        return;
      case "give-back":
        // What a dead worker said last may come after its end, which has counted it: its journal tells.
        if (slot.note?.journal === holder) this.#lender.giveBack(holder, message.returns);
        return;
      case "returned":
        this.#lender.returned(holder, message.id);
        return;
      case "fatal":
        slot.complaint = { message: message.message, ...(message.code === undefined ? {} : { code: message.code }) };
        break;
    }
    this.#changed();
  }

  async #lend(
    { slot, holder }: { readonly slot: Slot; readonly holder: string },
    { id, wants }: Extract<WorkerMessage, { readonly kind: "borrow" }>,
  ): Promise<void> {
    if (slot.note?.journal !== holder) return;
    const lent = await this.#lender.borrow(holder, wants);
    if (slot.note?.journal === holder) this.#send(slot, { kind: "lent", id, lent });
    // It died while others were asked for what they do not use.
    else if (lent.kind === "lent") this.#lender.drop(holder);
  }

  /** Who has not answered in time has counted what it said last: a sum that falls would look like a new beginning. */
  #tellOthers(asker: Slot, id: number, answered: readonly JournalReport[]): void {
    const here = new Set([asker.note?.journal, ...answered.map(({ journal }) => journal)]);
    const late = this.journals.filter((journal) => !here.has(journal));
    const reports = [
      ...answered.map(({ report }) => report),
      ...late.map((journal) => ({ metrics: this.#counts.of(journal), health: [] })),
    ];
    const ofSupervisor = mergeSamples([this.#options.ownMetrics(), this.#counts.ended]);
    this.#send(asker, { kind: "metrics-of-others", id, reports, ofSupervisor });
  }

  /** News of one worker for the others, but for those found under another configuration. */
  #pass(from: Slot, news: HealthNews): void {
    if (news.version !== this.#snapshot.version) return;
    this.#health.take(news.hints, performance.now());
    for (const slot of this.#slots) if (slot !== from && slot.state === "ready") this.#send(slot, news);
  }

  #ended(slot: Slot, child: ChildProcess, how: string): void {
    if (slot.child !== child) return;
    const upMs = performance.now() - slot.startedAtMs;
    const expected = slot.state === "draining";
    if (!this.#started) slot.complaint ??= { message: `worker ${slot.name} ended while it started (${how})` };
    const journal = slot.note?.journal;
    Object.assign(slot, { child: undefined, note: undefined, state: "down" });
    if (journal !== undefined) {
      this.#counts.end(journal);
      this.#options.onEnded(journal, this.#lender.drop(journal));
    }
    this.#rounds.forget(slot);
    if (this.#started && !this.#stopping) this.#restartLater(slot, { upMs, how, expected });
    this.#changed();
  }

  #restartLater(slot: Slot, end: { readonly upMs: number; readonly how: string; readonly expected: boolean }): void {
    const { delayMs, failures } = restartDelayMs(slot.failures, end.upMs);
    slot.failures = failures;
    const why = slot.complaint?.message;
    const facts = { worker: slot.name, how: end.how, inMs: delayMs, ...(why === undefined ? {} : { why }) };
    this.#options.log[end.expected ? "info" : "error"]("a worker ended and is started again", facts);
    setTimeout(() => {
      if (!this.#stopping) this.#launch(slot);
    }, delayMs);
  }

  #send(slot: Slot, message: SupervisorMessage): void {
    if (slot.child?.connected === true) slot.mail?.say(message);
  }

  #notes(): readonly WorkerNote[] {
    return this.#slots.flatMap((slot) => (slot.note === undefined ? [] : [slot.note]));
  }

  #changed(): void {
    this.#options.onWorkers(this.#notes());
    const fleet = this.state;
    for (const slot of this.#slots) if (slot.state === "ready") this.#send(slot, { kind: "fleet", fleet });
    for (const look of this.#watchers) look();
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }
}
