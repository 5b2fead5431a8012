import {
  maxCandidates,
  maxReviewBytes,
  type NewReview,
  type ReviewCandidate,
  type ReviewDecision,
  type ReviewState,
} from "#domain/review";

/** How long a claim holds where nobody says otherwise. */
const usualLeaseMs = 15 * 60_000;
export const longestLeaseMs = 24 * 3_600_000;
const maxReviewerLength = 120;
const maxReasonLength = 4_000;

export interface Claim {
  readonly by: string;
  readonly leaseMs?: number;
}

/** What a person says of a review. `text` is what the caller gets. */
export interface Verdict {
  readonly by: string;
  readonly reason?: string;
  readonly answer:
    | { readonly kind: "accept"; readonly target: string }
    /** Without a target: of the only candidate. */
    | { readonly kind: "edit"; readonly target?: string; readonly text: string }
    | { readonly kind: "write"; readonly text: string }
    | { readonly kind: "reject" };
}

export type Turn =
  | { readonly kind: "done"; readonly state: ReviewState }
  /** `decided`, `claimed`: somebody was first, the message says who and when. `invalid`: it cannot be said so. */
  | {
      readonly kind: "refused";
      readonly why: "decided" | "claimed" | "invalid";
      readonly message: string;
      readonly state: ReviewState;
    };

/** A review as it is kept: within its bounds, one candidate for each target. */
export function opened(review: NewReview): ReviewState {
  const best = new Map<string, ReviewCandidate>();
  for (const candidate of review.candidates) {
    if (byteLength(candidate.answer) > maxReviewBytes) continue;
    const before = best.get(candidate.target);
    if (before === undefined || scoreOf(candidate) > scoreOf(before)) best.set(candidate.target, candidate);
  }
  const candidates = [...best.values()].slice(0, maxCandidates).map(withinBounds);
  return { ...review, request: cut(review.request), candidates, status: "open" };
}

/**
 * What time alone makes of a review: a claim whose lease has passed is none, and one that nobody decided by its deadline
 * is decided by its rule. The same state where time changes nothing.
 */
export function settled(state: ReviewState, nowMs: number): ReviewState {
  if (state.status === "decided") return state;
  if (nowMs >= state.deadlineAtMs) return decided(state, expiry(state, nowMs));
  if (state.status === "claimed" && nowMs >= (state.leaseUntilMs ?? 0)) return unclaimed(state);
  return state;
}

/** Claimed, or its lease renewed by who has it. */
export function claimed(before: ReviewState, claim: Claim, nowMs: number): Turn {
  const state = settled(before, nowMs);
  const wrong = wrongName(claim.by);
  if (wrong !== undefined) return refused(state, "invalid", wrong);
  const leaseMs = claim.leaseMs ?? usualLeaseMs;
  if (!(leaseMs > 0 && leaseMs <= longestLeaseMs)) {
    return refused(state, "invalid", "a claim holds for more than nothing and at most 24 hours");
  }
  const taken = takenBy(state, claim.by);
  if (taken !== undefined) return taken;
  return {
    kind: "done",
    state: { ...state, status: "claimed", claimedBy: claim.by, leaseUntilMs: nowMs + leaseMs },
  };
}

/** Decided, by who has the claim, or by anybody where nobody has. */
export function answered(before: ReviewState, verdict: Verdict, nowMs: number): Turn {
  const state = settled(before, nowMs);
  const wrong = wrongName(verdict.by) ?? wrongReason(verdict.reason);
  if (wrong !== undefined) return refused(state, "invalid", wrong);
  const taken = takenBy(state, verdict.by);
  if (taken !== undefined) return taken;
  const made = madeOf(state, verdict.answer);
  if (typeof made === "string") return refused(state, "invalid", made);
  const { by: reviewer, reason } = verdict;
  const decision = { ...made, reviewer, ...(reason === undefined ? {} : { reason }), atMs: nowMs };
  return { kind: "done", state: decided(state, decision) };
}

/** What may be given without a person: the best scored, of equals the last, who was asked because of the others. */
function bestOf(candidates: readonly ReviewCandidate[]): ReviewCandidate | undefined {
  let best: ReviewCandidate | undefined;
  for (const candidate of candidates) {
    if (candidate.irreversible !== true && (best === undefined || scoreOf(candidate) >= scoreOf(best)))
      best = candidate;
  }
  return best;
}

type Made = Pick<ReviewDecision, "kind" | "target" | "answer" | "text">;

function madeOf(state: ReviewState, answer: Verdict["answer"]): Made | string {
  switch (answer.kind) {
    case "accept": {
      const found = candidateOf(state, answer.target);
      if (typeof found === "string") return found;
      return { kind: "accepted", target: found.target, answer: found.answer };
    }
    case "edit": {
      const found = candidateOf(state, answer.target);
      if (typeof found === "string") return found;
      // A text in the place of calls of tools would be run by nobody, or by somebody who was not meant to.
      if (found.judgement?.key.shape === "tool") return "calls of tools can be accepted or rejected, not edited";
      return wrongText(state, answer.text) ?? { kind: "edited", target: found.target, text: answer.text };
    }
    case "write":
      return wrongText(state, answer.text) ?? { kind: "written", text: answer.text };
    case "reject":
      return { kind: "rejected" };
  }
}

function candidateOf({ candidates }: ReviewState, target: string | undefined): ReviewCandidate | string {
  const [only] = candidates;
  if (only === undefined) return "no answer came to this call: write one, or reject";
  if (target === undefined && candidates.length === 1) return only;
  const found = candidates.find((candidate) => candidate.target === target);
  const names = candidates.map((candidate) => candidate.target).join(", ");
  return found ?? `name the target of one of the answers: ${names}`;
}

/** A refusal where somebody else was first. */
function takenBy(state: ReviewState, by: string): Turn | undefined {
  const { decision, claimedBy, leaseUntilMs } = state;
  if (decision !== undefined) {
    const how = decision.kind === "expired" ? "its deadline passed" : `${decision.kind} by ${decision.reviewer}`;
    return refused(state, "decided", `it is decided: ${how}, ${dateOf(decision.atMs)}`);
  }
  if (state.status !== "claimed" || claimedBy === by) return undefined;
  return refused(state, "claimed", `${claimedBy} has claimed it until ${dateOf(leaseUntilMs ?? 0)}`);
}

function expiry(state: ReviewState, nowMs: number): ReviewDecision {
  const best = state.onTimeout === "best" ? bestOf(state.candidates) : undefined;
  return {
    kind: "expired",
    ...(best === undefined ? {} : { target: best.target, answer: best.answer }),
    reviewer: "deadline",
    atMs: nowMs,
  };
}

function decided(state: ReviewState, decision: ReviewDecision): ReviewState {
  return { ...unclaimed(state), status: "decided", decision };
}

function unclaimed({ claimedBy: _by, leaseUntilMs: _until, ...rest }: ReviewState): ReviewState {
  return { ...rest, status: "open" };
}

function refused(state: ReviewState, why: "decided" | "claimed" | "invalid", message: string): Turn {
  return { kind: "refused", why, message, state };
}

function wrongName(by: string): string | undefined {
  if (by.trim() === "") return "say who you are";
  if (by.length > maxReviewerLength) return `a reviewer's name has at most ${maxReviewerLength} letters`;
  return by === "deadline" ? "nobody is called deadline" : undefined;
}

function wrongReason(reason: string | undefined): string | undefined {
  return reason !== undefined && reason.length > maxReasonLength
    ? `a reason has at most ${maxReasonLength} letters`
    : undefined;
}

function wrongText({ candidates }: ReviewState, text: string): string | undefined {
  if (text.trim() === "") return "the answer is empty; to give none, reject";
  const isForProgram = candidates.some(({ judgement }) => judgement?.key.shape === "json");
  if (isForProgram && !isJson(text)) return "the answers are JSON, and what was written is none";
  return byteLength(text) > maxReviewBytes ? `an answer has at most ${maxReviewBytes} bytes` : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function scoreOf({ judgement }: ReviewCandidate): number {
  return judgement?.score ?? -1;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

function withinBounds(candidate: ReviewCandidate): ReviewCandidate {
  return { ...candidate, text: cut(candidate.text) };
}

/** At its end, between letters. */
function cut(text: string): string {
  if (byteLength(text) <= maxReviewBytes) return text;
  return Buffer.from(text)
    .subarray(0, maxReviewBytes)
    .toString("utf8")
    .replace(/\uFFFD$/u, "");
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
