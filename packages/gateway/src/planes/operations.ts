import type { Exchange } from "#domain/ports";
import type { Fleet } from "./messages.ts";
import { renderMetrics, type MetricsSample } from "./metrics.ts";

/** What the endpoints for operators look at. */
export interface OperationsState {
  version(): string;
  draining(): boolean;
  journalHealthy(): boolean;
  fleet(): Fleet;
  metrics(): Promise<MetricsSample>;
}

type Answer = { readonly status: number; readonly type: string; readonly body: string };

const json = "application/json; charset=utf-8";

/**
 * `/livez`, `/readyz` and `/metrics`: outside admission, so that they answer when calls are refused. `/livez` fails
 * only with the process. True where the exchange was one of them and is answered.
 */
export function serveOperations(exchange: Exchange, state: OperationsState): boolean {
  if (exchange.path !== "/livez" && exchange.path !== "/readyz" && exchange.path !== "/metrics") return false;
  if (exchange.method !== "GET" && exchange.method !== "HEAD") {
    respond(exchange, { status: 405, type: json, body: '{"error":"use GET"}\n' }, { allow: "GET, HEAD" });
  } else if (exchange.path === "/livez") {
    respond(exchange, { status: 200, type: json, body: '{"state":"alive"}\n' });
  } else if (exchange.path === "/readyz") {
    respond(exchange, readiness(state), state.draining() ? { connection: "close" } : {});
  } else {
    void respondMetrics(exchange, state);
  }
  return true;
}

async function respondMetrics(exchange: Exchange, state: OperationsState): Promise<void> {
  const body = renderMetrics(await state.metrics());
  respond(exchange, { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body });
}

function readiness(state: OperationsState): Answer {
  const word = state.draining() ? "draining" : state.journalHealthy() ? "ready" : "journal-unhealthy";
  const { wanted, ready, versions } = state.fleet();
  const body = { state: word, version: state.version(), workers: { wanted, ready, versions } };
  return { status: word === "ready" ? 200 : 503, type: json, body: `${JSON.stringify(body)}\n` };
}

function respond(exchange: Exchange, answer: Answer, headers: Readonly<Record<string, string>> = {}): void {
  exchange.respond(answer.status, { "content-type": answer.type, "cache-control": "no-store", ...headers });
  exchange.end(Buffer.from(answer.body));
}
