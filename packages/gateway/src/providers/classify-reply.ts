import { failure, traitsOf } from "#domain/failure";
import { generalRows } from "./classification.ts";
import { readComplaint } from "./read-complaint.ts";
import { retryAfterMs } from "./retry-after.ts";
import { sanitiseMessage } from "./sanitise-message.ts";
import type { Failure, FailureKind, UpstreamComplaint } from "#domain/failure";
import type { ClassificationRow } from "./classification.ts";
import type { FailedReply } from "./provider.ts";
import type { Complaint } from "./read-complaint.ts";

/**
 * What a failed reply means: the first row that fits decides, a provider's own rows before the general ones. Total:
 * any status, headers and body give exactly one failure, and nothing throws.
 */
export function classifyReply(reply: FailedReply, rows: readonly ClassificationRow[] = generalRows): Failure {
  const complaint = readComplaint(reply);
  const kind = kindOf(complaint, rows);
  return failure(kind, messageFor(kind, complaint), {
    ...paramOf(complaint),
    ...waitOf(kind, complaint, reply),
    upstream: upstreamOf(complaint, reply.status),
  });
}

/** A classifier for a provider that says some things in its own way. */
export function classifierWith(own: readonly ClassificationRow[]): (reply: FailedReply) => Failure {
  const rows = [...own, ...generalRows];
  return (reply) => classifyReply(reply, rows);
}

function kindOf(complaint: Complaint, rows: readonly ClassificationRow[]): FailureKind {
  if (!isErrorStatus(complaint)) return "bad_upstream_response";
  return rows.find((row) => fits(row, complaint))?.kind ?? "bad_upstream_response";
}

/**
 * Redirects are not followed (a provider may not send our credential elsewhere), and a status outside 400..599 is no
 * error any provider documents. Inside a 2xx a complaint must at least say something.
 */
function isErrorStatus(complaint: Complaint): boolean {
  const { status } = complaint;
  if (status === undefined || (status >= 200 && status <= 299)) {
    return complaint.form === "object" && (complaint.words.length > 0 || complaint.message !== "");
  }
  return status >= 400 && status <= 599;
}

function fits(row: ClassificationRow, complaint: Complaint): boolean {
  const { status } = complaint;
  const told = status === undefined || status < 400 ? "none" : status;
  if (row.statuses !== undefined && !row.statuses.includes(told)) return false;
  if (row.forms !== undefined && !row.forms.includes(complaint.form)) return false;
  if (row.words !== undefined && !row.words.some((word) => complaint.words.includes(word))) return false;
  if (row.wordLike !== undefined && !complaint.words.some((word) => row.wordLike?.test(word))) return false;
  return row.message === undefined || row.message.test(complaint.message);
}

/** In these the provider talks about our account: nothing of it is the caller's business. */
const ownWordsOnly: ReadonlySet<FailureKind> = new Set<FailureKind>([
  "credential_rejected",
  "quota_exhausted",
  "upstream_forbidden",
]);

const ownWords: Partial<Readonly<Record<FailureKind, string>>> = {
  credential_rejected: "The provider rejected the gateway's credential; its operator has to check the key.",
  quota_exhausted: "The gateway's account at the provider has no credit or quota left; its operator has to add some.",
  upstream_forbidden: "The provider refuses this model, account or region to the gateway.",
  rate_limited: "The provider limits the rate of requests; try again later.",
  slow_down: "The provider asks for a slower rise of the request rate; try again later.",
  upstream_overloaded: "The provider is overloaded; try again later.",
  context_length_exceeded: "The request is longer than the model's context window; shorten it.",
  content_filter: "The provider's content policy refused the request.",
  upstream_too_large: "The request is larger than the provider accepts; send less.",
  upstream_rejected: "The provider rejected the request as invalid.",
  model_unavailable: "The provider does not serve this model.",
  upstream_transient: "The provider could not finish the request; try again.",
  upstream_failed: "The provider failed.",
  bad_upstream_response: "The provider's reply was no answer of its protocol.",
};

function messageFor(kind: FailureKind, complaint: Complaint): string {
  const own = ownWords[kind] ?? "The provider failed.";
  if (ownWordsOnly.has(kind) || complaint.form === "html") return own;
  return sanitiseMessage(complaint.message) ?? own;
}

function paramOf(complaint: Complaint): { param?: string } {
  const { param } = complaint;
  return param !== undefined && /^[\w.[\]-]{1,200}$/.test(param) ? { param } : {};
}

/** Only where waiting can cure it: a reset time beside an exhausted account or a wrong request means nothing. */
function waitOf(kind: FailureKind, complaint: Complaint, reply: FailedReply): { retryAfterMs?: number } {
  if (!traitsOf(kind).again) return {};
  const wait = retryAfterMs({
    headers: { ...complaint.headers, ...reply.headers },
    wallMs: reply.wallMs,
    message: complaint.message,
    ...(complaint.retryDelay === undefined ? {} : { retryDelay: complaint.retryDelay }),
  });
  return wait === undefined ? {} : { retryAfterMs: wait };
}

function upstreamOf(complaint: Complaint, httpStatus: number | undefined): UpstreamComplaint {
  const type = nameOf(complaint.type);
  const code = nameOf(complaint.code);
  const status = httpStatus ?? complaint.status;
  return {
    ...(status === undefined ? {} : { status }),
    ...(type === undefined ? {} : { type }),
    ...(code === undefined ? {} : { code }),
  };
}

/** Codes are names; one that is a sentence (xAI's) is cleaned like a message. */
function nameOf(word: string | undefined): string | undefined {
  return word === undefined ? undefined : sanitiseMessage(word)?.slice(0, 100);
}
