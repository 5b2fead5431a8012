import type { ReviewBrief } from "#control/reviews/review-rows";
import { dialects } from "#dialects/registry";
import type { Part, Turn } from "#domain/request";
import { maxReviewBytes, type ReviewCandidate, type ReviewState } from "#domain/review";
import { fromNow } from "./duration-text.ts";
import { renderTable, type Column } from "./table.ts";
import { terminalLine, terminalText } from "./terminal-text.ts";

/** Of what was said before the last question, unless all of it is wanted. */
const shownOfEarlier = 600;

export function reviewTable(reviews: readonly ReviewBrief[], nowMs: number): string {
  const columns: readonly Column<ReviewBrief>[] = [
    { title: "ID", value: ({ id }) => id },
    { title: "DEADLINE", value: (brief) => (brief.status === "decided" ? "-" : fromNow(brief.deadlineAtMs, nowMs)) },
    { title: "STATUS", value: (brief) => statusText(brief, nowMs) },
    { title: "BEST ANSWER", value: bestText },
    { title: "ROUTE", value: ({ route }) => route },
    { title: "CALLER", value: ({ owner }) => owner },
  ];
  return renderTable(columns, reviews);
}

function statusText({ status, claimedBy, leaseUntilMs = 0, decision }: ReviewBrief, nowMs: number): string {
  if (decision?.kind === "expired") return `expired ${fromNow(decision.atMs, nowMs)}`;
  if (decision !== undefined) return `${decision.kind} by ${decision.reviewer} ${fromNow(decision.atMs, nowMs)}`;
  return status === "claimed" ? `${claimedBy}'s, until ${fromNow(leaseUntilMs, nowMs)}` : "open";
}

function bestText({ scores }: ReviewBrief): string {
  let best: ReviewBrief["scores"][number] | undefined;
  for (const each of scores) if (best === undefined || (each.score ?? -1) >= (best.score ?? -1)) best = each;
  return best === undefined ? "none came" : `${scoreText(best.score, best.threshold)}, ${best.target}`;
}

function scoreText(score: number | null, threshold: number | undefined): string {
  const got = score === null ? "no score" : score.toFixed(2);
  return threshold === undefined ? got : `${got} of ${threshold.toFixed(2)}`;
}

export interface ShownReview {
  readonly nowMs: number;
  /** Earlier turns are shown whole, too. */
  readonly full: boolean;
}

/** For a person who has to decide. Every word of callers and models is made safe for the terminal. */
export function reviewText(review: ReviewState, shown: ShownReview): string {
  const { candidates } = review;
  const answers = candidates.flatMap((candidate, at) => [
    "",
    heading(`ANSWER ${at + 1} of ${candidates.length}`, candidate),
    indented(candidate.text),
  ]);
  return `${[
    ...headOf(review, shown.nowMs),
    "",
    "ASKED",
    indented(askedText(review, shown.full)),
    ...(candidates.length === 0 ? ["", "No answer came to this call."] : answers),
    "",
    ...(review.decision === undefined ? hintsFor(review) : decisionLines(review)),
  ].join("\n")}\n`;
}

function headOf(review: ReviewState, nowMs: number): readonly string[] {
  const { id, route, owner, callId, createdAtMs, deadlineAtMs, onTimeout, status, claimedBy, leaseUntilMs } = review;
  const then = onTimeout === "best" ? "then the best scored answer is given" : "then no answer is given";
  const claim = status === "claimed" ? [`claimed by ${claimedBy}, until ${fromNow(leaseUntilMs ?? 0, nowMs)}`] : [];
  return [
    `${id}, ${status}`,
    ...claim,
    `route ${route}, asked by ${owner} ${fromNow(createdAtMs, nowMs)}, call ${callId}`,
    ...(status === "decided" ? [] : [`deadline ${fromNow(deadlineAtMs, nowMs)}, ${then}`]),
  ].map(terminalLine);
}

function heading(title: string, { target, judgement }: ReviewCandidate): string {
  const score = judgement === undefined ? "not scored" : scoreText(judgement.score, judgement.threshold);
  const why = judgement === undefined || judgement.why === "" ? "" : `: ${judgement.why}`;
  return terminalLine(`${title}, ${target}: ${score}${why}`);
}

function hintsFor({ id, candidates }: ReviewState): readonly string[] {
  const [first] = candidates;
  const quoted = first === undefined ? "" : shellQuoted(first.target);
  return [
    "To decide:",
    ...(first === undefined
      ? []
      : [
          `  hedgerow review answer ${id} --accept ${quoted}`,
          `  hedgerow review answer ${id} --edit FILE --of ${quoted}`,
        ]),
    `  hedgerow review answer ${id} --write TEXT`,
    `  hedgerow review answer ${id} --reject`,
  ];
}

/** A model's name may hold anything, and the line is there to be copied into a shell. */
function shellQuoted(text: string): string {
  const line = terminalLine(text);
  return /^[\w./:@+-]+$/u.test(line) ? line : `'${line.replaceAll("'", `'\\''`)}'`;
}

function decisionLines({ decision }: ReviewState): readonly string[] {
  if (decision === undefined) return [];
  const { kind, reviewer, target, reason, text, atMs } = decision;
  const who = kind === "expired" ? "" : ` by ${reviewer}`;
  const of = target === undefined ? "" : `, ${target}`;
  return [
    terminalLine(`DECIDED: ${kind}${who}${of}, ${new Date(atMs).toISOString()}`),
    ...(reason === undefined ? [] : [terminalLine(`because: ${reason}`)]),
    ...(text === undefined ? [] : [indented(text)]),
  ];
}

function indented(text: string): string {
  return terminalText(text)
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

/** The conversation in words; the request as it came where it is cut, or nothing we can read. */
function askedText({ dialect, request }: ReviewState, full: boolean): string {
  const turns = turnsOf(dialect, request);
  if (turns === undefined) {
    const isCut = Buffer.byteLength(request) >= maxReviewBytes - 3;
    return isCut ? `${request}\n[the request was longer: this is its beginning]` : request;
  }
  return turns
    .map((turn, at) => {
      const text = turn.parts.map(partText).join("\n");
      const isLast = at === turns.length - 1;
      return `${turn.role}: ${full || isLast ? text : shortened(text)}`;
    })
    .join("\n\n");
}

function turnsOf(dialect: ReviewState["dialect"], request: string): readonly Turn[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(request);
  } catch {
    return undefined;
  }
  const decoded = dialects[dialect].decodeRequest(json, {}, request);
  return decoded.kind === "decoded" && decoded.request.turns.length > 0 ? decoded.request.turns : undefined;
}

function shortened(text: string): string {
  const letters = Array.from(text);
  if (letters.length <= shownOfEarlier) return text;
  const left = letters.length - shownOfEarlier;
  return `${letters.slice(0, shownOfEarlier).join("")}… [${left} more letters; --full shows them]`;
}

function partText(part: Part): string {
  switch (part.kind) {
    case "text":
    case "refusal":
      return part.text;
    case "reasoning":
      return `[thought: ${part.text}]`;
    case "tool-call":
      return `[calls ${part.name}(${part.argumentsJson})]`;
    default:
      return `[${part.kind}]`;
  }
}
