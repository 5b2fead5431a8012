import type { DeskTurn, ReviewDesk } from "#control/reviews/review-file";
import { maxListedReviews } from "#control/reviews/review-file";
import type { Verdict } from "#control/reviews/turns";
import type { Exchange } from "#domain/ports";
import type { ReviewStatus } from "#domain/review";
import { writtenBrief, writtenReview } from "./review-json.ts";

export const reviewsPath = "/admin/api/reviews";

/** What one request to these endpoints gives. */
export interface AdminReply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Asked {
  readonly exchange: Exchange;
  readonly desk: ReviewDesk | undefined;
  /** The admin key's name; absent where no keys are configured. */
  readonly key?: string;
}

const usualLimit = 50;
const maxBodyBytes = 1024 * 1024;
const bodyIdleMs = 10_000;
const statuses: readonly ReviewStatus[] = ["open", "claimed", "decided"];

/** `GET …/reviews`, `GET …/reviews/{id}`, `POST …/reviews/{id}/claim` and `…/answer`. */
export async function adminReviews(asked: Asked): Promise<AdminReply> {
  const { exchange, desk } = asked;
  const [id, action, ...rest] = exchange.path.slice(reviewsPath.length + 1).split("/");
  const wanted = action === undefined ? "GET" : "POST";
  if (rest.length > 0 || (action !== undefined && action !== "claim" && action !== "answer")) {
    return wrong(404, `there is nothing at ${reviewsPath}/{id}/${action ?? ""}; there are /claim and /answer`);
  }
  if (exchange.method !== wanted && !(wanted === "GET" && exchange.method === "HEAD")) {
    return onlyMethods(wanted === "GET" ? "GET, HEAD" : "POST");
  }
  if (desk === undefined) return wrong(503, "this gateway keeps no reviews; its log says why");
  if (id === undefined || id === "") return list(desk, exchange.query);
  if (action === undefined) return show(desk, id);
  return turn({ ...asked, desk }, id, action);
}

function list(desk: ReviewDesk, query: URLSearchParams): AdminReply {
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

function show(desk: ReviewDesk, id: string): AdminReply {
  const look = desk.show(id);
  if (look.kind === "unavailable") return unavailable(look.why);
  return look.kind === "unknown" ? unknown() : { status: 200, body: writtenReview(look.review) };
}

async function turn(
  { exchange, desk, key }: Asked & { readonly desk: ReviewDesk },
  id: string,
  action: string,
): Promise<AdminReply> {
  // A page in a browser can post anything to a gateway on its machine but this, unasked.
  if (!/^application\/json\s*(?:;|$)/iu.test(exchange.headers["content-type"] ?? "")) {
    return wrong(415, "send JSON, with content-type: application/json");
  }
  const read = await exchange.readBody({ maxBytes: maxBodyBytes, idleMs: bodyIdleMs });
  if (read.kind === "gone") return wrong(400, "the body did not come whole");
  if (read.kind === "refused")
    return wrong(read.failure.kind === "request_too_large" ? 413 : 400, read.failure.message);
  const said = objectIn(read.bytes);
  if (said === undefined) return wrong(400, "the body is not a JSON object");
  const by = reviewerOf(said["by"], key);
  if (by === undefined) return wrong(400, "say who you are: by, a text");
  if (action === "claim") {
    const odd = oddField(said, ["by", "lease_ms"]);
    const leaseMs = said["lease_ms"];
    if (odd !== undefined) return wrong(400, odd);
    if (leaseMs !== undefined && typeof leaseMs !== "number") return wrong(400, "lease_ms is a number of milliseconds");
    return replyTo(desk.claim(id, { by, ...(leaseMs === undefined ? {} : { leaseMs }) }));
  }
  const verdict = verdictIn(said, by);
  return typeof verdict === "string" ? wrong(400, verdict) : replyTo(desk.answer(id, verdict));
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

function objectIn(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
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

export function wrong(status: number, error: string): AdminReply {
  return { status, body: { error } };
}

/** As the header `allow` writes them. */
export function onlyMethods(allow: string): AdminReply {
  return { ...wrong(405, `use ${allow.split(",", 1)[0]}`), headers: { allow } };
}
