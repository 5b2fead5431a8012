import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { OtlpAttribute, OtlpValue } from "#control/telemetry/otlp";
import type { OtlpMetric } from "#control/telemetry/otlp-metrics";
import type { OtlpSpan } from "#control/telemetry/spans";

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly resource: Readonly<Record<string, unknown>>;
  readonly spans: readonly OtlpSpan[];
  readonly metrics: readonly OtlpMetric[];
}

interface Scoped {
  readonly scope: { readonly name: string };
  readonly schemaUrl: string;
  readonly spans?: readonly OtlpSpan[];
  readonly metrics?: readonly OtlpMetric[];
}

interface Body {
  readonly resourceSpans?: readonly { readonly resource: Resource; readonly scopeSpans: readonly Scoped[] }[];
  readonly resourceMetrics?: readonly { readonly resource: Resource; readonly scopeMetrics: readonly Scoped[] }[];
}

interface Resource {
  readonly attributes: readonly OtlpAttribute[];
}

/** A collector that takes OTLP over HTTP as JSON, and refuses what is none. */
export class Collector {
  readonly received: Received[] = [];
  /** What is wrong with what came, in words. */
  readonly faults: string[] = [];
  /** How the next posts are answered; after them all is taken. */
  readonly replies: Reply[] = [];
  /** Answers nothing while it is set. */
  silent = false;
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("request", (request, response) => {
      void this.#answer(request, response);
    });
  }

  static async start(port = 0): Promise<Collector> {
    const server = createServer();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return new Collector(server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get spans(): readonly OtlpSpan[] {
    return this.received.flatMap(({ spans }) => spans);
  }

  /** The newest of each name. */
  get metrics(): ReadonlyMap<string, OtlpMetric> {
    return new Map(this.received.flatMap(({ metrics }) => metrics.map((metric) => [metric.name, metric])));
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, headers, body = "{}" } = await this.#take(request);
    if (!this.silent) response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  }

  async #take(request: IncomingMessage): Promise<Reply> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const reply = this.replies.shift() ?? { status: 200 };
    if (reply.status >= 300) return reply;
    const path = request.url ?? "";
    const body = JSON.parse(Buffer.concat(pieces).toString("utf8")) as Body;
    const all = [...(body.resourceSpans ?? []), ...(body.resourceMetrics ?? [])];
    const scoped = all.flatMap((each) => ("scopeSpans" in each ? each.scopeSpans : each.scopeMetrics));
    const [one] = all;
    const received = {
      path,
      headers: request.headers,
      resource: plainOf(one?.resource.attributes ?? []),
      spans: scoped.flatMap(({ spans = [] }) => spans),
      metrics: scoped.flatMap(({ metrics = [] }) => metrics),
    };
    this.#check(request, received);
    this.received.push(received);
    return reply;
  }

  #check(request: IncomingMessage, { path, spans, metrics }: Received): void {
    const fault = (isRight: boolean, what: string): void => void (isRight || this.faults.push(what));
    fault(request.method === "POST" && request.headers["content-type"] === "application/json", "no post of JSON");
    fault(path === "/v1/traces" ? metrics.length === 0 : path === "/v1/metrics" && spans.length === 0, `at ${path}`);
    fault(spans.length <= 512, `${spans.length} spans in one post`);
    for (const span of spans) {
      fault(/^(?!0+$)[0-9a-f]{32}$/u.test(span.traceId), `trace ${span.traceId}`);
      fault(/^(?!0+$)[0-9a-f]{16}$/u.test(span.spanId), `span ${span.spanId}`);
      fault(/^(?!0+$)[0-9a-f]{16}$/u.test(span.parentSpanId ?? "1234567812345678"), `parent ${span.parentSpanId}`);
      const times = [
        span.startTimeUnixNano,
        span.endTimeUnixNano,
        ...(span.events ?? []).map((each) => each.timeUnixNano),
      ];
      for (const time of times) fault(typeof time === "string" && /^\d{19}$/u.test(time), `time ${time}`);
      fault(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano), "a span that ends before it begins");
      fault(new Set(span.attributes.map(({ key }) => key)).size === span.attributes.length, "an attribute twice");
    }
    for (const { name, sum, gauge, histogram } of metrics) {
      fault([sum, gauge, histogram].filter((kind) => kind !== undefined).length === 1, `${name} is of no kind`);
      const points = [...(sum?.dataPoints ?? []), ...(gauge?.dataPoints ?? []), ...(histogram?.dataPoints ?? [])];
      const keys = points.map(({ attributes }) => JSON.stringify(attributes));
      fault(new Set(keys).size === keys.length, `${name} has a series twice`);
      for (const { explicitBounds, bucketCounts, count } of histogram?.dataPoints ?? []) {
        const total = bucketCounts.reduce((all, each) => all + BigInt(each), 0n);
        fault(bucketCounts.length === explicitBounds.length + 1 && total === BigInt(count), `${name} is no histogram`);
      }
      if (sum !== undefined || histogram !== undefined) {
        fault((sum ?? histogram)?.aggregationTemporality === 2, `${name} is not cumulative`);
        fault(
          points.every(({ startTimeUnixNano }) => /^\d{19}$/u.test(startTimeUnixNano ?? "")),
          `${name} has no start`,
        );
      }
    }
  }
}

function plain(value: OtlpValue): unknown {
  if ("arrayValue" in value) return value.arrayValue.values.map(plain);
  return "intValue" in value ? Number(value.intValue) : Object.values(value)[0];
}

export function plainOf(attributes: readonly OtlpAttribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}
