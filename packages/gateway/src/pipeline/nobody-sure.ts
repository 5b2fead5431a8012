import { memoryOwner } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { Attempt } from "#domain/plan";
import { maxCandidates, maxReviewBytes, type NewReview, type ReviewCandidate } from "#domain/review";
import { confidenceMembers, withMembers } from "./confidence-facts.ts";
import type { Held } from "./ask-target.ts";
import type { Doubts, JudgedAnswer } from "./doubts.ts";
import type { AskedReview, JourneyEnd, JourneyInput } from "./journey.ts";

interface Ending {
  /** Somebody could still be asked, and there is no time for it. */
  readonly isLate: boolean;
  readonly route: string;
}

/** A doubted answer that is given all the same, or how the call ends without. */
type End = { readonly kind: "given"; readonly held: Held } | Extract<JourneyEnd, { kind: "refused" | "pending" }>;

/** What becomes of a call whose every answer was doubted, by its rule, or whose time was over before anybody was sure. */
export function nobodySure(input: JourneyInput, doubts: Doubts, { isLate, route }: Ending): End {
  const best = doubts.best();
  const { exhausted } = doubts.rule;
  const isScored = best !== undefined && best.judgement.score !== null && best.judgement.estimator !== "gate";
  if (isScored && (isLate || doubts.ranOutOfTime)) return { kind: "given", held: doubts.give(best, "deadline") };
  if (best !== undefined && exhausted === "best") return { kind: "given", held: doubts.give(best, "doubted") };
  const why = reasons(doubts);
  if (exhausted !== "review") return { kind: "refused", failure: unsure(`${why}; manual intervention is required.`) };
  const review = ask(input, doubts, route);
  if (review === undefined) {
    const words = `${why}; manual intervention is required, and no review could be opened.`;
    return { kind: "refused", failure: unsure(words) };
  }
  if (input.call.options.confidence?.pending === true) return { kind: "pending", review };
  const words = `${why}; manual intervention is required: a person decides in review ${review.id}.`;
  return { kind: "refused", failure: unsure(words), review };
}

function unsure(message: string): Failure {
  return failure("low_confidence", message);
}

const mostNamed = 6;

function reasons({ rule, attempts }: Doubts): string {
  const doubted = attempts.filter(({ outcome }) => outcome.kind === "doubted");
  const named = doubted.slice(0, mostNamed).map(inWords).join("; ");
  return `No answer reached the confidence of ${rule.min} that was asked for (${named})`;
}

function inWords({ target, judgement }: Attempt): string {
  return `${target.id}: ${judgement?.why ?? "doubted"}`;
}

/** Undefined where no person can be asked. */
function ask(input: JourneyInput, doubts: Doubts, route: string): AskedReview | undefined {
  const { call, plane } = input;
  const { deadlineMs, onTimeout } = doubts.rule.review;
  const nowMs = plane.clock.wallMs();
  const candidates = candidatesOf(input, doubts);
  const review: NewReview = {
    id: `rev_${plane.newId()}`,
    callId: call.id,
    owner: memoryOwner(call),
    route,
    dialect: call.dialect,
    request: Buffer.from(call.body.subarray(0, maxReviewBytes)).toString("utf8"),
    candidates,
    createdAtMs: nowMs,
    deadlineAtMs: nowMs + deadlineMs,
    onTimeout,
  };
  if (plane.reviews?.put(review) !== true) return undefined;
  const best = doubts.best()?.held.result.attempt.target.id;
  const bestAnswer = candidates.find(({ target }) => target === best)?.answer;
  return { id: review.id, ...(bestAnswer === undefined ? {} : { bestAnswer }) };
}

/** The surest first. */
function candidatesOf(input: JourneyInput, { answers }: Doubts): readonly ReviewCandidate[] {
  return answers
    .toSorted((a, b) => (b.judgement.score ?? -1) - (a.judgement.score ?? -1))
    .flatMap((each) => candidate(input, each))
    .slice(0, maxCandidates);
}

/** None where it is too long to be kept. */
function candidate({ dialect, call, plane }: JourneyInput, judged: JudgedAnswer): readonly ReviewCandidate[] {
  const { held, judgement, view, irreversible } = judged;
  const { result } = held;
  const { target } = result.attempt;
  const whole =
    result.body ??
    dialect.encodeAnswer(held.watch?.events ?? [], {
      fallbackId: call.id,
      model: target.model,
      createdAtS: Math.floor(plane.clock.wallMs() / 1000),
      includeUsage: true,
      issuer: "",
      onLoss: () => {},
    });
  if (whole === undefined || whole.length > maxReviewBytes) return [];
  const told = withMembers(whole, { ...confidenceMembers({ judgement, decision: "doubted" }) });
  const text = view.text === "" ? JSON.stringify(view.toolCalls) : view.text;
  const answer = Buffer.from(told).toString("utf8");
  return [{ target: target.id, answer, text, judgement, ...(irreversible ? { irreversible } : {}) }];
}
