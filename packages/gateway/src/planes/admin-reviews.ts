import type { DeskTurn, ReviewDesk } from "#control/reviews/review-file";
import { maxListedReviews } from "#control/reviews/review-file";
import type { Verdict } from "#control/reviews/turns";
import type { ReviewStatus } from "#domain/review";
import { wrong, type AdminReply } from "./admin-reply.ts";
import { writtenBrief, writtenReview } from "./review-json.ts";

const reviewsPath = "/admin/api/reviews";

type Desk = ReviewDesk | undefined;
type Said = Readonly<Record<string, unknown>>;

const usualLimit = 50;
const statuses: readonly ReviewStatus[] = ["open", "claimed", "decided"];

export function listReviews(desk: Desk, query: URLSearchParams): AdminReply {
  if (desk === undefined) return keepsNone();
  const written = query.get("status") ?? undefined;
  const status = statuses.find((each) => each === written);
  if (written !== undefined && status === undefined) return wrong(400, `status is one of ${statuses.join(", ")}`);
  const limit = Number(query.get("limit") ?? usualLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxListedReviews) {
    return wrong(400, `limit is a whole number from 1 to ${maxListedReviews}`);
  }
  const listed = desk.list({ limit, ...(status === undefined ? {} : { status }) });
  if (listed.kind === "unavailable") return unavailable(listed.why);
  return { status: 200, body: { object: "list", data: listed.reviews.map(writtenBrief) } };
}

export function showReview(desk: Desk, id: string): AdminReply {
  if (desk === undefined) return keepsNone();
  const look = desk.show(id);
  if (look.kind === "unavailable") return unavailable(look.why);
  return look.kind === "unknown" ? unknown() : { status: 200, body: writtenReview(look.review) };
}

/** Who turns a review: what was said, and the key that it was said with. */
export interface Turning {
  readonly id: string;
  readonly said: Said;
  readonly key: string | undefined;
}

export function claimReview(desk: Desk, { id, said, key }: Turning): AdminReply {
  if (desk === undefined) return keepsNone();
  const by = reviewerOf(said["by"], key);
  if (by === undefined) return unsigned();
  const odd = oddField(said, ["by", "lease_ms"]);
  const leaseMs = said["lease_ms"];
  if (odd !== undefined) return wrong(400, odd);
  if (leaseMs !== undefined && typeof leaseMs !== "number") return wrong(400, "lease_ms is a number of milliseconds");
  return replyTo(desk.claim(id, { by, ...(leaseMs === undefined ? {} : { leaseMs }) }));
}

export function answerReview(desk: Desk, { id, said, key }: Turning): AdminReply {
  if (desk === undefined) return keepsNone();
  const by = reviewerOf(said["by"], key);
  if (by === undefined) return unsigned();
  const verdict = verdictIn(said, by);
  return typeof verdict === "string" ? wrong(400, verdict) : replyTo(desk.answer(id, verdict));
}

function unsigned(): AdminReply {
  return wrong(400, "say who you are: by, a text");
}

function keepsNone(): AdminReply {
  return wrong(503, "this gateway keeps no reviews; its log says why");
}

/** A key is known to be whose it is; what somebody calls himself beside it is only said. */
function reviewerOf(by: unknown, key: string | undefined): string | undefined {
  if (by === undefined) return key;
  if (typeof by !== "string" || by.trim() === "") return undefined;
  return key === undefined ? by : `${by} (${key})`;
}

const kinds = ["accept", "edit", "write", "reject"] as const;

function verdictIn(said: Readonly<Record<string, unknown>>, by: string): Verdict | string {
  const odd = oddField(said, ["by", "reason", "target", ...kinds]);
  if (odd !== undefined) return odd;
  const given = kinds.filter((kind) => said[kind] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    return "say one of accept (a target), edit (a text, with target), write (a text), or reject (true)";
  }
  const { reason, target } = said;
  if (reason !== undefined && typeof reason !== "string") return "reason is a text";
  if (target !== undefined && (typeof target !== "string" || kind !== "edit")) {
    return "target is a text, and goes with edit";
  }
  const value = said[kind];
  const answer = answerIn(kind, value, target);
  if (answer === undefined) return kind === "reject" ? "reject is true" : `${kind} is a text`;
  return { by, answer, ...(reason === undefined ? {} : { reason }) };
}

function answerIn(
  kind: (typeof kinds)[number],
  value: unknown,
  target: string | undefined,
): Verdict["answer"] | undefined {
  if (kind === "reject") return value === true ? { kind } : undefined;
  if (typeof value !== "string") return undefined;
  switch (kind) {
    case "accept":
      return { kind, target: value };
    case "edit":
      return { kind, text: value, ...(target === undefined ? {} : { target }) };
    case "write":
      return { kind, text: value };
  }
}

function oddField(said: Readonly<Record<string, unknown>>, fields: readonly string[]): string | undefined {
  const odd = Object.keys(said).find((name) => !fields.includes(name));
  return odd === undefined
    ? undefined
    : `there is no field ${JSON.stringify(odd.slice(0, 64))}; there are ${fields.join(", ")}`;
}

function replyTo(turned: DeskTurn): AdminReply {
  switch (turned.kind) {
    case "done":
      return { status: 200, body: writtenReview(turned.state) };
    case "unknown":
      return unknown();
    case "unavailable":
      return unavailable(turned.why);
    case "refused":
      return wrong(turned.why === "invalid" ? 400 : 409, turned.message);
  }
}

function unknown(): AdminReply {
  return wrong(404, `there is no such review; GET ${reviewsPath} lists them`);
}

function unavailable(why: string): AdminReply {
  return wrong(503, `the reviews cannot be used at the moment (${why}); try again`);
}
