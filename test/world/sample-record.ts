import type { Judgement } from "#domain/confidence";
import type { AttemptRecord, CallRecord } from "#domain/record";

const usage = {
  inputUncached: 100,
  cacheRead: 20,
  cacheWrite: 3,
  cacheWriteLong: 1,
  output: 40,
  reasoning: 10,
  estimated: false,
};

export function attemptRecord(more: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    target: "openai/gpt-5.4",
    provider: "openai",
    model: "gpt-5.4",
    credential: "openai#1",
    outcome: "answered",
    startedMs: 1,
    firstContentMs: 250,
    endedMs: 900,
    usage,
    costNanoUsd: 1_000_000,
    ...more,
  };
}

/** An answered call; only what a test is about needs to be said. */
export function callRecord(id: string, more: Partial<CallRecord> = {}): CallRecord {
  return {
    version: 1,
    id,
    at: "2026-11-21T10:00:00.000Z",
    snapshot: "0123456789ab",
    caller: "app",
    dialect: "openai-chat",
    operation: "generate",
    route: "default",
    requestedModel: "default",
    streamed: true,
    decision: "answered",
    committed: true,
    status: 200,
    requestBytes: 120,
    answerBytes: 3400,
    durationMs: 912.5,
    usage,
    costNanoUsd: 1_000_000,
    warnings: [],
    attempts: [attemptRecord()],
    ...more,
  };
}

/** A doubted answer of the route `default`. */
export function sampleJudgement(more: Partial<Judgement> = {}): Judgement {
  return {
    score: 0.625,
    raw: 0.9,
    estimator: "logprobs",
    features: [2.2, 0.5],
    key: { tenant: "", route: "default", model: "openai/gpt-5.4", tier: 0, shape: "label", signals: "logprobs" },
    calibration: { state: "prior", n: 0, version: "prior" },
    threshold: 0.85,
    mode: "per_answer",
    verdict: "doubted",
    why: "0.62 is below 0.85",
    ...more,
  };
}
