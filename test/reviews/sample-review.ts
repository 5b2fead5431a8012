import type { Judgement } from "#domain/confidence";
import type { NewReview, ReviewCandidate } from "#domain/review";

/** `rev_` and the number in 24 hex digits. */
export function reviewId(number: number): string {
  return `rev_${number.toString(16).padStart(24, "0")}`;
}

export function judged(score: number | null, more: Partial<Judgement> = {}): Judgement {
  return {
    score,
    raw: score,
    estimator: "logprobs",
    features: [],
    key: { tenant: "", route: "main", model: "a/one", tier: 0, shape: "short", signals: "logprobs" },
    calibration: { state: "prior", n: 0, version: "none" },
    threshold: 0.85,
    mode: "per_answer",
    verdict: "doubted",
    why: "not sure enough",
    ...more,
  };
}

export function candidate(target: string, score: number | null, text = `says ${target}`): ReviewCandidate {
  const answer = JSON.stringify({
    id: `chatcmpl-${target}`,
    object: "chat.completion",
    created: 1,
    model: target,
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    confidence_score: score,
  });
  return { target, answer, text, judgement: judged(score) };
}

/** Two candidates, of which the second is the better; created at 1,000 and open for ten minutes. */
export function sampleReview(more: Partial<NewReview> = {}): NewReview {
  return {
    id: reviewId(1),
    callId: "req_1",
    owner: "app",
    route: "main",
    dialect: "openai-chat",
    request: JSON.stringify({ model: "main", messages: [{ role: "user", content: "Is the valve open?" }] }),
    candidates: [candidate("a/one", 0.4), candidate("b/two", 0.7)],
    createdAtMs: 1_000,
    deadlineAtMs: 601_000,
    onTimeout: "refuse",
    ...more,
  };
}
