import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NewReview, ReviewCandidate, ReviewState } from "#domain/review";
import { answered, claimed, longestLeaseMs, opened, settled, type Turn, type Verdict } from "./turns.ts";

const candidate = (target: string, more: Partial<ReviewCandidate> = {}): ReviewCandidate => ({
  target,
  answer: `{"by":"${target}"}`,
  text: `says ${target}`,
  ...more,
});
const scored = (target: string, score: number | null, shape = "short") =>
  candidate(target, { judgement: { score, key: { shape } } as ReviewCandidate["judgement"] & object });

const fresh = (more: Partial<NewReview> = {}): ReviewState =>
  opened({
    id: "rev_000000000000000000000001",
    callId: "req_1",
    owner: "app",
    route: "main",
    dialect: "openai-chat",
    request: "{}",
    candidates: [scored("a/one", 0.4), scored("b/two", 0.7)],
    createdAtMs: 0,
    deadlineAtMs: 1_000,
    onTimeout: "refuse",
    ...more,
  });

type Step =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "claim"; readonly by: string; readonly leaseMs: number }
  | { readonly kind: "answer"; readonly by: string; readonly answer: Verdict["answer"] };

const people = fc.constantFrom("ann", "bob", "cid");
const steps = fc.array(
  fc.oneof(
    // Clocks may be set back, too.
    fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: -150, max: 300 }) }),
    fc.record({ kind: fc.constant("claim" as const), by: people, leaseMs: fc.integer({ min: 1, max: 400 }) }),
    fc.record({
      kind: fc.constant("answer" as const),
      by: people,
      answer: fc.constantFrom<Verdict["answer"]>(
        { kind: "accept", target: "a/one" },
        { kind: "edit", target: "b/two", text: "x" },
        { kind: "write", text: "y" },
        { kind: "reject" },
      ),
    }),
  ),
  { maxLength: 30 },
);

function take(state: ReviewState, step: Exclude<Step, { readonly kind: "wait" }>, nowMs: number): Turn {
  return step.kind === "claim" ? claimed(state, step, nowMs) : answered(state, step, nowMs);
}

describe("A review, whoever does what and whenever", () => {
  it.each(["refuse", "best"] as const)("is decided at most once, and never lost (%s)", (onTimeout) => {
    fc.assert(
      fc.property(steps, (taken) => {
        let state = fresh({ onTimeout });
        let nowMs = 0;
        let first: ReviewState["decision"];
        let decisions = 0;
        for (const step of taken) {
          if (step.kind === "wait") {
            nowMs += step.ms;
            continue;
          }
          const before = settled(state, nowMs);
          const turn = take(state, step, nowMs);
          ({ state } = turn);
          // What was asked and answered stays whatever happens to it.
          expect(state.candidates).toBe(before.candidates);
          if (turn.kind === "done" && step.kind === "answer") {
            decisions += 1;
            expect(state.decision).toMatchObject({ reviewer: step.by, atMs: nowMs });
          }
          const isOthers = before.status === "claimed" && before.claimedBy !== step.by;
          if (isOthers || before.status === "decided") expect(turn.kind).toBe("refused");
          else expect(turn.kind).toBe("done");
          if (state.status === "claimed") expect(state.leaseUntilMs).toBeGreaterThan(nowMs);
          expect(state.status === "decided").toBe(state.decision !== undefined);
          expect(state.status === "claimed").toBe(state.claimedBy !== undefined);
          first ??= state.decision;
          expect(state.decision).toBe(first);
        }
        expect(decisions).toBeLessThanOrEqual(1);
        if (first !== undefined && first.kind !== "expired") expect(decisions).toBe(1);
        // Time alone ends it at the latest.
        expect(settled(state, 1_000_000).decision).toEqual(first ?? expect.objectContaining({ kind: "expired" }));
      }),
      { numRuns: 300 },
    );
  });

  it("gives the best scored answer after its deadline where the rule says so, but nothing that cannot be undone", () => {
    const expired = (candidates: readonly ReviewCandidate[]) =>
      settled(fresh({ onTimeout: "best", candidates }), 1_000).decision;
    expect(expired([scored("a/one", 0.4), scored("b/two", 0.7), scored("c/three", 0.7)])).toMatchObject({
      target: "c/three",
      answer: '{"by":"c/three"}',
    });
    expect(expired([candidate("a/none"), scored("b/two", 0)])).toMatchObject({ target: "b/two" });
    expect(expired([{ ...scored("a/one", 0.8), irreversible: true }, scored("b/two", 0.1)])).toMatchObject({
      target: "b/two",
    });
    expect(expired([])).not.toHaveProperty("target");
    expect(settled(fresh(), 1_000).decision).not.toHaveProperty("answer");
    expect(settled(fresh(), 999)).toMatchObject({ status: "open" });
  });

  it("keeps the best of several answers of one target", () => {
    const { candidates } = fresh({ candidates: [scored("a/one", 0.2), scored("b/two", 0.9), scored("a/one", 0.5)] });
    expect(candidates.map(({ target, judgement }) => [target, judgement?.score])).toEqual([
      ["a/one", 0.5],
      ["b/two", 0.9],
    ]);
  });

  it.each([
    [{ kind: "accept", target: "c/three" }, "name the target of one of the answers: a/one, b/two"],
    [{ kind: "edit", text: "x" }, "name the target of one of the answers: a/one, b/two"],
    [{ kind: "edit", target: "a/one", text: "" }, "the answer is empty"],
    [{ kind: "write", text: "ü".repeat(200_000) }, "an answer has at most 262144 bytes"],
  ] as const)("says what is wrong with %j, and stays as it is", (answer, words) => {
    const turn = answered(fresh(), { by: "ann", answer }, 10);
    expect(turn).toMatchObject({ kind: "refused", why: "invalid", message: expect.stringContaining(words) });
    expect(turn.state).toEqual(fresh());
  });

  it("lets calls of tools be accepted or rejected, not edited", () => {
    const state = fresh({ candidates: [scored("a/one", 0.4, "tool")] });
    const edit = answered(state, { by: "ann", answer: { kind: "edit", text: "x" } }, 10);
    expect(edit).toMatchObject({ kind: "refused", why: "invalid" });
    expect(answered(state, { by: "ann", answer: { kind: "accept", target: "a/one" } }, 10).kind).toBe("done");
  });

  it("takes only JSON where the answers are JSON, because a program reads them", () => {
    const state = fresh({ candidates: [scored("a/one", 0.4, "json")] });
    const write = (text: string): Turn => answered(state, { by: "ann", answer: { kind: "write", text } }, 10);
    expect(write("It is open.")).toMatchObject({ kind: "refused", message: expect.stringContaining("JSON") });
    expect(write('{"open":true}').kind).toBe("done");
  });

  it.each([
    ["", 1_000],
    ["x".repeat(121), 1_000],
    ["deadline", 1_000],
    ["ann", 0],
    ["ann", Number.NaN],
    ["ann", longestLeaseMs + 1],
  ])("is not claimed by %j for %d ms", (by, leaseMs) => {
    expect(claimed(fresh(), { by, leaseMs }, 10)).toMatchObject({ kind: "refused", why: "invalid" });
  });
});
