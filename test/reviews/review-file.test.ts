import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { keptDecidedMs, openReviewFile, type ReviewFile, type ReviewFileOptions } from "#control/reviews/review-file";
import type { Label } from "#domain/confidence";
import { maxReviewBytes } from "#domain/review";
import { candidate, reviewId, sampleReview } from "./sample-review.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "hedgerow-reviews-"));
  cleanups.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

interface Desk {
  readonly reviews: ReviewFile;
  readonly clock: { nowMs: number };
  readonly said: string[];
}

function desk(path = join(folder(), "reviews.sqlite"), more: Partial<ReviewFileOptions> = {}): Desk {
  const clock = { nowMs: 2_000 };
  const said: string[] = [];
  const opened = openReviewFile({ path, wallMs: () => clock.nowMs, onTrouble: (why) => void said.push(why), ...more });
  if (opened.kind === "refused") throw new Error(opened.message);
  cleanups.push(() => opened.reviews.close());
  return { reviews: opened.reviews, clock, said };
}

const found = (reviews: ReviewFile, id: string) => {
  const look = reviews.show(id);
  if (look.kind !== "found") throw new Error(`no review ${id}: ${look.kind}`);
  return look.review;
};
const accept = (by: string, target = "b/two") => ({ by, answer: { kind: "accept", target } }) as const;

describe("The file of reviews", () => {
  it("gives a review as it was put, to its owner alone", () => {
    const { reviews } = desk();
    const review = sampleReview();
    expect(reviews.put(review)).toBe(true);
    expect(reviews.get("app", review.id)).toEqual({ kind: "found", review: { ...review, status: "open" } });
    expect(reviews.get("other", review.id)).toEqual({ kind: "unknown" });
    expect(reviews.get("app", reviewId(2))).toEqual({ kind: "unknown" });
  });

  it("keeps it for whoever opens the file afterwards, readable by us alone", () => {
    const path = join(folder(), "reviews.sqlite");
    const first = desk(path);
    expect(first.reviews.put(sampleReview())).toBe(true);
    const second = desk(path);
    expect(found(second.reviews, reviewId(1)).status).toBe("open");
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it.each([
    "",
    "rev_",
    "rev_1",
    "../reviews.sqlite",
    "rev_00000000000000000000000G",
    `${reviewId(1)}\n`,
    "' OR 1=1 --",
  ])("knows nothing of the id %j", (id) => {
    const { reviews } = desk();
    reviews.put(sampleReview());
    expect(reviews.get("app", id)).toEqual({ kind: "unknown" });
    expect(reviews.claim(id, { by: "ann" })).toEqual({ kind: "unknown" });
    expect(reviews.answer(id, accept("ann"))).toEqual({ kind: "unknown" });
    expect(reviews.put(sampleReview({ id }))).toBe(false);
  });

  it("puts an id once", () => {
    const { reviews } = desk();
    expect(reviews.put(sampleReview())).toBe(true);
    expect(reviews.put(sampleReview({ owner: "thief" }))).toBe(false);
    expect(found(reviews, reviewId(1)).owner).toBe("app");
  });

  it("cuts a long request, and leaves out an answer that would have to be cut", () => {
    const { reviews } = desk();
    const long = "ü".repeat(maxReviewBytes);
    const candidates = [{ ...candidate("a/one", 0.9), answer: `"${long}"` }, candidate("b/two", 0.2, long)];
    reviews.put(sampleReview({ request: long, candidates: [...candidates, candidate("c/three", 0.1)] }));
    const review = found(reviews, reviewId(1));
    expect(review.request).toBe("ü".repeat(maxReviewBytes / 2));
    expect(review.candidates.map(({ target }) => target)).toEqual(["c/three"]);
  });

  it("has one decision, whoever comes later", () => {
    const { reviews, clock } = desk();
    reviews.put(sampleReview());
    expect(reviews.answer(reviewId(1), accept("ann"))).toMatchObject({ kind: "done" });
    clock.nowMs += 1;
    const late = reviews.answer(reviewId(1), { by: "bob", answer: { kind: "reject" } });
    expect(late).toMatchObject({ kind: "refused", why: "decided" });
    expect(late.kind === "refused" && late.message).toBe("it is decided: accepted by ann, 1970-01-01T00:00:02.000Z");
    expect(found(reviews, reviewId(1)).decision).toEqual({
      kind: "accepted",
      target: "b/two",
      answer: sampleReview().candidates[1]?.answer,
      reviewer: "ann",
      atMs: 2_000,
    });
  });

  it("lets a claim keep others out until its lease ends, and be renewed by who has it", () => {
    const { reviews, clock } = desk();
    reviews.put(sampleReview());
    expect(reviews.claim(reviewId(1), { by: "ann", leaseMs: 1_000 })).toMatchObject({ kind: "done" });
    const other = reviews.claim(reviewId(1), { by: "bob" });
    expect(other).toMatchObject({ kind: "refused", why: "claimed" });
    expect(other.kind === "refused" && other.message).toBe("ann has claimed it until 1970-01-01T00:00:03.000Z");
    expect(reviews.answer(reviewId(1), accept("bob"))).toMatchObject({ kind: "refused", why: "claimed" });
    clock.nowMs = 2_900;
    expect(reviews.claim(reviewId(1), { by: "ann", leaseMs: 1_000 })).toMatchObject({ kind: "done" });
    clock.nowMs = 3_899;
    expect(reviews.claim(reviewId(1), { by: "bob" })).toMatchObject({ kind: "refused" });
    clock.nowMs = 3_900;
    expect(found(reviews, reviewId(1)).status).toBe("open");
    expect(reviews.claim(reviewId(1), { by: "bob" })).toMatchObject({ kind: "done" });
    expect(reviews.answer(reviewId(1), accept("ann"))).toMatchObject({ kind: "refused", why: "claimed" });
    expect(reviews.answer(reviewId(1), accept("bob"))).toMatchObject({ kind: "done" });
  });

  it.each([
    ["refuse", undefined],
    ["best", "b/two"],
  ] as const)("decides by the rule `%s` once the deadline has passed, whoever looks first", (onTimeout, target) => {
    const { reviews, clock } = desk();
    const looks: ((id: string) => unknown)[] = [
      (id) => reviews.show(id),
      (id) => reviews.claim(id, { by: "ann" }),
      (id) => reviews.answer(id, accept("ann")),
      () => reviews.list({ limit: 10 }),
      () => reviews.expireDue(),
    ];
    looks.forEach((_look, at) => reviews.put(sampleReview({ id: reviewId(at), onTimeout })));
    looks.forEach((look, at) => {
      clock.nowMs = 601_000 + at;
      look(reviewId(at));
    });
    clock.nowMs = 1_000_000;
    for (const at of looks.keys()) {
      const { decision } = found(reviews, reviewId(at));
      expect(decision).toMatchObject({ kind: "expired", reviewer: "deadline" });
      expect(decision?.target).toBe(target);
      expect(decision?.answer).toBe(target === undefined ? undefined : sampleReview().candidates[1]?.answer);
      expect(decision?.atMs).toBeLessThan(601_100);
    }
  });

  it("lists what waits by its deadline, then what is decided", () => {
    const { reviews, clock } = desk();
    reviews.put(sampleReview({ id: reviewId(1), deadlineAtMs: 9_000_000 }));
    reviews.put(sampleReview({ id: reviewId(2), deadlineAtMs: 8_000_000 }));
    reviews.put(sampleReview({ id: reviewId(3), deadlineAtMs: 7_000_000 }));
    reviews.put(sampleReview({ id: reviewId(4) }));
    reviews.answer(reviewId(4), accept("ann"));
    reviews.claim(reviewId(1), { by: "ann", leaseMs: 10 });
    reviews.claim(reviewId(2), { by: "ann", leaseMs: 1_000 });
    clock.nowMs += 500;
    const list = (status?: "open" | "claimed" | "decided"): readonly string[] => {
      const listed = reviews.list({ limit: 3, ...(status === undefined ? {} : { status }) });
      return listed.kind === "listed" ? listed.reviews.map((each) => `${each.id.at(-1)} ${each.status}`) : [];
    };
    expect(list()).toEqual(["3 open", "2 claimed", "1 open"]);
    expect(list("open")).toEqual(["3 open", "1 open"]);
    expect(list("claimed")).toEqual(["2 claimed"]);
    expect(list("decided")).toEqual(["4 decided"]);
  });

  it("says no beyond its bounds, and yes again once there is room", () => {
    const { reviews, said, clock } = desk(undefined, { maxOpen: 2 });
    const put = (at: number): boolean => reviews.put(sampleReview({ id: reviewId(at) }));
    expect([1, 2, 3].map(put)).toEqual([true, true, false]);
    expect(said).toEqual([expect.stringContaining("too many wait for a person")]);
    reviews.answer(reviewId(1), accept("ann"));
    expect(put(3)).toBe(true);
    clock.nowMs = 700_000;
    reviews.expireDue();
    expect([4, 5].map(put)).toEqual([true, true]);
  });

  it("gives up decided ones early rather than refuse new ones, but only once their labels are given", () => {
    const { reviews } = desk(undefined, { maxTotalBytes: 2_000 });
    const put = (at: number): boolean => reviews.put(sampleReview({ id: reviewId(at) }));
    expect([1, 2, 3, 4, 5, 6].map(put)).toContain(false);
    reviews.answer(reviewId(1), accept("ann"));
    expect(put(7)).toBe(false);
    reviews.news.giveLabels({ add: () => true });
    expect(put(7)).toBe(true);
    expect(reviews.show(reviewId(1))).toEqual({ kind: "unknown" });
  });

  it("forgets what was decided long ago", () => {
    const { reviews, clock } = desk();
    reviews.put(sampleReview());
    clock.nowMs = 700_000;
    expect(reviews.expireDue()).toBe(1);
    clock.nowMs += keptDecidedMs;
    expect(reviews.forgetOld()).toBe(0);
    clock.nowMs += 1;
    expect(reviews.forgetOld()).toBe(1);
  });

  it("gives labels until they are taken, once", () => {
    const { reviews } = desk();
    reviews.put(sampleReview());
    reviews.answer(reviewId(1), { ...accept("ann"), reason: "I looked" });
    const labels: Label[] = [];
    expect(reviews.news.giveLabels({ add: () => false })).toBe(0);
    const labelsPort = { add: (label: Label) => labels.push(label) > 0 };
    expect([reviews.news.giveLabels(labelsPort), reviews.news.giveLabels(labelsPort)]).toEqual([1, 0]);
    expect(labels).toEqual([
      {
        callId: "req_1",
        target: "b/two",
        correct: 1,
        source: "review",
        weight: 1,
        propensity: 1,
        caller: "app",
        atMs: 2_000,
        note: "I looked",
      },
    ]);
  });

  it("says no while another holds the file, does not wait for each of many, and recovers", async () => {
    const path = join(folder(), "reviews.sqlite");
    const { reviews, said } = desk(path, { busyTimeoutMs: 20 });
    reviews.put(sampleReview());
    const other = new DatabaseSync(path);
    cleanups.push(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    const startedAtMs = performance.now();
    for (let at = 2; at < 100; at += 1) expect(reviews.put(sampleReview({ id: reviewId(at) }))).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    expect(said).toEqual([expect.stringContaining("locked")]);
    expect(found(reviews, reviewId(1)).status).toBe("open");
    expect(reviews.claim(reviewId(1), { by: "ann" })).toMatchObject({ kind: "unavailable" });
    other.exec("ROLLBACK");
    await expect.poll(() => reviews.put(sampleReview({ id: reviewId(2) })), { timeout: 3_000 }).toBe(true);
  });

  it("tells nothing as decided that is not written down", () => {
    const path = join(folder(), "reviews.sqlite");
    const { reviews, clock } = desk(path, { busyTimeoutMs: 1 });
    reviews.put(sampleReview());
    const other = new DatabaseSync(path);
    cleanups.push(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    clock.nowMs = 700_000;
    expect(found(reviews, reviewId(1))).toMatchObject({ status: "open" });
    other.exec("ROLLBACK");
    expect(found(reviews, reviewId(1))).toMatchObject({ status: "decided", decision: { atMs: 700_000 } });
  });

  it("says no where the file can only be read", () => {
    const path = join(folder(), "reviews.sqlite");
    const { reviews, said } = desk(path);
    reviews.put(sampleReview());
    const store = new DatabaseSync(path);
    // Root may write to any file, so the file is made read-only from inside.
    store.exec("CREATE TRIGGER no_more BEFORE INSERT ON reviews BEGIN SELECT RAISE(ABORT, 'read-only'); END");
    store.close();
    expect(reviews.put(sampleReview({ id: reviewId(2) }))).toBe(false);
    expect(said).toEqual([expect.stringContaining("read-only")]);
  });

  it.each(["no database", "a folder"])(
    "cannot be opened where there is %s in its place, and says what to do",
    (what) => {
      const path = what === "a folder" ? folder() : join(folder(), "reviews.sqlite");
      if (what !== "a folder") writeFileSync(path, "x".repeat(5_000));
      const opened = openReviewFile({ path, wallMs: () => 0, onTrouble: () => {} });
      expect(opened).toMatchObject({ kind: "refused", message: expect.stringContaining("check its permissions") });
      if (what === "a folder") chmodSync(path, 0o700);
    },
  );

  it("is left alone where a newer version has written it", () => {
    const path = join(folder(), "reviews.sqlite");
    const store = new DatabaseSync(path);
    store.exec("PRAGMA user_version = 99");
    store.close();
    const opened = openReviewFile({ path, wallMs: () => 0, onTrouble: () => {} });
    expect(opened).toMatchObject({ kind: "refused", message: expect.stringContaining("newer hedgerow") });
  });
});
