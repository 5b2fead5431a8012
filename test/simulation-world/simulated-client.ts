import type { BodyRead, Exchange } from "#domain/ports";
import type { Chance } from "./chance.ts";
import type { EventLoop } from "./event-loop.ts";
import { Broken } from "./invariant.ts";
import type { ClientDialect } from "./world-plan.ts";

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** What one caller does. */
export interface CallPlan {
  readonly number: number;
  readonly node: number;
  readonly dialect: ClientDialect;
  readonly streamed: boolean;
  readonly model: string;
  readonly fallbacks: readonly string[];
  readonly uploadMs: number;
  /** After the arrival. */
  readonly leavesMs: number | undefined;
  /** Bytes a second; absent: as fast as they come. */
  readonly readsPerSecond: number | undefined;
  /** Stops reading for good after so many bytes. */
  readonly stopsAfterBytes: number | undefined;
}

const paths: Readonly<Record<ClientDialect, string>> = {
  "openai-chat": "/v1/chat/completions",
  "anthropic-messages": "/v1/messages",
  "openai-responses": "/v1/responses",
};

/** What a socket takes before it asks to wait. */
export const highWaterBytes = 16 * 1024;

export interface ClientWatcher {
  wrote(bytes: Buffer, last: boolean): void;
}

/** The gateway's side of a caller without a socket: it uploads, reads at its own speed, and may go at any moment. */
export class SimulatedClient implements Exchange {
  readonly plan: CallPlan;
  readonly method = "POST";
  readonly path: string;
  readonly query = new URLSearchParams();
  readonly headers: Readonly<Record<string, string>> = { "anthropic-version": "2023-06-01" };
  readonly #loop: EventLoop;
  watcher: ClientWatcher | undefined;
  gone = false;
  goneAtMs: number | undefined;
  /** A head was named, which leaves with the first byte. */
  status = 0;
  fields: Headers = {};
  readonly received: Buffer[] = [];
  receivedBytes = 0;
  bufferedBytes = 0;
  ended = false;
  destroyed = false;
  #read: ((read: BodyRead) => void) | undefined;
  #whenGone: (() => void) | undefined;
  #whenDrained: (() => void) | undefined;
  #isDraining = false;
  #cancelLeave: (() => void) | undefined;

  constructor(plan: CallPlan, loop: EventLoop) {
    this.plan = plan;
    this.path = paths[plan.dialect];
    this.#loop = loop;
    if (plan.leavesMs !== undefined) this.#cancelLeave = loop.timer(plan.leavesMs, () => this.#leave());
  }

  readBody(): Promise<BodyRead> {
    if (this.gone) return Promise.resolve({ kind: "gone" });
    return new Promise((resolve) => {
      this.#read = resolve;
      this.#loop.timer(this.plan.uploadMs, () => resolve({ kind: "read", bytes: bodyOf(this.plan) }));
    });
  }

  respond(status: number, headers: Headers): void {
    if (this.receivedBytes > 0 || this.ended) throw new Broken("I1", `call ${this.plan.number} got a second head`);
    this.status = status;
    this.fields = headers;
  }

  write(bytes: Uint8Array): boolean {
    if (this.ended) throw new Broken("I2", `call ${this.plan.number} got ${bytes.length} bytes after its end`);
    if (this.gone) return true;
    this.#take(bytes, false);
    return this.bufferedBytes < highWaterBytes;
  }

  end(bytes?: Uint8Array): void {
    if (this.ended || this.destroyed) throw new Broken("I1", `call ${this.plan.number} ended twice`);
    if (this.gone) return;
    this.ended = true;
    this.#cancelLeave?.();
    this.#take(bytes ?? Buffer.alloc(0), true);
  }

  destroy(): void {
    if (this.ended) throw new Broken("I1", `call ${this.plan.number} was destroyed after its end`);
    this.destroyed = true;
    this.#cancelLeave?.();
  }

  onGone(then: () => void): void {
    this.#whenGone = then;
    if (this.gone) then();
  }

  onDrain(then: () => void): void {
    this.#whenDrained = then;
  }

  get text(): string {
    return Buffer.concat(this.received).toString("utf8");
  }

  #leave(): void {
    if (this.ended || this.destroyed) return;
    this.gone = true;
    this.goneAtMs = this.#loop.nowMs();
    this.#read?.({ kind: "gone" });
    this.#whenGone?.();
  }

  #take(bytes: Uint8Array, last: boolean): void {
    const copy = Buffer.from(bytes);
    this.watcher?.wrote(copy, last);
    this.received.push(copy);
    this.receivedBytes += copy.length;
    const { readsPerSecond, stopsAfterBytes = Number.POSITIVE_INFINITY } = this.plan;
    if (readsPerSecond === undefined) return;
    this.bufferedBytes += copy.length;
    if (this.#isDraining || this.receivedBytes > stopsAfterBytes) return;
    this.#isDraining = true;
    this.#loop.timer((1000 * this.bufferedBytes) / readsPerSecond, () => this.#drained());
  }

  #drained(): void {
    this.#isDraining = false;
    const wasFull = this.bufferedBytes >= highWaterBytes;
    this.bufferedBytes = 0;
    if (wasFull && !this.gone && !this.ended && !this.destroyed) this.#whenDrained?.();
  }
}

function bodyOf({ number, dialect, model, streamed, fallbacks }: CallPlan): Buffer {
  const prompt = `This is call number ${number}.`;
  const said = dialect === "openai-responses" ? { input: prompt } : { messages: [{ role: "user", content: prompt }] };
  return Buffer.from(
    JSON.stringify({
      model,
      ...said,
      ...(dialect === "anthropic-messages" ? { max_tokens: 1_000 } : {}),
      ...(streamed ? { stream: true } : {}),
      ...(fallbacks.length > 0 ? { fallbacks } : {}),
    }),
  );
}

export function planCall(number: number, node: number, wishes: CallWishes): CallPlan {
  const { chance, clients, model, fallbacks, dialect } = wishes;
  const slow = chance.happens(clients.slow);
  return {
    number,
    node,
    dialect,
    model,
    fallbacks,
    streamed: chance.happens(0.7),
    uploadMs: chance.happens(0.1) ? chance.between(50, 1_500) : chance.between(0, 3),
    leavesMs: chance.happens(clients.leave) ? chance.pick([1, 5, 300, 2_000, 8_000]) * chance.next() : undefined,
    readsPerSecond: slow ? chance.between(2_000, 40_000) : undefined,
    stopsAfterBytes: slow && chance.happens(clients.stall) ? chance.whole(0, 30_000) : undefined,
  };
}

interface CallWishes {
  readonly chance: Chance;
  readonly clients: { readonly leave: number; readonly slow: number; readonly stall: number };
  readonly dialect: ClientDialect;
  readonly model: string;
  readonly fallbacks: readonly string[];
}
