import type { ClientDialectId } from "./call.ts";
import type { Judgement, ReviewRule } from "./confidence.ts";

/** An answer, or a call without one, that waits for a person. */
export interface NewReview {
  /** `rev_` and 24 hex digits. */
  readonly id: string;
  readonly callId: string;
  /** The gateway key's name: nobody else sees it. */
  readonly owner: string;
  readonly route: string;
  readonly dialect: ClientDialectId;
  /** The caller's request, as it came: a person has to see what was asked. At most `maxReviewBytes`, cut at its end. */
  readonly request: string;
  readonly candidates: readonly ReviewCandidate[];
  /** Wall clock, milliseconds. */
  readonly createdAtMs: number;
  readonly deadlineAtMs: number;
  readonly onTimeout: ReviewRule["onTimeout"];
}

/** Of request and each answer. */
export const maxReviewBytes = 256 * 1024;

export interface ReviewCandidate {
  readonly target: string;
  /** The answer in the caller's own language: what the caller gets if it is accepted. */
  readonly answer: string;
  /** Its text alone, or its tool calls as JSON, for people. */
  readonly text: string;
  readonly judgement?: Judgement;
}

/** What a person, or the clock, made of a review. There is exactly one. */
export interface ReviewDecision {
  /** `accepted` one of the candidates, `edited` or `written` a text of the reviewer's, `rejected` all, `expired`. */
  readonly kind: "accepted" | "edited" | "written" | "rejected" | "expired";
  /** Of an accepted or edited one. */
  readonly target?: string;
  /** What the caller gets: of `accepted` the candidate's answer, of `edited` and `written` the text. Absent: nothing. */
  readonly answer?: string;
  readonly text?: string;
  readonly reviewer: string;
  readonly reason?: string;
  readonly atMs: number;
}

export interface ReviewState extends NewReview {
  readonly status: "open" | "claimed" | "decided";
  readonly claimedBy?: string;
  readonly leaseUntilMs?: number;
  readonly decision?: ReviewDecision;
}
