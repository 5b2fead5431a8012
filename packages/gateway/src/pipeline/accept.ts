import { clientEndpoint, dialectOfHeaders, type Endpoint } from "#dialects/client-endpoint";
import { dialects } from "#dialects/registry";
import type { Dialect } from "#dialects/dialect";
import type { Call, Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { BodyRead, Exchange } from "#domain/ports";
import { ownerOf, type GatewayKey, type KeyEndpoint, type KeyPriority } from "#domain/gateway-key";
import type { Snapshot } from "#domain/snapshot";
import { readTraceContext, type TraceContext } from "#domain/trace";
import { scanFields, type FieldScan } from "#wire/json-splice";
import { authenticate, type Door } from "./authenticate.ts";
import type { DataPlane } from "./data-plane.ts";
import type { CallControl } from "./live-calls.ts";
import { maxFeedbackBytes } from "./serve-feedback.ts";
import type { Thread } from "./thread.ts";

const canStream: ReadonlySet<Operation> = new Set(["generate", "complete"]);

/** What a key has to be good for, beside the operations of calls. */
const endpointOf = {
  models: "models",
  stored: "stored",
  feedback: "feedback",
  review: "reviews",
} as const satisfies Record<Exclude<Endpoint["kind"], "call">, KeyEndpoint>;

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
      readonly owner: string;
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
      readonly owner: string;
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
  readonly trace?: TraceContext;
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
  const refuse = (why: Failure, more: Pick<Turned, "caller" | "operation" | "trace"> = {}): Turned => {
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
  const known = authenticate(exchange, doorOf(plane, snapshot));
  if (known.kind === "refused") return refuse(known.failure);
  const caller = known.key?.name ?? "anonymous";
  const owner = ownerOf(known.key);
  const operation = endpoint.kind === "call" ? endpoint.operation : undefined;
  const trace = traceIn(exchange.headers);
  const turn = (why: Failure): Turned => {
    return refuse(why, { caller, ...(operation === undefined ? {} : { operation }), ...trace });
  };

  const barred = barredFrom(operation ?? endpointOf[endpoint.kind as keyof typeof endpointOf], known.key);
  if (barred !== undefined) return turn(barred);
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
  if (endpoint.kind === "review") {
    return { kind: "review", dialect, id, owner, review: endpoint.review, gatewayMs: spentMs() };
  }
  const closed = doorClosed(plane, snapshot, known.key?.priority ?? "normal");
  if (closed !== undefined) {
    plane.live.turnAway(control);
    return turn(closed);
  }
  const { maxBodyBytes, uploadIdleMs: idleMs } = snapshot.limits;
  const maxBytes = endpoint.kind === "feedback" ? Math.min(maxBodyBytes, maxFeedbackBytes) : maxBodyBytes;
  const body = await Promise.race([exchange.readBody({ maxBytes, idleMs }), endOf(control)]);
  control.listen(undefined);
  if (body.kind === "gone") return turn(failure("client_gone", "The client left while it was still sending."));
  if (body.kind === "refused") return turn(body.failure);
  if (endpoint.kind === "stored") {
    return { kind: "stored", dialect, id, owner, path: endpoint.path, body: body.bytes, gatewayMs: spentMs() };
  }
  if (endpoint.kind === "feedback") {
    return { kind: "feedback", dialect, id, caller, body: body.bytes, gatewayMs: spentMs() };
  }
  const asked = { id, dialect, endpoint, bytes: body.bytes, headers: exchange.headers, snapshot };
  const read = readCall(asked, { caller, owner, acceptedAtMs, ...trace });
  if (!("call" in read)) return turn(read);
  return { kind: "call", dialect, ...read, ...(known.key === undefined ? {} : { key: known.key }) };
}

function traceIn(headers: Exchange["headers"]): Pick<Call, "trace"> {
  const trace = readTraceContext(headers);
  return trace === undefined ? {} : { trace };
}

function barredFrom(endpoint: KeyEndpoint, key: GatewayKey | undefined): Failure | undefined {
  if (key?.role === "viewer") return failure("forbidden", `The key "${key.name}" is for looking, and makes no calls.`);
  if (key?.endpoints?.includes(endpoint) !== false) return undefined;
  return failure("forbidden", `The key "${key.name}" is not for "${endpoint}".`);
}

function doorOf({ issuedKeys, clock }: DataPlane, snapshot: Snapshot): Door {
  return { snapshot, wallMs: clock.wallMs(), ...(issuedKeys === undefined ? {} : { issued: issuedKeys }) };
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
  from: Pick<Call, "caller" | "owner" | "acceptedAtMs" | "trace">,
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
function doorClosed(plane: DataPlane, { limits }: Snapshot, priority: KeyPriority): Failure | undefined {
  if (plane.live.draining) {
    return failure("draining", "The gateway is stopping; ask again.", { retryAfterMs: 1_000 });
  }
  // This call is one of those in flight.
  const calls = plane.live.admitted - 1;
  const { load } = plane;
  const { maxConcurrentCalls: mostCalls, maxLagMs: mostLagMs, maxMemoryBytes } = limits;
  const shed =
    load === undefined
      ? calls >= mostCalls
      : load.shedding.refuses(priority, {
          calls,
          mostCalls,
          lagMs: load.lagMs,
          mostLagMs,
          ...(maxMemoryBytes === undefined ? {} : { memoryBytes: load.memoryBytes, mostMemoryBytes: maxMemoryBytes }),
        }) !== undefined;
  if (shed) return failure("overloaded", "The gateway has as many calls as it can carry.", { retryAfterMs: 2_000 });
  if (!plane.journalHealthy()) {
    return failure("overloaded", "The gateway cannot record calls at the moment and serves none unrecorded.", {
      retryAfterMs: 5_000,
    });
  }
  return undefined;
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
