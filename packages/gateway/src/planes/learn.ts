import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { calibrationVersion } from "#confidence/calibration-file";
import type { Learned } from "#control/confidence/learn-from";
import { routePromises, type RoutePromises } from "#control/confidence/promises";
import { writeCalibrations } from "#control/config/calibrations";
import type { LabelsFile } from "#control/store/labels-file";
import type { Store } from "#control/store/sqlite";
import type { CalibrationSet } from "#domain/calibration";
import type { Snapshot } from "#domain/snapshot";
import type { LearnTask } from "./learn-thread.ts";
import type { Log } from "./log.ts";
import { sameSettings } from "./same-settings.ts";

export interface LearnerOptions {
  /** Both as they are open here, and where they are: learning has a thread of its own. */
  readonly store: Store;
  readonly storePath: string;
  readonly labels: Pick<LabelsFile, "state" | "close">;
  readonly labelsPath: string;
  /** Where calibrations are kept: read again at the next start. */
  readonly file: string;
  readonly log: Log;
  readonly snapshot: () => Snapshot;
  /** What was learned, whenever it is something new. */
  readonly onLearned: (calibrations: CalibrationSet) => void;
  /** Shortens waits, in tests. */
  readonly pace?: Partial<Pace>;
}

export interface Learner {
  /** A pass that is under way is given up: the next start makes it anew. */
  finish(): Promise<void>;
}

interface Pace {
  /** How often it is looked whether there is something to learn from. */
  readonly everyMs: number;
  /** Between two passes, at least, and where nothing new came, at most. */
  readonly restMs: number;
  readonly longestRestMs: number;
}

const usualPace: Pace = { everyMs: 5_000, restMs: 60_000, longestRestMs: 3_600_000 };
/** New labels, or judged answers that may have drifted, that are worth a pass. */
const labelsForPass = 25;
const judgedForPass = 250;
const complainEveryMs = 60_000;

/**
 * Learns from labels how much confidence is worth: every 25 labels or 250 judged answers, once a minute at most and once an
 * hour at least. In a thread of its own, so that the other work of the supervisor goes on; no worker waits for it. A failure
 * costs the pass: calibrations stay as they are.
 */
export function followLabels(options: LearnerOptions): Learner {
  return new LabelFollower(options);
}

function startThread(task: LearnTask): Worker {
  const extension = extname(import.meta.url);
  return new Worker(new URL(`./learn-thread${extension}`, import.meta.url), {
    workerData: task,
    // From the sources, names of rooms stand for sources, too.
    execArgv: extension === ".ts" ? ["--conditions=hedgerow-source"] : [],
  });
}

function answerOf(thread: Worker): Promise<Learned> {
  return new Promise((resolve, reject) => {
    thread.on("message", resolve);
    thread.on("error", reject);
    thread.on("exit", (code) => reject(new Error(`the thread that learns ended early with ${code}`)));
  });
}

class LabelFollower implements Learner {
  readonly #options: LearnerOptions;
  readonly #pace: Pace;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #thread: Worker | undefined;
  #finished = false;
  #learnedLabels = 0;
  #learnedAtMs = Number.NEGATIVE_INFINITY;
  #learnedWallMs = 0;
  #promises: RoutePromises | undefined;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.#pace = { ...usualPace, ...options.pace };
    this.#wait();
  }

  async finish(): Promise<void> {
    this.#finished = true;
    clearTimeout(this.#timer);
    await this.#thread?.terminate();
    await this.#running;
    this.#options.labels.close();
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#lookAndGoOn();
    }, this.#pace.everyMs);
  }

  async #lookAndGoOn(): Promise<void> {
    await this.#look();
    if (!this.#finished) this.#wait();
  }

  async #look(): Promise<void> {
    try {
      if (this.#isDue()) await this.#learn();
    } catch (error) {
      if (this.#finished || performance.now() - this.#complainedAtMs < complainEveryMs) return;
      this.#complainedAtMs = performance.now();
      this.#options.log.error("nothing could be learned from labels; calibrations stay as they are", {
        why: (error as Error).message,
      });
    }
  }

  #isDue(): boolean {
    const restedMs = performance.now() - this.#learnedAtMs;
    if (restedMs < this.#pace.restMs) return false;
    const { kept } = this.#options.labels.state();
    if (kept - this.#learnedLabels >= labelsForPass) return true;
    const judged = this.#newlyJudged();
    return judged >= judgedForPass || (restedMs >= this.#pace.longestRestMs && kept + judged > 0);
  }

  #newlyJudged(): number {
    const row = this.#options.store.get(
      `SELECT count(*) AS judged FROM (SELECT 1 FROM attempts WHERE verdict IS NOT NULL AND judged_at_ms > ? LIMIT ?) AS some`,
      this.#learnedWallMs,
      judgedForPass,
    );
    return Number(row?.["judged"] ?? 0);
  }

  async #learn(): Promise<void> {
    const { storePath, labelsPath, labels, snapshot } = this.#options;
    const nowMs = Date.now();
    const { kept } = labels.state();
    const current = snapshot();
    const promises = routePromises(current);
    // Certificates have to be made anew where another promise is given.
    const whole = !sameSettings(this.#promises, promises);
    const previous = current.calibration;
    this.#thread = startThread({ store: storePath, labels: labelsPath, previous, promises, nowMs, whole });
    const learned = await answerOf(this.#thread);
    if (this.#finished) return;
    this.#learnedLabels = kept;
    this.#learnedAtMs = performance.now();
    this.#learnedWallMs = nowMs;
    this.#promises = promises;
    this.#publish(learned, { previous, nowMs });
  }

  #publish(
    { entries, news, labels }: Learned,
    { previous, nowMs }: { previous: CalibrationSet | undefined; nowMs: number },
  ): void {
    const { file, log, onLearned } = this.#options;
    for (const { scope, state, why } of news) {
      if (state === "drift") {
        const message =
          "confidence no longer fits these answers: nothing is promised for them, and more is asked of them";
        log.warn(message, { scope, why: why ?? "", until: "100 newer labels" });
      } else if (state === "stale")
        log.warn("confidence rests on old labels; send feedback", { scope, why: why ?? "" });
      else log.info("confidence fits these answers again", { scope });
    }
    const version = calibrationVersion(entries);
    if (version === previous?.version || (previous === undefined && entries.length === 0)) return;
    writeCalibrations(file, { entries, createdAt: new Date(nowMs).toISOString() });
    log.info("confidence was learned anew from labels", { calibrations: entries.length, labels, version });
    onLearned({ version, entries });
  }
}
