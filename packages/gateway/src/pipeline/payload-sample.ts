import type { Call } from "#domain/call";
import type { PayloadRule } from "#domain/payload";
import type { Exchange } from "#domain/ports";
import type { Snapshot } from "#domain/snapshot";
import { readJson, type FieldScan } from "#wire/json-splice";
import type { DataPlane } from "./data-plane.ts";

interface Asked {
  readonly call: Call;
  readonly scan: FieldScan;
}

/** The header by which a caller keeps a call out of the log, whatever is sampled. */
const wordHeader = "x-hedgerow-payload";

/** The exchange of a call whose payloads are to be kept; undefined for all others, which pay nothing for it. */
export function watchPayload(
  exchange: Exchange,
  asked: Asked,
  { plane, snapshot }: { readonly plane: DataPlane; readonly snapshot: Snapshot },
): WatchedExchange | undefined {
  const rule = snapshot.payloads;
  if (rule === undefined || plane.payloads === undefined || !isSampled(exchange, asked, rule)) return undefined;
  return new WatchedExchange(exchange, rule);
}

/**
 * By the last 32 bits of the call's id, which are chance, so that whoever asks gets the same answer; and never against the
 * caller's word, a header or `store: false`.
 */
function isSampled(exchange: Exchange, { call, scan }: Asked, { share }: PayloadRule): boolean {
  if (Number.parseInt(call.id.slice(-8), 16) >= share * 2 ** 32) return false;
  if (exchange.headers[wordHeader]?.trim().toLowerCase() === "off") return false;
  const store = scan.fields.get("store");
  if (store === undefined) return true;
  const said = readJson(call.body, store);
  return !said.ok || said.value !== false;
}

/** An exchange that keeps the beginning of what is sent to the caller. Given to the log when the call is over. */
class WatchedExchange implements Exchange {
  readonly #exchange: Exchange;
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #kept = 0;
  #bytes = 0;
  #status = 0;

  constructor(exchange: Exchange, { maxBytes }: PayloadRule) {
    this.#exchange = exchange;
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

  /** What was asked and what was sent, as far as they are kept. */
  tell(call: Call, { payloads, clock }: DataPlane): void {
    const request = call.body.subarray(0, this.#maxBytes);
    payloads?.put({
      id: call.id,
      atMs: clock.wallMs(),
      caller: call.caller,
      dialect: call.dialect,
      operation: call.operation,
      model: call.model,
      streamed: call.streamed,
      status: this.#status,
      request: { bytes: call.body.length, kept: request },
      answer: { bytes: this.#bytes, kept: Buffer.concat(this.#pieces, this.#kept) },
    });
  }

  #keep(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    const room = this.#maxBytes - this.#kept;
    if (room <= 0 || bytes.length === 0) return;
    const piece = bytes.subarray(0, room);
    this.#pieces.push(piece);
    this.#kept += piece.length;
  }
}
