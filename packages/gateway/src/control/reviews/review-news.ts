import type { Store } from "#control/store/sqlite";
import type { Labels } from "#domain/ports";
import { labelsOf } from "./labels-of.ts";
import { readBrief, readReview, type ReviewBrief } from "./review-rows.ts";

/** Something that happened to a review and that its route's webhook has not been told. */
export interface ReviewNotice {
  readonly seq: number;
  readonly kind: NoticeKind;
  readonly review: ReviewBrief;
  /** How often whoever is told would not have it. */
  readonly tries: number;
  readonly madeAtMs: number;
}

export type NoticeKind = "created" | "decided";

/** Of notices that wait; the oldest leave first. Two for each open review. */
const maxNotices = 200_000;
const labelledAtOnce = 100;
/** Labels that nobody takes for so long are given up, so that they hold up no others. */
const labelsWaitMs = 7 * 86_400_000;

/** Part of the transaction that makes the news. */
export function noteNews(
  store: Store,
  news: { readonly review: string; readonly kind: NoticeKind; readonly atMs: number },
): void {
  store.run(
    "INSERT INTO notices (review, kind, made_ms, next_ms) VALUES (?, ?, ?, ?)",
    news.review,
    news.kind,
    news.atMs,
    news.atMs,
  );
  store.run("DELETE FROM notices WHERE seq <= (SELECT max(seq) FROM notices) - ?", maxNotices);
}

/** What has happened and is still to be told: it leaves only when it was, so that each arrives at least once. */
export class ReviewNews {
  readonly #store: Store;
  readonly #wallMs: () => number;

  constructor(store: Store, wallMs: () => number) {
    this.#store = store;
    this.#wallMs = wallMs;
  }

  /** Those whose time has come, oldest first, at most one for each review: what was first is told first. */
  waiting(limit: number): readonly ReviewNotice[] {
    const rows = this.#store.all(
      `SELECT seq, review, kind, tries, made_ms FROM notices AS notice WHERE next_ms <= ?
         AND NOT EXISTS (SELECT 1 FROM notices WHERE review = notice.review AND seq < notice.seq)
       ORDER BY seq LIMIT ?`,
      this.#wallMs(),
      limit,
    );
    return rows.flatMap((row): readonly ReviewNotice[] => {
      const seq = Number(row["seq"]);
      const review = readBrief(this.#store, String(row["review"]));
      if (review !== undefined) {
        const kind = row["kind"] as NoticeKind;
        return [{ seq, kind, review, tries: Number(row["tries"]), madeAtMs: Number(row["made_ms"]) }];
      }
      this.told(seq);
      return [];
    });
  }

  /** Told, or not to be told to anybody. */
  told(seq: number): void {
    this.#store.run("DELETE FROM notices WHERE seq = ?", seq);
  }

  /** Whoever is told would not have it. */
  refused(seq: number, waitMs: number): void {
    this.#store.run("UPDATE notices SET tries = tries + 1, next_ms = ? WHERE seq = ?", this.#wallMs() + waitMs, seq);
  }

  /** Nobody was reached. */
  postponed(seqs: readonly number[], waitMs: number): void {
    const nextMs = this.#wallMs() + waitMs;
    this.#store.transaction(() => {
      for (const seq of seqs) this.#store.run("UPDATE notices SET next_ms = ? WHERE seq = ?", nextMs, seq);
    });
  }

  /** Gives the labels of decisions to whoever keeps labels; how many reviews. One that fails is tried again. */
  giveLabels(labels: Labels): number {
    const rows = this.#store.all(
      "SELECT id, decided_ms FROM reviews WHERE labels_due = 1 ORDER BY decided_ms LIMIT ?",
      labelledAtOnce,
    );
    let given = 0;
    for (const row of rows) {
      const id = String(row["id"]);
      const review = readReview(this.#store, id);
      const isGiven = review === undefined || labelsOf(review).every((label) => labels.add(label));
      if (isGiven) given += 1;
      else if (Number(row["decided_ms"]) > this.#wallMs() - labelsWaitMs) continue;
      this.#store.run("UPDATE reviews SET labels_due = 0 WHERE id = ?", id);
    }
    return given;
  }
}
