import { openReviewFile, type DeskTurn } from "#control/reviews/review-file";
import { reviewId, sampleReview } from "./sample-review.ts";

/** What a reviewer in a process of its own is told to do; answered by one message of the same `seq`. */
export interface Order {
  readonly seq: number;
  readonly what:
    | { readonly kind: "claim"; readonly review: string; readonly leaseMs: number }
    | { readonly kind: "accept"; readonly review: string }
    | { readonly kind: "look"; readonly review: string }
    /** Until somebody ends this process; each step is told once it is done. */
    | { readonly kind: "work"; readonly from: number };
}

export type Reply =
  | { readonly seq: number; readonly word: string }
  | { readonly step: "put" | "claimed" | "answered"; readonly review: string };

const [path = "", by = "", skewMs = "0"] = process.argv.slice(2);
const opened = openReviewFile({
  path,
  wallMs: () => Date.now() + Number(skewMs),
  onTrouble: (why) => process.stderr.write(`${by}: ${why}\n`),
  busyTimeoutMs: 5_000,
});
if (opened.kind === "refused") throw new Error(opened.message);
const { reviews } = opened;

process.on("message", ({ seq, what }: Order) => {
  switch (what.kind) {
    case "claim":
      return say({ seq, word: wordOf(reviews.claim(what.review, { by, leaseMs: what.leaseMs })) });
    case "accept":
      return say({ seq, word: wordOf(reviews.answer(what.review, accepting())) });
    case "look": {
      const look = reviews.show(what.review);
      const word = look.kind === "found" ? (look.review.decision?.reviewer ?? look.review.status) : look.kind;
      return say({ seq, word });
    }
    case "work":
      return work(what.from);
  }
});
process.send?.({ step: "put", review: "ready" } satisfies Reply);

function work(number: number): void {
  const id = reviewId(number);
  const nowMs = Date.now();
  if (reviews.put(sampleReview({ id, createdAtMs: nowMs, deadlineAtMs: nowMs + 3_600_000 })))
    say({ step: "put", review: id });
  if (reviews.claim(id, { by }).kind === "done") say({ step: "claimed", review: id });
  if (reviews.answer(id, accepting()).kind === "done") say({ step: "answered", review: id });
  setImmediate(work, number + 1);
}

function accepting() {
  return { by, answer: { kind: "accept", target: "b/two" } } as const;
}

function wordOf(turn: DeskTurn): string {
  return turn.kind === "refused" ? turn.message : turn.kind;
}

function say(reply: Reply): void {
  process.send?.(reply);
}
