import { setImmediate as nextTurn } from "node:timers/promises";
import { calibrationVersion } from "#confidence/calibration-file";
import { refit, type Refitted } from "#control/confidence/refit";
import { trainingRows } from "#control/confidence/training-rows";
import { writeCalibrations } from "#control/config/calibrations";
import type { LabelsFile } from "#control/store/labels-file";
import { judgedAnswers, type JudgedAnswer } from "#control/store/read-judged";
import type { Store } from "#control/store/sqlite";
import type { CalibrationSet } from "#domain/calibration";
import type { Snapshot } from "#domain/snapshot";
import type { Log } from "./log.ts";

export interface LearnerOptions {
  readonly store: Store;
  readonly labels: Pick<LabelsFile, "page" | "state" | "close">;
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
  /** Ends after the pass that is under way. */
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
/** Judged answers that are looked at for drift. */
const maxJudged = 20_000;
const judgedPage = 500;
const judgedForMs = 30 * 86_400_000;
const complainEveryMs = 60_000;

/**
 * Learns from labels how much confidence is worth: every 25 labels or 250 judged answers, once a minute at most and once an
 * hour at least. In turns of some milliseconds (a fit of thousands of labels takes one longer turn), so that the other work
 * of the supervisor goes on; no worker waits for it. A failure costs the pass: calibrations stay as they are.
 */
export function followLabels(options: LearnerOptions): Learner {
  return new LabelFollower(options);
}

async function breathe(): Promise<void> {
  await nextTurn();
}

class LabelFollower implements Learner {
  readonly #options: LearnerOptions;
  readonly #pace: Pace;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #finished = false;
  #learnedLabels = 0;
  #learnedAtMs = Number.NEGATIVE_INFINITY;
  #learnedWallMs = 0;
  #routes: Snapshot["routes"] | undefined;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.#pace = { ...usualPace, ...options.pace };
    this.#wait();
  }

  async finish(): Promise<void> {
    this.#finished = true;
    clearTimeout(this.#timer);
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
      if (performance.now() - this.#complainedAtMs < complainEveryMs) return;
      this.#complainedAtMs = performance.now();
      this.#options.log.error("nothing could be learned from labels; calibrations stay as they are", {
        why: (error as Error).message,
      });
    }
  }

  #isDue(): boolean {
    const restedMs = performance.now() - this.#learnedAtMs;
    if (restedMs < this.#pace.restMs) return false;
    if (this.#options.labels.state().kept - this.#learnedLabels >= labelsForPass) return true;
    return restedMs >= this.#pace.longestRestMs || this.#newlyJudged() >= judgedForPass;
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
    const { store, labels, snapshot } = this.#options;
    const nowMs = Date.now();
    const { kept } = labels.state();
    const { routes, calibration: previous } = snapshot();
    const rows = await trainingRows({ store, labels, breathe });
    const judged = await this.#judgedOfLate(nowMs);
    // Promises are part of routes: certificates have to be made anew with them.
    const whole = this.#routes !== routes;
    const refitted = await refit({ rows, judged, previous, routes, nowMs, whole, breathe });
    this.#learnedLabels = kept;
    this.#learnedAtMs = performance.now();
    this.#learnedWallMs = nowMs;
    this.#routes = routes;
    this.#publish(refitted, { previous, labels: rows.length, nowMs });
  }

  async #judgedOfLate(nowMs: number): Promise<readonly JudgedAnswer[]> {
    const found: JudgedAnswer[] = [];
    let untilMs = nowMs + 1;
    while (found.length < maxJudged) {
      const page = judgedAnswers(this.#options.store, { fromMs: nowMs - judgedForMs, untilMs, limit: judgedPage });
      found.push(...page);
      if (page.length < judgedPage) break;
      untilMs = page.at(-1)?.atMs ?? 0;
      await nextTurn();
    }
    return found;
  }

  #publish(
    { entries, news }: Refitted,
    { previous, labels, nowMs }: { previous: CalibrationSet | undefined; labels: number; nowMs: number },
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
