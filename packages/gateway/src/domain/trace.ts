/** Where a call stands in its caller's trace, as W3C Trace Context says it (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly id: string;
  /** The caller's span: 16 hex digits. */
  readonly parent: string;
  /** Whether the caller keeps its trace. */
  readonly sampled: boolean;
  /** `tracestate` as it came. */
  readonly state?: string;
}

const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/u;
const nothing = /^0+$/u;
const longestState = 512;
const mostStates = 32;
const stateMember =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\u0020-\u002b\u002d-\u003c\u003e-\u007e]{0,255}[\u0021-\u002b\u002d-\u003c\u003e-\u007e]$/u;

/** The trace that a call came with; undefined where it came with none, or with one that is not whole: that is no fault. */
export function readTraceContext(headers: Readonly<Record<string, string>>): TraceContext | undefined {
  const written = headers["traceparent"];
  const read = written === undefined ? null : traceparent.exec(written);
  if (read === null) return undefined;
  const [, id = "", parent = "", flags = ""] = read;
  if (nothing.test(id) || nothing.test(parent)) return undefined;
  const state = readState(headers["tracestate"]);
  return { id, parent, sampled: (Number.parseInt(flags, 16) & 1) === 1, ...(state === undefined ? {} : { state }) };
}

/** A state that is not whole is left out; the trace goes on without. */
function readState(written: string | undefined): string | undefined {
  if (written === undefined || written === "" || written.length > longestState) return undefined;
  const members = written.split(",").map((member) => member.trim());
  const said = members.filter((member) => member !== "");
  const isWhole = said.length > 0 && said.length <= mostStates && said.every((member) => stateMember.test(member));
  return isWhole ? said.join(",") : undefined;
}

const ownDigits = /[0-9a-f]{24}$/u;
/** `hedg`: a trace that began here is known by it. */
const ownMark = "68656467";

/** The trace of a call that came with none: 32 hex digits, always the same for a call's id. */
export function traceIdOf(callId: string): string {
  const digits = ownDigits.exec(callId)?.[0];
  // An id of ours ends in 56 bits of chance, which a hash could only make fewer.
  return digits === undefined ? hash64(callId, 1) + hash64(callId, 2) : ownMark + digits;
}

/** The span of a call: 16 hex digits, always the same for its id. */
export function callSpanId(callId: string): string {
  return hash64(callId, 3);
}

/**
 * The span of one attempt: 16 hex digits, always the same for the target and the millisecond at which it began, as its
 * record tells them, so that nobody has to keep it.
 */
export function attemptSpanId(callId: string, target: string, startedMs: number): string {
  return hash64(`${callId} ${target} ${startedMs}`, 4);
}

/**
 * Whether a trace is among the share (0 to 1) that is kept: by the lowest 52 of its bits, so that all who ask of one trace
 * get the same answer. After OpenTelemetry's ratio sampler.
 */
export function isKept(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) < share * 2 ** 52;
}

/** What a request to a provider says of its trace. */
export function traceHeaders(trace: {
  readonly id: string;
  readonly span: string;
  readonly sampled: boolean;
  readonly state?: string;
}): Readonly<Record<string, string>> {
  const { id, span, sampled, state } = trace;
  return {
    traceparent: `00-${id}-${span}-${sampled ? "01" : "00"}`,
    ...(state === undefined ? {} : { tracestate: state }),
  };
}

/**
 * Sixteen hex digits, never all zero, that differ where texts differ: two halves after FNV-1a
 * (http://www.isthe.com/chongo/tech/comp/fnv/), each mixed as MurmurHash3 ends. Tells spans of one trace apart; no secret
 * rests on it.
 */
function hash64(text: string, salt: number): string {
  let high = 0x811c9dc5 ^ salt;
  let low = 0x01000193 + salt;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x5bd1e995);
    low ^= low >>> 15;
  }
  const digits = hex8(mixed(high)) + hex8(mixed(low ^ high));
  return nothing.test(digits) ? "0000000000000001" : digits;
}

function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}
