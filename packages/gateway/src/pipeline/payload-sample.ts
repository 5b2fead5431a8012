import type { Call } from "#domain/call";
import type { PayloadRule } from "#domain/payload";
import type { Exchange } from "#domain/ports";
import type { Snapshot } from "#domain/snapshot";
import type { Span } from "#wire/json-scan";
import { readJson, type FieldScan } from "#wire/json-splice";
import type { DataPlane } from "./data-plane.ts";
import { longestName } from "./record.ts";
import type { Thread } from "./thread.ts";

interface Asked {
  readonly call: Call;
  readonly scan: FieldScan;
  /** Where the call was made whole from an earlier answer: as its caller wrote it. */
  readonly thread?: Pick<Thread, "call" | "scan">;
}

/** A piece smaller than this does not make the copy of the answer grow on its own. */
const leastRoom = 1024;

/** The header by which a caller keeps a call out of the log, whatever is sampled. */
const wordHeader = "x-hedgerow-payload";

/** The exchange of a call whose payloads are to be kept; undefined for all others, which pay nothing for it. */
export function watchPayload(
  exchange: Exchange,
  asked: Asked,
  { plane, snapshot }: { readonly plane: DataPlane; readonly snapshot: Snapshot },
): WatchedExchange | undefined {
  const rule = snapshot.payloads;
  if (rule === undefined || plane.payloads === undefined) return undefined;
  const { call, scan } = asked.thread ?? asked;
  return isSampled(exchange, { call, scan }, rule) ? new WatchedExchange(exchange, call, rule) : undefined;
}

/**
 * By the last 32 bits of the call's id, which are chance, so that whoever asks gets the same answer; and never against the
 * caller's word, a header or `store: false`.
 */
function isSampled(exchange: Exchange, { call, scan }: Asked, { share }: PayloadRule): boolean {
  if (Number.parseInt(call.id.slice(-8), 16) >= share * 2 ** 32) return false;
  const words = exchange.headers[wordHeader]?.toLowerCase().split(",") ?? [];
  if (words.some((word) => word.trim() === "off")) return false;
  // Who says it twice may mean either: one no is enough.
  return !scan.members.some((member) => member.key === "store" && saysNo(call.body, member));
}

function saysNo(body: Uint8Array, value: Span): boolean {
  const said = readJson(body, value);
  return said.ok && said.value === false;
}

/** An exchange that keeps the beginning of what is sent to the caller. Given to the log when the call is over. */
class WatchedExchange implements Exchange {
  readonly #exchange: Exchange;
  readonly #call: Call;
  readonly #maxBytes: number;
  /** A copy: a view would hold the whole read of the upstream that it lies in. */
  #answer = Buffer.alloc(0);
  #kept = 0;
  #bytes = 0;
  #status = 0;

  constructor(exchange: Exchange, call: Call, { maxBytes }: PayloadRule) {
    this.#exchange = exchange;
    this.#call = call;
    this.#maxBytes = maxBytes;
  }

  get method(): string {
    return this.#exchange.method;
  }

  get path(): string {
    return this.#exchange.path;
  }

  get query(): URLSearchParams {
    return this.#exchange.query;
  }

  get headers(): Exchange["headers"] {
    return this.#exchange.headers;
  }

  get gone(): boolean {
    return this.#exchange.gone;
  }

  readBody(limits: Parameters<Exchange["readBody"]>[0]): ReturnType<Exchange["readBody"]> {
    return this.#exchange.readBody(limits);
  }

  respond(...args: Parameters<Exchange["respond"]>): void {
    this.#status = args[0];
    this.#exchange.respond(...args);
  }

  write(bytes: Uint8Array): boolean {
    this.#keep(bytes);
    return this.#exchange.write(bytes);
  }

  end(bytes?: Uint8Array): void {
    if (bytes !== undefined) this.#keep(bytes);
    this.#exchange.end(bytes);
  }

  destroy(): void {
    this.#exchange.destroy();
  }

  onGone(then: () => void): void {
    this.#exchange.onGone(then);
  }

  onDrain(then: () => void): void {
    this.#exchange.onDrain(then);
  }

  /** What was asked and what was sent, as far as they are kept. The route is empty where none was found. */
  tell(route: string, { payloads, clock }: DataPlane): void {
    const call = this.#call;
    const request = call.body.subarray(0, this.#maxBytes);
    payloads?.put({
      id: call.id,
      atMs: clock.wallMs(),
      caller: call.caller,
      dialect: call.dialect,
      operation: call.operation,
      model: call.model.slice(0, longestName),
      route,
      streamed: call.streamed,
      status: this.#status,
      request: { bytes: call.body.length, kept: request },
      answer: { bytes: this.#bytes, kept: this.#answer.subarray(0, this.#kept) },
    });
  }

  #keep(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    const piece = bytes.subarray(0, this.#maxBytes - this.#kept);
    if (piece.length === 0) return;
    this.#makeRoom(this.#kept + piece.length);
    this.#answer.set(piece, this.#kept);
    this.#kept += piece.length;
  }

  /** Twice as much each time, so that many small pieces are not copied again and again; never beyond the bound. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#answer.length) return;
    const size = Math.min(this.#maxBytes, Math.max(leastRoom, bytes, 2 * this.#answer.length));
    const larger = Buffer.allocUnsafeSlow(size);
    this.#answer.copy(larger, 0, 0, this.#kept);
    this.#answer = larger;
  }
}
