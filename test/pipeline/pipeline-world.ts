import { failure } from "#domain/failure";
import type { BodyRead, Clock, Exchange, UpstreamHandler, UpstreamRequest } from "#domain/ports";
import type { CallRecord } from "#domain/record";
import type { ProviderSpec, Route, Snapshot } from "#domain/snapshot";
import type { DataPlane } from "#pipeline/data-plane";
import { LiveCalls } from "#pipeline/live-calls";
import { processMemory } from "#pipeline/process-memory";
import { serveCall } from "#pipeline/serve-call";
import { Affinity } from "#policy/affinity";
import { Health } from "#policy/health";
import { RetryBudget } from "#policy/retry-budget";
import { Speeds } from "#policy/speeds";
import { VirtualClock } from "#simulation/virtual-clock";
import { sampleSnapshot } from "../world/sample-snapshot.ts";

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A client without a socket: everything it is told stays here. */
export class FakeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query = new URLSearchParams();
  readonly headers: Readonly<Record<string, string>>;
  status = 0;
  fields: Headers = {};
  text = "";
  ended = false;
  destroyed = false;
  gone = false;
  /** What `write` answers: false asks the gateway to stop. */
  takes = true;
  readonly #body: Promise<BodyRead>;
  #whenGone: (() => void) | undefined;
  #whenDrained: (() => void) | undefined;

  constructor(asked: Asked) {
    this.method = asked.method ?? "POST";
    this.path = asked.path ?? "/v1/chat/completions";
    this.headers = asked.headers ?? {};
    const bytes = Buffer.from(JSON.stringify(asked.body ?? {}));
    this.#body = asked.upload ?? Promise.resolve({ kind: "read", bytes });
  }

  readBody(): Promise<BodyRead> {
    return this.#body;
  }

  respond(status: number, headers: Headers): void {
    if (this.text !== "" || this.ended) throw new Error("a second head after the first has left");
    this.status = status;
    this.fields = headers;
  }

  write(bytes: Uint8Array): boolean {
    if (this.ended) throw new Error("bytes after the end");
    this.text += Buffer.from(bytes).toString("utf8");
    return this.takes;
  }

  end(bytes?: Uint8Array): void {
    if (bytes !== undefined) this.write(bytes);
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  onGone(then: () => void): void {
    this.#whenGone = then;
    if (this.gone) then();
  }

  onDrain(then: () => void): void {
    this.#whenDrained = then;
  }

  leave(): void {
    this.gone = true;
    this.#whenGone?.();
  }

  drain(): void {
    this.takes = true;
    this.#whenDrained?.();
  }
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** In place of `body`. */
  readonly upload?: Promise<BodyRead>;
}

/** One request as the provider sees it; the test answers it by hand. */
export class SentRequest {
  readonly request: UpstreamRequest;
  paused = false;
  cancelled = false;
  readonly #handler: UpstreamHandler;

  constructor(request: UpstreamRequest, handler: UpstreamHandler) {
    this.request = request;
    this.#handler = handler;
  }

  head(status = 200, headers: Readonly<Record<string, string>> = { "content-type": "text/event-stream" }): this {
    if (!this.cancelled) this.#handler.onHead(status, headers);
    return this;
  }

  bytes(text: string): this {
    if (!this.cancelled) this.#handler.onBytes(Buffer.from(text));
    return this;
  }

  end(): void {
    if (!this.cancelled) this.#handler.onEnd();
  }

  fail(kind: Parameters<typeof failure>[0]): void {
    if (!this.cancelled) this.#handler.onFail(failure(kind, "as the test wants it"));
  }

  /** A whole JSON answer. */
  json(body: object, status = 200): void {
    this.head(status, { "content-type": "application/json" }).bytes(JSON.stringify(body)).end();
  }
}

export const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "m", choices: [{ index: 0, delta: { content } }] })}\n\n`;
export const finishChunk = `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "m", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`;
export const done = "data: [DONE]\n\n";
export const completion = (content: string): object => ({
  id: "c1",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});

interface Served {
  readonly exchange: FakeExchange;
  readonly done: Promise<void>;
}

/** The whole request path without a socket, a disk or a second of real time. */
export class PipelineWorld {
  readonly clock = new VirtualClock();
  readonly sent: SentRequest[] = [];
  readonly records: CallRecord[] = [];
  readonly bugs: unknown[] = [];
  readonly live = new LiveCalls();
  readonly health = new Health();
  /** What the journal says to the next records. */
  journalError: Error | undefined;
  /** Thrown by the next `send`. */
  sendError: Error | undefined;
  readonly plane: DataPlane;
  #ids = 0;

  constructor(providers: readonly ProviderSpec[], routes: readonly Route[], more: Partial<Snapshot> = {}) {
    const snapshot = sampleSnapshot(providers, routes, more);
    const budgets = new Map<string, RetryBudget>();
    this.plane = {
      snapshot: () => snapshot,
      clock: this.clock satisfies Clock,
      send: (request, handler) => {
        if (this.sendError !== undefined) throw this.sendError;
        const one = new SentRequest(request, handler);
        this.sent.push(one);
        return {
          pause: () => void (one.paused = true),
          resume: () => void (one.paused = false),
          cancel: () => void (one.cancelled = true),
        };
      },
      journal: {
        append: (record, then) => {
          this.records.push(record);
          const error = this.journalError;
          setImmediate(() => then(error));
        },
      },
      journalHealthy: () => true,
      health: this.health,
      memory: processMemory(() => this.clock.wallMs()),
      retryBudgets: {
        of: (route) => {
          const budget = budgets.get(route) ?? new RetryBudget();
          budgets.set(route, budget);
          return budget;
        },
      },
      affinity: new Affinity(),
      speeds: new Speeds(),
      traitsOf: (spec, model) => spec.models.get(model),
      live: this.live,
      random: () => 0,
      newId: () => String((this.#ids += 1)).padStart(24, "0"),
      observe: () => {},
      observeRefusal: () => {},
      onBug: (bug) => void this.bugs.push(bug),
    };
  }

  /** Starts a call and lets it go as far as it can. */
  async ask(asked: Asked): Promise<Served> {
    const exchange = new FakeExchange(asked);
    const served = serveCall(exchange, this.plane);
    await this.settle();
    return { exchange, done: served };
  }

  /** A chat call for the route `main`. */
  chat(body: object = {}): Promise<Served> {
    return this.ask({ body: { model: "main", messages: [{ role: "user", content: "hi" }], ...body } });
  }

  request(at: number): SentRequest {
    const one = this.sent[at];
    if (one === undefined) throw new Error(`no request number ${at}; there are ${this.sent.length}`);
    return one;
  }

  /** Lets promises, and the journal, catch up. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms);
    await this.settle();
  }
}
