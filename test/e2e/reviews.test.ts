import { describe, expect, it } from "vitest";
import { Hedgerow, ManualInterventionRequired } from "@hedgerow/client";
import { openReviewFile, type ReviewFile } from "#control/reviews/review-file";
import { defaultConfidence, type ConfidenceRule } from "#domain/confidence";
import { ok, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

const sure = 0.99999;
const unsure = 0.5;

interface World extends AsyncDisposable {
  readonly hedgerow: Hedgerow;
  readonly reviews: ReviewFile;
}

/** Two rivals that are so sure of their answers, behind a route that asks a person in the end. */
async function world(first: number, second: number, more: Partial<ConfidenceRule> = {}): Promise<World> {
  const opened = openReviewFile({ path: ":memory:", wallMs: Date.now, onTrouble: () => {} });
  if (opened.kind === "refused") throw new Error(opened.message);
  const { reviews } = opened;
  const [one, other] = await Promise.all([
    startUpstream(ok("Lisbon", { answer: { confidence: first } })),
    startUpstream(ok("Paris", { answer: { confidence: second } })),
  ]);
  const confidence = { ...defaultConfidence, exhausted: "review" as const, ...more };
  const gateway = await startGateway(
    [providerAt("a", "openai-compatible", one.url), providerAt("b", "openai-compatible", other.url)],
    [sampleRoute("main", ["a/m", "b/m"], { confidence })],
    { reviews },
  );
  return {
    hedgerow: new Hedgerow({ baseURL: gateway.url, maxRetries: 0 }),
    reviews,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await Promise.all([one.close(), other.close()]);
    },
  };
}

const messages = [{ role: "user" as const, content: "What is the capital of France?" }];

async function unsureOf(hedgerow: Hedgerow, more: object = {}): Promise<ManualInterventionRequired> {
  try {
    await hedgerow.chat.completions.create({ model: "main", messages, ...more });
  } catch (error) {
    if (ManualInterventionRequired.isInstance(error)) return error;
    throw error;
  }
  throw new Error("somebody was sure");
}

describe("the twelve lines that this began with", () => {
  /** Ask A; where it is sure enough, return; else ask B; else a person has to intervene. */
  async function answerOrIntervene(hedgerow: Hedgerow, prompt: string): Promise<string> {
    try {
      const response = await hedgerow.chat.completions.create({
        model: ["a/m", "b/m"],
        messages: [{ role: "user", content: prompt }],
        minConfidence: 0.85,
      });
      return response.text;
    } catch (error) {
      if (ManualInterventionRequired.isInstance(error)) return "manual intervention required";
      throw error;
    }
  }

  it.each([
    [sure, sure, "Lisbon"],
    [unsure, sure, "Paris"],
    [unsure, unsure, "manual intervention required"],
  ])("where A is sure by %d and B by %d: %s", async (first, second, expected) => {
    await using here = await world(first, second);
    expect(await answerOrIntervene(here.hedgerow, "What is the capital of France?")).toBe(expected);
  });
});

describe("a call that nobody was sure of", () => {
  it("waits for a person, whose decision is the caller's answer", async () => {
    await using here = await world(unsure, unsure);
    const error = await unsureOf(here.hedgerow);
    expect(error.scores.map(({ target }) => target)).toEqual(["a/m", "b/m"]);
    expect(error.scores.every(({ score }) => typeof score === "number" && score < 0.85)).toBe(true);
    expect(error.bestText).toBeDefined();
    const id = error.reviewId ?? "";
    expect(await here.hedgerow.reviews.retrieve(id)).toMatchObject({ id, status: "open" });
    const look = here.reviews.show(id);
    expect(look).toMatchObject({
      review: { callId: error.requestId, route: "main", owner: "anonymous", dialect: "openai-chat" },
    });
    expect(look.kind === "found" && look.review.request).toContain("What is the capital of France?");
    const waiting = here.hedgerow.reviews.wait(id, { timeoutMs: 15_000 });
    setTimeout(() => here.reviews.answer(id, { by: "ann", answer: { kind: "accept", target: "b/m" } }), 100);
    const review = await waiting;
    expect(review).toMatchObject({ status: "decided", text: "Paris", decision: { kind: "accepted", reviewer: "ann" } });
    // The answer is the one that was given, judged as it was.
    expect(review.answer).toMatchObject({
      object: "chat.completion",
      confidence: { decision: "doubted" },
      confidence_score: error.scores[1]?.score,
    });
  });

  it("may say so by an answer of its own kind", async () => {
    await using here = await world(unsure, unsure);
    const error = await unsureOf(here.hedgerow, { hedgerow: { confidence: { pending: true } } });
    expect(error).toMatchObject({ status: 202, reviewId: expect.stringMatching(/^rev_[0-9a-f]{24}$/u) });
    expect(here.reviews.show(error.reviewId ?? "")).toMatchObject({ kind: "found" });
  });

  it("gets the best answer once the deadline has passed, where the rule says so", async () => {
    await using here = await world(unsure, unsure, { review: { deadlineMs: 300, onTimeout: "best" } });
    const { reviewId = "", bestText } = await unsureOf(here.hedgerow);
    const review = await here.hedgerow.reviews.wait(reviewId, { timeoutMs: 15_000 });
    expect(review).toMatchObject({ decision: { kind: "expired" }, text: bestText });
  });

  it("ends honestly where no review can be kept", async () => {
    await using here = await world(unsure, unsure);
    here.reviews.close();
    const error = await unsureOf(here.hedgerow);
    expect(error).toMatchObject({ status: 422, reviewId: undefined });
    expect(error.message).toContain("no review could be opened");
  });
});
