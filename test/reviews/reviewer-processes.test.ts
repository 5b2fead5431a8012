import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { openReviewFile, type ReviewFile } from "#control/reviews/review-file";
import type { ReviewState } from "#domain/review";
import type { Order, Reply } from "./reviewer-process.ts";
import { reviewId, sampleReview } from "./sample-review.ts";

const program = fileURLToPath(new URL("./reviewer-process.ts", import.meta.url));
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Reviewer {
  readonly child: ChildProcess;
  readonly steps: Extract<Reply, { readonly step: string }>[];
  ask(what: Order["what"]): Promise<string>;
  /** As a machine that loses its power would. */
  kill(): Promise<void>;
}

async function reviewer(path: string, by: string, skewMs = 0): Promise<Reviewer> {
  const child = fork(program, [path, by, String(skewMs)], { execArgv: ["--conditions=hedgerow-source"] });
  const steps: Reviewer["steps"] = [];
  const waiting = new Map<number, (word: string) => void>();
  let seq = 0;
  const ready = new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the reviewer ended with ${code}`)));
    child.on("message", (reply: Reply) => {
      if ("word" in reply) waiting.get(reply.seq)?.(reply.word);
      else if (reply.review === "ready") resolve();
      else steps.push(reply);
    });
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  };
  cleanups.push(kill);
  await ready;
  return {
    child,
    steps,
    kill,
    ask(what) {
      seq += 1;
      const mine = seq;
      return new Promise((resolve) => {
        waiting.set(mine, resolve);
        child.send({ seq: mine, what } satisfies Order);
      });
    },
  };
}

function place(): { readonly path: string; readonly reviews: ReviewFile } {
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-reviewers-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "reviews.sqlite");
  const opened = openReviewFile({ path, wallMs: Date.now, onTrouble: () => {}, busyTimeoutMs: 5_000 });
  if (opened.kind === "refused") throw new Error(opened.message);
  cleanups.push(() => opened.reviews.close());
  return { path, reviews: opened.reviews };
}

function found(reviews: ReviewFile, id: string): ReviewState {
  const look = reviews.show(id);
  if (look.kind !== "found") throw new Error(`${id} is lost: ${look.kind}`);
  return look.review;
}

/** Who is asked first, and therefore mostly wins, changes: they meet in the file. */
async function atOnce(
  at: number,
  [one, other]: readonly [() => Promise<string>, () => Promise<string>],
): Promise<readonly [string, string]> {
  if (at % 2 === 0) return Promise.all([one(), other()]);
  const second = other();
  const first = one();
  return [await first, await second];
}

const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => reviewId(at));
const hour = 3_600_000;

describe("Reviewers in processes of their own", () => {
  it("race 200 times: one decides, the other is told by whom and when", async () => {
    const { path, reviews } = place();
    const all = ids(200);
    for (const id of all) reviews.put(sampleReview({ id, createdAtMs: Date.now(), deadlineAtMs: Date.now() + hour }));
    const [ann, bob] = await Promise.all([reviewer(path, "ann"), reviewer(path, "bob")]);
    const won = { ann: 0, bob: 0 };
    for (const [at, review] of all.entries()) {
      const [anns, bobs] = await atOnce(at, [
        () => ann.ask({ kind: "accept", review }),
        () => bob.ask({ kind: "accept", review }),
      ]);
      expect([anns, bobs].filter((word) => word === "done")).toHaveLength(1);
      const winner = anns === "done" ? "ann" : "bob";
      won[winner] += 1;
      const { decision } = found(reviews, review);
      expect(decision).toMatchObject({ kind: "accepted", reviewer: winner });
      const when = new Date(decision?.atMs ?? 0).toISOString();
      expect([anns, bobs]).toContain(`it is decided: accepted by ${winner}, ${when}`);
    }
    // Otherwise they did not meet, and nothing was tried.
    expect(Math.min(won.ann, won.bob)).toBeGreaterThan(0);
  }, 60_000);

  it("decide against a deadline with clocks two hours apart: one decision, the same for all", async () => {
    const { path, reviews } = place();
    const all = ids(100);
    for (const id of all) {
      reviews.put(
        sampleReview({ id, createdAtMs: Date.now(), deadlineAtMs: Date.now() + hour / 2, onTimeout: "best" }),
      );
    }
    const [late, early] = await Promise.all([reviewer(path, "ann", -hour), reviewer(path, "clock", hour)]);
    let expired = 0;
    for (const [at, review] of all.entries()) {
      const [answer, look] = await atOnce(at, [
        () => late.ask({ kind: "accept", review }),
        () => early.ask({ kind: "look", review }),
      ]);
      const { decision } = found(reviews, review);
      const isAnns = answer === "done";
      if (!isAnns) {
        expired += 1;
        expect(answer).toMatch(/^it is decided: its deadline passed, /u);
      }
      expect(decision).toMatchObject(
        isAnns ? { kind: "accepted", reviewer: "ann" } : { kind: "expired", reviewer: "deadline" },
      );
      expect(look).toBe(isAnns ? "ann" : "deadline");
    }
    expect(expired).toBeGreaterThan(0);
    expect(expired).toBeLessThan(all.length);
  }, 60_000);

  it("may be killed between claim and answer: the lease ends, another decides, and nothing is lost", async () => {
    const { path, reviews } = place();
    const id = reviewId(1);
    reviews.put(sampleReview({ id, createdAtMs: Date.now(), deadlineAtMs: Date.now() + hour }));
    const [ann, bob] = await Promise.all([reviewer(path, "ann"), reviewer(path, "bob")]);
    expect(await ann.ask({ kind: "claim", review: id, leaseMs: 2_500 })).toBe("done");
    await ann.kill();
    expect(await bob.ask({ kind: "claim", review: id, leaseMs: 1_000 })).toMatch(/^ann has claimed it until /u);
    await expect.poll(() => bob.ask({ kind: "claim", review: id, leaseMs: 60_000 }), { timeout: 10_000 }).toBe("done");
    expect(await bob.ask({ kind: "accept", review: id })).toBe("done");
    expect(found(reviews, id)).toMatchObject({ status: "decided", decision: { reviewer: "bob" } });
  }, 30_000);

  it("may be killed at any moment: what they were told is done is on disk", async () => {
    const { path, reviews } = place();
    for (let round = 0; round < 5; round += 1) {
      const ann = await reviewer(path, "ann");
      void ann.ask({ kind: "work", from: round * 100_000 });
      await expect.poll(() => ann.steps.length, { timeout: 10_000, interval: 5 }).toBeGreaterThan(20 + round);
      await ann.kill();
      for (const { step, review } of ann.steps) {
        const state = found(reviews, review);
        if (step === "answered") expect(state.decision).toMatchObject({ kind: "accepted", reviewer: "ann" });
        if (step === "claimed") expect(state.decision?.reviewer ?? state.claimedBy).toBe("ann");
      }
    }
    // Nor does anything that was torn keep others out.
    const last = reviews.list({ status: "claimed", limit: 100 });
    const open = last.kind === "listed" ? last.reviews.length : Number.NaN;
    expect(open).toBeLessThanOrEqual(5);
    expect(reviews.put(sampleReview({ id: reviewId(999_999) }))).toBe(true);
  }, 60_000);
});
