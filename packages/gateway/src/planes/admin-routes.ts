import { openApiOf, type DescribedRoute } from "#control/admin-api/open-api";
import {
  claimRequest,
  configurationBody,
  healthBody,
  issuedKeyBody,
  keyBody,
  keyList,
  openApiBody,
  reviewBody,
  reviewList,
  verdictRequest,
} from "#control/admin-api/schemas";
import { keyRequest, rotateRequest } from "#control/keys/key-request";
import type { ReviewDesk } from "#control/reviews/review-file";
import type { HealthRow } from "#domain/health";
import type { KeyDesk } from "#domain/key-desk";
import type { Snapshot } from "#domain/snapshot";
import type { IssuedKeys } from "#pipeline/issued-keys";
import { configurationReply } from "./admin-configuration.ts";
import { healthReply } from "./admin-health.ts";
import { createKey, listKeys, revokeKey, rotateKey, showKey, type AskedOfKeys } from "./admin-keys.ts";
import type { AdminReply } from "./admin-reply.ts";
import { answerReview, claimReview, listReviews, showReview } from "./admin-reviews.ts";

/** What the endpoints for administrators look at. */
export interface AdminState {
  snapshot(): Snapshot;
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

/** One request that was let in. */
export interface AdminAsked {
  readonly state: AdminState;
  /** What the braces of the path stand for; empty where it has none. */
  readonly id: string;
  readonly query: URLSearchParams;
  /** A JSON object, of routes with a body. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The name of the key it came with; absent where none is needed. */
  readonly by: string | undefined;
}

/** One endpoint: what it takes and gives, who may use it, and what it does. */
export interface AdminRoute extends DescribedRoute {
  handle(asked: AdminAsked): AdminReply | Promise<AdminReply>;
}

const keyPath = "/admin/api/keys";
const reviewPath = "/admin/api/reviews";

/** All of the admin API: what is not here does not exist, and who is not named here is not let in. */
export const adminRoutes: readonly AdminRoute[] = [
  {
    method: "GET",
    path: "/admin/api/health",
    permission: "viewer",
    summary: "How the providers are, as the workers see it.",
    answer: { status: 200, schema: healthBody },
    handle: async ({ state }) =>
      healthReply(await state.health(), { version: state.snapshot().version, atMs: state.wallMs() }),
  },
  {
    method: "GET",
    path: "/admin/api/configuration",
    permission: "viewer",
    summary: "What runs: the configuration's version and names.",
    answer: { status: 200, schema: configurationBody },
    handle: ({ state }) => configurationReply(state.snapshot()),
  },
  {
    method: "GET",
    path: "/admin/api/openapi.json",
    permission: "viewer",
    summary: "This description.",
    answer: { status: 200, schema: openApiBody },
    handle: () => ({ status: 200, body: describeAdminApi() }),
  },
  {
    method: "GET",
    path: keyPath,
    permission: "viewer",
    summary: "Lists issued keys, the newest first.",
    query: {
      limit: "At most so many, up to 1000; by default 100.",
      after: "Those that come after the key of this id.",
      revoked: "`true`: revoked ones as well.",
    },
    answer: { status: 200, schema: keyList },
    failures: [400, 404, 503],
    handle: (asked) => listKeys(ofKeys(asked), asked.query),
  },
  {
    method: "POST",
    path: keyPath,
    permission: "admin",
    summary: "Issues a key. Its text is in the answer and nowhere else.",
    body: keyRequest,
    answer: { status: 201, schema: issuedKeyBody },
    failures: [409, 503],
    handle: (asked) => createKey(ofKeys(asked), asked.body),
  },
  {
    method: "GET",
    path: `${keyPath}/{id}`,
    permission: "viewer",
    summary: "Gives one key, by its id or, where it is not revoked, its name.",
    answer: { status: 200, schema: keyBody },
    failures: [404, 503],
    handle: (asked) => showKey(ofKeys(asked), asked.id),
  },
  {
    method: "DELETE",
    path: `${keyPath}/{id}`,
    permission: "admin",
    summary: "Revokes a key: no further call is let in with it, calls in flight finish. Again: the same.",
    answer: { status: 200, schema: keyBody },
    failures: [404, 503],
    handle: (asked) => revokeKey(ofKeys(asked), asked.id),
  },
  {
    method: "POST",
    path: `${keyPath}/{id}/rotate`,
    permission: "admin",
    summary: "Gives a key a new secret; the one it has is good for a while beside it.",
    body: rotateRequest,
    answer: { status: 200, schema: issuedKeyBody },
    failures: [404, 409, 503],
    handle: (asked) => rotateKey(ofKeys(asked), asked.id, asked.body),
  },
  {
    method: "GET",
    path: reviewPath,
    permission: "admin",
    summary: "Lists answers that wait for a person, then those that are decided.",
    query: { status: "Only those: open, claimed or decided.", limit: "At most so many; by default 50." },
    answer: { status: 200, schema: reviewList },
    failures: [400, 503],
    handle: ({ state, query }) => listReviews(state.reviews, query),
  },
  {
    method: "GET",
    path: `${reviewPath}/{id}`,
    permission: "admin",
    summary: "Gives all of one review: what was asked and answered.",
    answer: { status: 200, schema: reviewBody },
    failures: [404, 503],
    handle: ({ state, id }) => showReview(state.reviews, id),
  },
  {
    method: "POST",
    path: `${reviewPath}/{id}/claim`,
    permission: "admin",
    summary: "Keeps others from deciding for a while.",
    body: claimRequest,
    answer: { status: 200, schema: reviewBody },
    failures: [404, 409, 503],
    handle: ({ state, id, body, by }) => claimReview(state.reviews, { id, said: body, key: by }),
  },
  {
    method: "POST",
    path: `${reviewPath}/{id}/answer`,
    permission: "admin",
    summary: "Decides a review, once.",
    body: verdictRequest,
    answer: { status: 200, schema: reviewBody },
    failures: [404, 409, 503],
    handle: ({ state, id, body, by }) => answerReview(state.reviews, { id, said: body, key: by }),
  },
];

let described: object | undefined;

/** The same for every caller, made once. */
export function describeAdminApi(): object {
  described ??= openApiOf(adminRoutes);
  return described;
}

function ofKeys({ state, by }: AdminAsked): AskedOfKeys {
  const asked = { desk: state.keys, known: state.snapshot(), wallMs: state.wallMs() };
  return by === undefined ? asked : { ...asked, by };
}
