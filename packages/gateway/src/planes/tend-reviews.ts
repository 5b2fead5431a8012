import { join } from "node:path";
import { endOf, type PostEnd } from "#control/forwarding/forwarding-pace";
import { openReviewFile, reviewFile, type ReviewFile } from "#control/reviews/review-file";
import type { ReviewNotice } from "#control/reviews/review-news";
import { labelsFile, openLabelsFile, type LabelsFile } from "#control/store/labels-file";
import type { HookRule } from "#domain/confidence";
import type { Labels } from "#domain/ports";
import type { Snapshot } from "#domain/snapshot";
import type { Log } from "./log.ts";
import { writtenBrief } from "./review-json.ts";

export interface ReviewTendingOptions {
  readonly reviews: ReviewFile;
  /** Absent: what decisions say of answers waits. */
  readonly labels?: Labels;
  readonly log: Log;
  /** Of the configuration that is served; webhooks are looked up in it by the review's route. */
  readonly routes: () => Snapshot["routes"];
  readonly everyMs?: number;
  /** Shortens waits, in tests. */
  readonly pace?: number;
}

export interface ReviewTending {
  /** Ends posts that are on their way. What is left goes with the next start. */
  finish(): Promise<void>;
}

const defaultEveryMs = 500;
const noticesAtOnce = 256;
const expiriesAtOnce = 5;
const forgetEveryMs = 60_000;
const postTimeoutMs = 10_000;
const firstWaitMs = 1_000;
const longestWaitMs = 300_000;
/** A notice is given up after so many refusals of what it says, or when nobody could be reached for so long. */
const mostRefusals = 3;
const givenUpAfterMs = 3 * 86_400_000;
const complainEveryMs = 60_000;

/** The same for the files of a data folder; undefined where they cannot be opened, which the log then says. */
export function tendReviewsIn(
  folder: string,
  { log, routes }: Pick<ReviewTendingOptions, "log" | "routes">,
): ReviewTending | undefined {
  const onTrouble = (why: string): void => log.error("reviews cannot be tended at the moment", { why });
  const path = join(folder, reviewFile);
  const opened = openReviewFile({ path, wallMs: Date.now, onTrouble, busyTimeoutMs: 1_000 });
  if (opened.kind === "refused") {
    onTrouble(opened.message);
    return undefined;
  }
  const { reviews } = opened;
  const labels = labelsIn(folder, onTrouble);
  const tending = tendReviews({ reviews, log, routes, ...(labels === undefined ? {} : { labels }) });
  return {
    async finish() {
      await tending.finish();
      reviews.close();
      labels?.close();
    },
  };
}

function labelsIn(folder: string, onTrouble: (why: string) => void): LabelsFile | undefined {
  try {
    return openLabelsFile({ path: join(folder, labelsFile), onTrouble, nowMs: () => performance.now() });
  } catch (error) {
    onTrouble((error as Error).message);
    return undefined;
  }
}

/**
 * What reviews need beside callers and reviewers: deadlines that nobody looks at, labels of decisions, webhooks that hear
 * at least once of what happened, and an end of old ones.
 */
export function tendReviews(options: ReviewTendingOptions): ReviewTending {
  return new Tending(options);
}

interface Hook {
  /** While nobody is reached. */
  failures: number;
  restUntilMs: number;
  /** On its way: one post at a time. */
  posting: Promise<void> | undefined;
}

class Tending implements ReviewTending {
  readonly #options: ReviewTendingOptions;
  readonly #stopped = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** By address: those of the configuration, and of ones before it. */
  readonly #hooks = new Map<string, Hook>();
  #forgetAtMs = 0;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReviewTendingOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#careful(() => this.#turn()), options.everyMs ?? defaultEveryMs);
  }

  async finish(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped.abort();
    await Promise.all([...this.#hooks.values()].flatMap(({ posting }) => posting ?? []));
  }

  #turn(): void {
    const { reviews, labels } = this.#options;
    for (let at = 0; at < expiriesAtOnce && reviews.expireDue() > 0; at += 1);
    if (labels !== undefined) reviews.news.giveLabels(labels);
    this.#tell();
    if (performance.now() < this.#forgetAtMs) return;
    this.#forgetAtMs = performance.now() + forgetEveryMs;
    reviews.forgetOld();
  }

  #tell(): void {
    const { reviews, routes } = this.#options;
    const byAddress = new Map<string, { readonly hook: HookRule; readonly notices: ReviewNotice[] }>();
    for (const notice of reviews.news.waiting(noticesAtOnce)) {
      const hook = routes().get(notice.review.route)?.confidence?.review.webhook;
      if (hook === undefined) {
        reviews.news.told(notice.seq);
        continue;
      }
      const same = byAddress.get(hook.url) ?? { hook, notices: [] };
      same.notices.push(notice);
      byAddress.set(hook.url, same);
    }
    for (const { hook, notices } of byAddress.values()) {
      const state = this.#hooks.get(hook.url) ?? { failures: 0, restUntilMs: 0, posting: undefined };
      this.#hooks.set(hook.url, state);
      if (state.posting !== undefined || performance.now() < state.restUntilMs) continue;
      state.posting = this.#postAll(hook, state, notices);
    }
  }

  async #postAll(hook: HookRule, state: Hook, notices: readonly ReviewNotice[]): Promise<void> {
    await this.#post(hook, state, notices);
    state.posting = undefined;
  }

  async #post(hook: HookRule, state: Hook, notices: readonly ReviewNotice[]): Promise<void> {
    for (const [at, notice] of notices.entries()) {
      const end = await this.#send(hook, notice);
      // Whoever stops cannot know whether it arrived; it is told again.
      if (this.#stopped.signal.aborted) return;
      const isReached = this.#careful(() => this.#after(end, state, notices.slice(at)));
      if (isReached !== true) return;
    }
  }

  /** Whether the next can be posted. `notices` begins with the one that was. */
  #after(end: PostEnd, state: Hook, notices: readonly ReviewNotice[]): boolean {
    const { reviews, log, pace = 1 } = this.#options;
    const [notice] = notices;
    if (notice === undefined) return false;
    const { seq, tries, madeAtMs, kind, review } = notice;
    const about = { review: review.id, notice: kind };
    if (end.kind === "failed") {
      state.failures += 1;
      const backoffMs = firstWaitMs * 2 ** Math.min(state.failures - 1, 20) * (0.5 + 0.5 * Math.random());
      const waitMs = Math.min(longestWaitMs, Math.max(backoffMs, end.waitMs ?? 0)) * pace;
      state.restUntilMs = performance.now() + waitMs;
      reviews.news.postponed(
        notices.map((each) => each.seq),
        waitMs,
      );
      this.#complain("the webhook for reviews is not reached; what it is to be told waits", { why: end.why });
      if (Date.now() - madeAtMs < givenUpAfterMs) return false;
      reviews.news.told(seq);
      log.error("a webhook was not told of a review: it was not reached for days", about);
      return false;
    }
    state.failures = 0;
    if (end.kind === "refused" && tries + 1 < mostRefusals) {
      reviews.news.refused(seq, firstWaitMs * 2 ** tries * pace);
      return true;
    }
    if (end.kind === "refused") log.error(`a webhook will not hear of a review: it answers ${end.status}`, about);
    reviews.news.told(seq);
    return true;
  }

  async #send(hook: HookRule, { kind, review, madeAtMs }: ReviewNotice): Promise<PostEnd> {
    const type = `review.${kind}`;
    const at = new Date(madeAtMs).toISOString();
    try {
      const response = await fetch(hook.url, {
        method: "POST",
        redirect: "manual",
        headers: {
          "content-type": "application/json",
          ...(hook.key === undefined ? {} : { authorization: `Bearer ${hook.key.reveal()}` }),
        },
        body: JSON.stringify({ id: `${review.id}.${kind}`, type, at, review: writtenBrief(review) }),
        signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(postTimeoutMs)]),
      });
      await response.body?.cancel();
      const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
      const end = endOf(response.status, Number.isFinite(seconds) ? seconds * 1000 : undefined);
      return end.kind === "failed" ? { ...end, why: `it answered ${response.status}` } : end;
    } catch (error) {
      const { message, cause } = error as Error;
      return { kind: "failed", why: cause instanceof Error ? cause.message : message };
    }
  }

  /** A locked or full disk: all of it is tried again with the next turn. */
  #careful<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#complain("reviews cannot be tended at the moment", { why: (error as Error).message });
      return undefined;
    }
  }

  #complain(message: string, fields: { readonly why: string }): void {
    if (performance.now() - this.#complainedAtMs < complainEveryMs) return;
    this.#complainedAtMs = performance.now();
    this.#options.log.error(message, fields);
  }
}
