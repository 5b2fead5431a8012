import { writeSync } from "node:fs";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { openLabelsFile, type LabelsFile } from "#control/store/labels-file";
import { openReviewFile, type ReviewFile } from "#control/reviews/review-file";
import { openMemoryFile } from "#control/store/memory-file";
import type { HealthHint } from "#domain/health";
import type { Memory } from "#domain/ports";
import { Purse } from "#ledger/purse";
import { openJournal, type JournalWriter } from "#ledger/journal";
import { agedHint } from "#policy/hints";
import { IssuedKeys } from "#pipeline/issued-keys";
import { SupervisorDesk } from "./ask-supervisor.ts";
import { SupervisorLender } from "./borrow-from-supervisor.ts";
import { logNews } from "./health-log.ts";
import { openLog, type Log } from "./log.ts";
import type { Fleet, OthersReports, SupervisorMessage, WorkerMessage, WorkerStart } from "./messages.ts";
import { PayloadLog, payloadsFolder } from "./payload-log.ts";
import { systemClock } from "./system-clock.ts";
import { openSnapshot } from "./sealed-snapshot.ts";
import { describeBug, startDataPlane, type RunningDataPlane } from "./start-data-plane.ts";
import { TurnMail } from "./turn-mail.ts";

/** A worker's drain by its own signal, when no supervisor says how long. */
const defaultDrainMs = 120_000;
/** After a bug: what can still finish in so long, does. */
const lastGaspMs = 3_000;
/** Others' counts that come later are left out of a `/metrics`. */
const metricsWaitMs = 200;
/** What is found out about providers is told so often: a burst of failures is one message. */
const newsEveryMs = 100;

/**
 * The main program of a forked worker: a data plane that takes its snapshot and orders from the supervisor and serves
 * on without one.
 */
class Worker {
  readonly #start: WorkerStart;
  readonly #log: Log;
  #plane: RunningDataPlane | undefined;
  #fleet: Fleet;
  #drainMs: number;
  #stopping = false;
  readonly #mail = new TurnMail<WorkerMessage>((messages) => {
    if (process.connected) process.send?.(messages, () => {});
  });
  readonly #lender: SupervisorLender;
  readonly #purse: Purse;
  readonly #keys = new IssuedKeys();
  readonly #desk: SupervisorDesk;
  #nextId = 1;
  readonly #metricsWaiters = new Map<number, (others: OthersReports) => void>();
  /** A message with news is on its way: more of them wait, so that a supervisor that hangs costs no memory. */
  #tellingNews = false;

  constructor(start: WorkerStart) {
    this.#start = start;
    this.#log = openLog({ style: start.logStyle, write: writeToStderr, wallMs: Date.now, from: start.worker });
    this.#fleet = { wanted: 1, ready: 1, versions: [] };
    this.#drainMs = defaultDrainMs;
    this.#lender = new SupervisorLender({
      say: (message) => this.#say(message),
      clock: systemClock,
      onAlone: () => this.#log.warn("no supervisor: limits are not counted, and no more of any budget is spent"),
    });
    this.#desk = new SupervisorDesk({
      say: (message) => this.#say(message),
      timer: (ms, then) => systemClock.timer(ms, then),
    });
    this.#keys.apply(start.keys);
    this.#purse = new Purse({ lender: this.#lender, clock: systemClock });
  }

  async run(handle: Server | undefined): Promise<void> {
    const { listen, journal: where } = this.#start;
    const snapshot = openSnapshot(this.#start.snapshot);
    this.#drainMs = snapshot.limits.drainMs;
    const journal = await openJournal({
      ...where,
      onHealth: (healthy, why) => {
        const { folder } = where;
        if (healthy) this.#log.info("the journal is healthy again", { folder, why });
        else this.#log.error("the journal's disk failed: new calls are refused until it is back", { folder, why });
      },
    }).catch((error: Error) => {
      // Without the system's code, which would be taken for one of the address.
      throw new Error(
        `records cannot be written to ${where.folder}: ${error.message}; choose another folder with --data`,
      );
    });
    const memory = this.#openMemory();
    const labels = this.#openLabels();
    const reviews = this.#openReviews();
    this.#plane = await startDataPlane({
      snapshot,
      journal,
      ...(memory === undefined ? {} : { memory }),
      ...(labels === undefined ? {} : { labels }),
      ...(reviews === undefined ? {} : { reviews }),
      payloads: this.#payloadLog(journal),
      accounts: this.#purse,
      issuedKeys: this.#keys,
      keyDesk: this.#desk,
      listen: {
        host: listen.host,
        port: listen.port,
        reusePort: listen.how === "shared",
        ...(handle === undefined ? {} : { handle }),
      },
      log: this.#log,
      onStoppedAccepting: () => this.#say({ kind: "draining" }),
      fleet: () => this.#fleet,
      othersReports: () => this.#othersReports(),
    });
    this.#plane.health.learn(this.#start.usual);
    this.#plane.health.hear(this.#knownBefore(), snapshot.version);
    setInterval(() => this.#tellNews(), newsEveryMs).unref();
    this.#say({ kind: "ready", port: this.#plane.port, version: snapshot.version });
  }

  /** Beside the journal, whatever is kept now: what was kept before leaves in its time. */
  #payloadLog(journal: JournalWriter): PayloadLog {
    const { folder, name } = this.#start.journal;
    return new PayloadLog({
      folder: join(dirname(folder), payloadsFolder),
      name,
      rule: () => this.#plane?.payloadRule,
      hasRoom: () => journal.healthy,
      log: this.#log,
      wallMs: Date.now,
    });
  }

  #knownBefore(): readonly HealthHint[] {
    const { hints, wallMs } = this.#start.health;
    const byMs = Math.max(0, Date.now() - wallMs);
    return hints.flatMap((hint) => agedHint(hint, byMs) ?? []);
  }

  /** Without the file, what is kept lives as long as this worker, and only here. */
  #openMemory(): Memory | undefined {
    const onTrouble = (why: string): void => {
      this.#log.warn("conversations and thoughts cannot be kept between calls at the moment", { why });
    };
    try {
      return openMemoryFile({ path: this.#start.memory, wallMs: Date.now, onTrouble });
    } catch (error) {
      onTrouble(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Without the file, verdicts are refused: they would be lost. */
  #openLabels(): LabelsFile | undefined {
    const onTrouble = (why: string): void => {
      this.#log.warn("verdicts on answers cannot be kept at the moment", { why });
    };
    try {
      return openLabelsFile({ path: this.#start.labels, onTrouble, nowMs: () => performance.now() });
    } catch (error) {
      onTrouble(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Without the file no answer can wait for a person: calls that would need one say so. */
  #openReviews(): ReviewFile | undefined {
    const onTrouble = (why: string): void => {
      this.#log.error("answers that should wait for a person cannot be kept at the moment", { why });
    };
    const opened = openReviewFile({ path: this.#start.reviews, wallMs: Date.now, onTrouble });
    if (opened.kind === "opened") return opened.reviews;
    onTrouble(opened.message);
    return undefined;
  }

  receive(message: SupervisorMessage): void {
    switch (message.kind) {
      case "start":
        throw new Error("a worker is started once");
      case "snapshot": {
        const snapshot = openSnapshot(message.snapshot);
        this.#drainMs = snapshot.limits.drainMs;
        this.#plane?.applySnapshot(snapshot);
        this.#say({ kind: "snapshot-applied", version: snapshot.version });
        return;
      }
      case "drain":
        this.stop(message.limitMs, 0);
        return;
      case "fleet":
        this.#fleet = message.fleet;
        return;
      case "metrics-request":
        if (this.#plane !== undefined) this.#say({ kind: "metrics", id: message.id, report: this.#plane.report() });
        return;
      case "metrics-of-others":
        this.#metricsWaiters.get(message.id)?.(message);
        return;
      case "lent":
        this.#lender.answered(message);
        return;
      case "keys":
        this.#keys.apply(message.news);
        return;
      case "admin-answer":
        this.#desk.answered(message);
        return;
      case "recall":
        this.#purse.recall(message.meters);
        this.#say({ kind: "returned", id: message.id });
        return;
      case "health":
        this.#plane?.health.hear(message.hints, message.version);
    }
  }

  #tellNews(): void {
    if (this.#plane === undefined || this.#tellingNews) return;
    const news = this.#plane.health.takeNews();
    if (news.hints.length === 0) return;
    logNews(news.hints, this.#log);
    if (!process.connected) return;
    this.#tellingNews = true;
    this.#mail.flush();
    process.send?.([{ kind: "health", ...news }] satisfies readonly WorkerMessage[], () => (this.#tellingNews = false));
  }

  /** Drains and exits. Called again, it may only get shorter. */
  stop(limitMs: number, exitCode: number): void {
    if (this.#plane === undefined) process.exit(exitCode);
    const first = !this.#stopping;
    this.#stopping = true;
    const plane = this.#plane;
    const drained = plane.drain(limitMs);
    if (!first) return;
    drained.then(
      () => this.#leave({ kind: "drained", metrics: plane.metrics() }, exitCode),
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#log.error("records could not be written before the exit", { why: message });
        this.#leave({ kind: "fatal", message }, 1);
      },
    );
  }

  stopBySignal(): void {
    this.stop(this.#drainMs, 0);
  }

  /** A bug: the process cannot be trusted any more. */
  crash(error: unknown): void {
    this.#log.error("the worker stops after a bug", { where: describeBug(error) });
    this.stop(lastGaspMs, 1);
    setTimeout(() => process.exit(1), lastGaspMs * 2).unref();
  }

  fail(error: unknown): void {
    const { message, code } = error as NodeJS.ErrnoException;
    this.#leave({ kind: "fatal", message, ...(code === undefined ? {} : { code }) }, 1);
  }

  #leave(word: WorkerMessage, exitCode: number): void {
    if (!process.connected) process.exit(exitCode);
    this.#mail.flush();
    process.send?.([word], () => process.exit(exitCode));
  }

  /** The supervisor may be gone at any moment; a worker never needs it to go on. False where it is. */
  #say(message: WorkerMessage): boolean {
    if (!process.connected) return false;
    this.#mail.say(message);
    return true;
  }

  #othersReports(): Promise<OthersReports> {
    const nobody: OthersReports = { reports: [], ofSupervisor: [] };
    if (!process.connected) return Promise.resolve(nobody);
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      const settle = (others: OthersReports): void => {
        clearTimeout(timer);
        this.#metricsWaiters.delete(id);
        resolve(others);
      };
      const timer = setTimeout(() => settle(nobody), metricsWaitMs);
      this.#metricsWaiters.set(id, settle);
      this.#say({ kind: "metrics-wanted", id, metrics: this.#plane?.metrics() ?? [] });
    });
  }
}

/** Synchronous, so that the last words before an exit are not lost; a dead terminal or pipe takes nobody down. */
function writeToStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // Nobody reads the log any more.
  }
}

let worker: Worker | undefined;

process.on("message", (messages: readonly SupervisorMessage[], handle: unknown) => {
  for (const message of messages) {
    if (worker !== undefined) {
      worker.receive(message);
    } else if (message.kind === "start") {
      worker = new Worker(message);
      worker.run(handle as Server | undefined).catch((error: unknown) => worker?.fail(error));
    }
  }
});
process.on("disconnect", () => {
  // The supervisor died. One that never got its orders has nothing to do; the others serve on.
  if (worker === undefined) process.exit(1);
});
process.on("SIGTERM", () => worker?.stopBySignal());
// Ctrl-C reaches the whole process group; the supervisor answers it with a `drain`.
process.on("SIGINT", () => {
  if (!process.connected) worker?.stopBySignal();
});
// A reload is the supervisor's business, and a closed terminal does not end a worker.
process.on("SIGHUP", () => {});
process.on("uncaughtException", (error) => (worker === undefined ? process.exit(1) : worker.crash(error)));
process.on("unhandledRejection", (error) => (worker === undefined ? process.exit(1) : worker.crash(error)));
