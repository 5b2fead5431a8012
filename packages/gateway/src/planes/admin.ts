import type { ReviewDesk } from "#control/reviews/review-file";
import type { HealthRow, LoadRow } from "#domain/health";
import type { KeyDesk } from "#domain/key-desk";
import type { Exchange } from "#domain/ports";
import type { Snapshot } from "#domain/snapshot";
import { authenticate, isOpen } from "#pipeline/authenticate";
import type { IssuedKeys } from "#pipeline/issued-keys";
import { mergeRows } from "#policy/health-rows";
import { adminReviews, onlyMethods, reviewsPath, wrong, type AdminReply } from "./admin-reviews.ts";

/** What the endpoints for administrators look at. */
export interface AdminState {
  snapshot(): Snapshot;
  version(): string;
  /** Wall clock, milliseconds since 1970. */
  wallMs(): number;
  /** One list for each worker that answered in time. */
  health(): Promise<readonly (readonly HealthRow[])[]>;
  /** Absent where none are kept. */
  readonly reviews: ReviewDesk | undefined;
  /** As far as this process knows them; absent: none. */
  readonly issued: IssuedKeys | undefined;
  /** Absent where none can be issued. */
  readonly keys: KeyDesk | undefined;
}

const healthPath = "/admin/api/health";
const json = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };

/**
 * `/admin/api/…`: for keys with `admin: true`, and for everybody on this machine where no keys are configured. True where
 * the exchange was for it and is, or will be, answered.
 */
export function serveAdmin(exchange: Exchange, state: AdminState): boolean {
  const { path, method } = exchange;
  const isReviews = path === reviewsPath || path.startsWith(`${reviewsPath}/`);
  if (path !== healthPath && !isReviews) return false;
  if (!isReviews && method !== "GET" && method !== "HEAD") {
    respond(exchange, onlyMethods("GET, HEAD"));
    return true;
  }
  const known = authenticate(exchange, { snapshot: state.snapshot(), wallMs: state.wallMs() });
  if (known.kind === "refused") respond(exchange, wrong(401, known.failure.message));
  else if (!isOpen({ snapshot: state.snapshot(), wallMs: state.wallMs() }) && known.key?.role !== "admin") {
    respond(exchange, wrong(403, `the key "${known.key?.name}" is no administrator's; add admin: true to it`));
  } else if (isReviews) void respondReviews(exchange, state, known.key?.name);
  else void respondHealth(exchange, state);
  return true;
}

async function respondReviews(exchange: Exchange, state: AdminState, key: string | undefined): Promise<void> {
  const asked = { exchange, desk: state.reviews, ...(key === undefined ? {} : { key }) };
  const reply = await adminReviews(asked);
  if (!exchange.gone) respond(exchange, reply);
}

async function respondHealth(exchange: Exchange, state: AdminState): Promise<void> {
  const workers = await state.health();
  const atMs = state.wallMs();
  const scopes = mergeRows(workers).map((row) => written(row, atMs));
  const body = { at: dateOf(atMs), version: state.version(), workers: workers.length, scopes };
  respond(exchange, { status: 200, body });
}

function written(row: HealthRow, atMs: number): object {
  const { scope, name, state, cause, sinceAgoMs, untilInMs, openings, load } = row;
  return {
    name,
    ...scope,
    state,
    words: wordsOf(row),
    ...(cause === undefined ? {} : { cause }),
    ...(sinceAgoMs === undefined ? {} : { since: dateOf(atMs - sinceAgoMs) }),
    ...(untilInMs === undefined ? {} : { until: dateOf(atMs + untilInMs) }),
    openings,
    ...(load === undefined ? {} : writtenLoad(load, atMs)),
  };
}

function writtenLoad({ inFlight, limit, firstContentMs, headroom }: LoadRow, atMs: number): object {
  return {
    in_flight: inFlight,
    limit,
    ...(firstContentMs === undefined ? {} : { first_content_ms: firstContentMs }),
    headroom: headroom.map(({ name, remaining, limit: most, resetMs }) => ({
      name,
      remaining,
      ...(most === undefined ? {} : { limit: most }),
      reset: dateOf(atMs + resetMs),
    })),
  };
}

function wordsOf({ state, cause, load }: HealthRow): string {
  const why = cause?.replaceAll("_", " ") ?? "trouble";
  switch (state) {
    case "closed":
      return "well";
    case "full":
      return `as many calls as it serves without waiting (${load?.limit ?? 0})`;
    case "empty":
      return "nothing left of its limits";
    case "half-open":
      return `one call at a time may find out whether it is back, after ${why}`;
    case "cooling":
      return `waits after ${why}`;
    case "open":
      return `not asked after ${why}`;
    case "dead":
      return `out of use after ${why}`;
  }
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}

function respond(exchange: Exchange, { status, body, headers = {} }: AdminReply): void {
  exchange.respond(status, { ...json, ...headers });
  exchange.end(Buffer.from(`${JSON.stringify(body)}\n`));
}
