import { hash, timingSafeEqual } from "node:crypto";
import { clientEndpoint, dialectOfHeaders, type Endpoint } from "#dialects/client-endpoint";
import { dialects } from "#dialects/registry";
import type { Dialect } from "#dialects/dialect";
import type { Call, Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { BodyRead, Exchange } from "#domain/ports";
import type { GatewayKey, Snapshot } from "#domain/snapshot";
import { scanFields, type FieldScan } from "#wire/json-splice";
import type { DataPlane } from "./data-plane.ts";
import type { CallControl } from "./live-calls.ts";
import { maxFeedbackBytes } from "./serve-feedback.ts";
import type { Thread } from "./thread.ts";

const canStream: ReadonlySet<Operation> = new Set(["generate", "complete"]);

/** What came in, as far as it got. */
export type Accepted =
  | AcceptedCall
  | {
      readonly kind: "models";
      readonly dialect: Dialect;
      readonly id: string;
      readonly model?: string;
      readonly key?: GatewayKey;
      readonly gatewayMs: number;
    }
  | {
      readonly kind: "stored";
      readonly dialect: Dialect;
      readonly id: string;
      readonly caller: string;
      readonly path: readonly string[];
      readonly body: Uint8Array;
      readonly gatewayMs: number;
    }
  | {
      readonly kind: "feedback";
      readonly dialect: Dialect;
      readonly id: string;
      readonly caller: string;
      readonly body: Uint8Array;
      readonly gatewayMs: number;
    }
  | {
      readonly kind: "review";
      readonly dialect: Dialect;
      readonly id: string;
      readonly caller: string;
      readonly review: string;
      readonly gatewayMs: number;
    }
  | Turned;

export interface AcceptedCall {
  readonly kind: "call";
  readonly call: Call;
  readonly dialect: Dialect;
  readonly scan: FieldScan;
  readonly key?: GatewayKey;
  /** Where its language lets a call name an earlier answer. */
  readonly thread?: Thread;
}

/** Turned away before it was a call. Recorded only where the caller is known, so strangers cannot fill the disk. */
export interface Turned {
  readonly kind: "refused";
  readonly failure: Failure;
  readonly dialect: Dialect;
  readonly id: string;
  readonly caller?: string;
  readonly operation?: Operation;
  /** How long it took to turn it away. */
  readonly gatewayMs: number;
}

export interface Acceptance {
  readonly snapshot: Snapshot;
  /** Ends the wait for a body that is still on its way. */
  readonly control: CallControl;
}

/** Authenticates, bounds, reads and peeks; parses nothing it does not have to. */
export async function accept(exchange: Exchange, plane: DataPlane, at: Acceptance): Promise<Accepted> {
  const { snapshot, control } = at;
  const acceptedAtMs = plane.clock.nowMs();
  const id = `req_${plane.newId()}`;
  const endpoint = clientEndpoint(exchange.path, exchange.query);
  const dialect =
    endpoint === undefined || !("dialect" in endpoint)
      ? dialectOfHeaders(exchange.headers, exchange.query)
      : dialects[endpoint.dialect];
  const spentMs = (): number => plane.clock.nowMs() - acceptedAtMs;
  const refuse = (why: Failure, more: Pick<Turned, "caller" | "operation"> = {}): Turned => {
    return { kind: "refused", failure: why, dialect, id, gatewayMs: spentMs(), ...more };
  };

  if (endpoint === undefined) {
    return refuse(failure("path_not_found", `There is nothing at ${exchange.method} ${printable(exchange.path)}.`));
  }
  const method = endpoint.kind === "call" || endpoint.kind === "feedback" ? "POST" : "GET";
  const fits = exchange.method === method || (method === "GET" && exchange.method === "HEAD");
  if (!fits && endpoint.kind !== "stored") {
    return refuse(failure("method_not_allowed", `Use ${method} at ${printable(exchange.path)}.`));
  }
  const known = authenticate(exchange.headers, exchange.query, snapshot.keys);
  if (known.kind === "refused") return refuse(known.failure);
  if (endpoint.kind === "models") {
    return {
      kind: "models",
      dialect,
      id,
      gatewayMs: spentMs(),
      ...(endpoint.model === undefined ? {} : { model: endpoint.model }),
      ...(known.key === undefined ? {} : { key: known.key }),
    };
  }
  const caller = known.key?.name ?? "anonymous";
  if (endpoint.kind === "review") {
    return { kind: "review", dialect, id, caller, review: endpoint.review, gatewayMs: spentMs() };
  }
  const operation = endpoint.kind === "call" ? endpoint.operation : undefined;
  const turn = (why: Failure): Turned => refuse(why, { caller, ...(operation === undefined ? {} : { operation }) });

  const closed = doorClosed(plane, snapshot);
  if (closed !== undefined) return turn(closed);
  const { maxBodyBytes, uploadIdleMs: idleMs } = snapshot.limits;
  const maxBytes = endpoint.kind === "feedback" ? Math.min(maxBodyBytes, maxFeedbackBytes) : maxBodyBytes;
  const body = await Promise.race([exchange.readBody({ maxBytes, idleMs }), endOf(control)]);
  control.listen(undefined);
  if (body.kind === "gone") return turn(failure("client_gone", "The client left while it was still sending."));
  if (body.kind === "refused") return turn(body.failure);
  if (endpoint.kind === "stored") {
    return { kind: "stored", dialect, id, caller, path: endpoint.path, body: body.bytes, gatewayMs: spentMs() };
  }
  if (endpoint.kind === "feedback") {
    return { kind: "feedback", dialect, id, caller, body: body.bytes, gatewayMs: spentMs() };
  }
  const asked = { id, dialect, endpoint, bytes: body.bytes, headers: exchange.headers, snapshot };
  const read = readCall(asked, { caller, acceptedAtMs });
  if (!("call" in read)) return turn(read);
  return { kind: "call", dialect, ...read, ...(known.key === undefined ? {} : { key: known.key }) };
}

interface AskedCall {
  readonly id: string;
  readonly dialect: Dialect;
  readonly endpoint: Extract<Endpoint, { readonly kind: "call" }>;
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly snapshot: Snapshot;
}

function readCall(
  { id, dialect, endpoint, bytes, headers, snapshot }: AskedCall,
  from: Pick<Call, "caller" | "acceptedAtMs">,
): Pick<AcceptedCall, "call" | "scan"> | Failure {
  const { address, operation } = endpoint;
  const scan = scanFields(bytes, { maxDepth: snapshot.limits.maxDepth });
  if ("problem" in scan) {
    return failure("invalid_request", `The body is not the JSON object expected here: ${scan.problem}.`);
  }
  const peeked = dialect.peek(bytes, scan, address);
  if (peeked.kind === "refused") return peeked.failure;
  const call: Call = {
    id,
    dialect: dialect.id,
    operation,
    address,
    body: bytes,
    model: peeked.model === "" ? (address.model ?? "") : peeked.model,
    streamed: canStream.has(operation) && (address.streamed ?? peeked.streamed),
    options: peeked.options,
    passHeaders: pick(headers, dialect.passHeaders),
    ...from,
  };
  return { call, scan };
}

/** An upload that is cut short from outside: by its client, or by a drain that can wait no longer. */
function endOf(control: CallControl): Promise<BodyRead> {
  return new Promise((resolve) => {
    control.listen((why) => resolve({ kind: "refused", failure: why }));
  });
}

/** Looked at before the body is read, so that refusing is cheap. */
function doorClosed(plane: DataPlane, snapshot: Snapshot): Failure | undefined {
  if (plane.live.draining) {
    return failure("draining", "The gateway is stopping; ask again.", { retryAfterMs: 1_000 });
  }
  if (plane.live.count > snapshot.limits.maxConcurrentCalls) {
    return failure("overloaded", "The gateway has as many calls as it can carry.", { retryAfterMs: 2_000 });
  }
  if (!plane.journalHealthy()) {
    return failure("overloaded", "The gateway cannot record calls at the moment and serves none unrecorded.", {
      retryAfterMs: 5_000,
    });
  }
  return undefined;
}

type Known =
  | { readonly kind: "known"; readonly key?: GatewayKey }
  | { readonly kind: "refused"; readonly failure: Failure };

const keyHeaders = ["x-api-key", "x-goog-api-key", "api-key"];
const bearer = /^bearer +(\S+)$/i;
/** What Amazon's clients sign with is no key of ours: theirs comes in a header beside it, or as a bearer token instead. */
const signature = /^aws4-/i;
const longestKey = 512;

/** One key, in any of the places SDKs put it. Keys are compared by hash, in constant time. */
export function authenticate(
  headers: Readonly<Record<string, string>>,
  query: URLSearchParams,
  keys: readonly GatewayKey[],
): Known {
  if (keys.length === 0) return { kind: "known" };
  if (query.has("key")) {
    const why = "Send the key in a header, not in the address: addresses end up in logs.";
    return { kind: "refused", failure: failure("unauthenticated", why) };
  }
  const given = new Set<string>();
  const authorization = headers["authorization"];
  const isSigned = authorization === undefined || signature.test(authorization);
  const token = isSigned ? undefined : (bearer.exec(authorization)?.[1] ?? "");
  if (token !== undefined) given.add(token);
  for (const name of keyHeaders) {
    const value = headers[name];
    if (value !== undefined) given.add(value.trim());
  }
  if (given.size > 1) {
    const why = "Two different keys were sent in different headers; send one.";
    return { kind: "refused", failure: failure("ambiguous_credentials", why) };
  }
  const [only] = given;
  const key = only === undefined ? undefined : matching(only, keys);
  if (key !== undefined) return { kind: "known", key };
  const why =
    only === undefined ? "A gateway key is needed: send it as a bearer token." : "This key is not known here.";
  return { kind: "refused", failure: failure("unauthenticated", why) };
}

function matching(given: string, keys: readonly GatewayKey[]): GatewayKey | undefined {
  if (given.length > longestKey) return undefined;
  const digest = hash("sha256", given, "buffer");
  let found: GatewayKey | undefined;
  // Every key is compared, so the time tells nothing about which one came close.
  for (const key of keys) {
    if (timingSafeEqual(digest, Buffer.from(key.sha256, "hex"))) found = key;
  }
  return found;
}

function pick(headers: Readonly<Record<string, string>>, names: readonly string[]): Readonly<Record<string, string>> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

function printable(path: string): string {
  return path.slice(0, 200).replaceAll(/[^\u0020-\u007e]/g, "?");
}
