import type { FailureReading, MatrixClient, Reply } from "./clients/matrix-client.ts";
import type { FailureClass } from "./failure-classes.ts";
import type { MatrixHouse } from "./house.ts";
import type { Intent } from "./intent.ts";
import type { MatrixUpstream } from "./upstreams.ts";

export interface FailureCell {
  readonly client: MatrixClient;
  readonly upstream: MatrixUpstream;
  readonly failure: FailureClass;
  readonly streamed: boolean;
}

/** What the caller was told, and where: before an answer, or as the end of a stream. */
export type FailureResult =
  | {
      readonly kind: "told";
      readonly status: number;
      readonly word: string | undefined;
      readonly code: string | undefined;
      readonly message: string;
      readonly inside?: true;
    }
  | { readonly kind: "unasked"; readonly why: string };

const intent: Intent = { turns: [{ role: "user", parts: [{ kind: "text", text: "Count." }] }], maxTokens: 300 };

/** What no caller may see: the provider's address, the gateway's key, a page. */
const secrets = /127\.0\.0\.1|sk-up|<html/i;

/** Runs a cell: the provider fails in this way however often it is asked. Throws, in words, where it is told wrongly. */
export async function runFailure(cell: FailureCell, house: MatrixHouse): Promise<FailureResult> {
  const { client, upstream, failure, streamed } = cell;
  const does = typeof failure.does === "function" ? failure.does(upstream.dialect) : failure.does;
  if (typeof does === "string") return { kind: "unasked", why: does };
  if (!streamed && failure.streamedOnly !== undefined) return { kind: "unasked", why: failure.streamedOnly };
  const place = { upstream, model: upstream.plain, timeouts: failure.timeouts?.(streamed) ?? {} };
  const { reply } = await house.with(
    place,
    () => does,
    (lane) => lane.ask(client, client.ask(intent, streamed), streamed),
  );
  if (secrets.test(reply.body.toString("latin1"))) throw new Error(`it tells secrets: ${reply.body.toString()}`);
  const isInside = streamed && failure.inside === true;
  const reading = isInside ? readInside(client, reply) : client.readFailure(reply);
  check(cell, reply, reading);
  const { word, code, message } = reading;
  return { kind: "told", status: reply.status, word, code, message, ...(isInside ? { inside: true } : {}) };
}

function readInside(client: MatrixClient, { status, body }: Reply): FailureReading {
  const reading = client.readBrokenStream(body);
  if (status !== 200) throw new Error(`status ${status} where a part of the answer had come`);
  if (reading === undefined) throw new Error(`a stream that does not end in an error: ${body.toString()}`);
  return reading;
}

function check({ client, failure, streamed }: FailureCell, reply: Reply, reading: FailureReading): void {
  const { faults, code } = reading;
  if (faults.length > 0)
    throw new Error(`the error breaks the language: ${faults.join("; ")} ${reply.body.toString()}`);
  if (code !== failure.code) throw new Error(`code ${code}, and not ${failure.code}: ${reading.message}`);
  if (streamed && failure.inside === true) return;
  const status = client.statuses?.[failure.code] ?? failure.status;
  if (reply.status !== status) throw new Error(`status ${reply.status}, and not ${status}`);
  const shouldRetry = reply.headers.get("x-should-retry");
  if (shouldRetry !== String(failure.shouldRetry)) throw new Error(`x-should-retry is ${shouldRetry}`);
  const retryAfter = reply.headers.get("retry-after");
  if (failure.retryAfterS !== undefined && retryAfter !== String(failure.retryAfterS)) {
    throw new Error(`retry-after is ${retryAfter}, the provider said ${failure.retryAfterS}`);
  }
}
