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
  /** One for each target, at most `maxCandidates`; of several of one target the best scored is kept. */
  readonly candidates: readonly ReviewCandidate[];
  /** Wall clock, milliseconds. */
  readonly createdAtMs: number;
  readonly deadlineAtMs: number;
  readonly onTimeout: ReviewRule["onTimeout"];
}

/** Of request and each answer. A longer request is cut, a longer answer left out: half an answer is none. */
export const maxReviewBytes = 256 * 1024;
export const maxCandidates = 16;

export interface ReviewCandidate {
  readonly target: string;
  /** JSON: the answer in the caller's own language, whole. What the caller gets if it is accepted. */
  readonly answer: string;
  /** Its text alone, or its tool calls as JSON, for people. */
  readonly text: string;
  readonly judgement?: Judgement;
  /** It calls a tool that cannot be undone: a person may give it, time alone may not. */
  readonly irreversible?: true;
}

/** What a person, or the clock, made of a review. There is exactly one. */
export interface ReviewDecision {
  /** `accepted` one of the candidates, `edited` or `written` a text of the reviewer's, `rejected` all, `expired`. */
  readonly kind: "accepted" | "edited" | "written" | "rejected" | "expired";
  /** Of an accepted or edited one; of an expired one where the best is taken. */
  readonly target?: string;
  /** What the caller gets where a candidate is taken as it is: its `answer`. */
  readonly answer?: string;
  /** What the caller gets where a person wrote: a text. Neither: nothing. */
  readonly text?: string;
  /** The person; of an expired one `deadline`. */
  readonly reviewer: string;
  readonly reason?: string;
  /** Wall clock, milliseconds: when it was written down. */
  readonly atMs: number;
}

export interface ReviewState extends NewReview {
  readonly status: ReviewStatus;
  readonly claimedBy?: string;
  /** Wall clock, milliseconds. Then it is open again. */
  readonly leaseUntilMs?: number;
  readonly decision?: ReviewDecision;
}

export type ReviewStatus = "open" | "claimed" | "decided";

export type ReviewLook =
  | { readonly kind: "found"; readonly review: ReviewState }
  | { readonly kind: "unknown" }
  /** Nothing can be read at the moment. */
  | { readonly kind: "unavailable"; readonly why: string };
