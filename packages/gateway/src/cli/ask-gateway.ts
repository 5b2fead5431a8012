import { sseDecoder } from "#wire/sse";

export interface AskOptions {
  /** The gateway's address, without a path. */
  readonly url: string;
  readonly text: string;
  readonly streamed: boolean;
  readonly key: string | undefined;
  readonly model: string | undefined;
  readonly minConfidence: number | undefined;
  /** Each piece of the answer's text as it comes. */
  readonly onText: (piece: string) => void;
}

/** Who answered and how, from the answer's headers and its `hedgerow` object. Absent: not said. */
export interface Facts {
  readonly target?: string;
  readonly decision?: string;
  readonly confidence?: string;
  readonly costUsd?: string;
  readonly attemptCount?: number;
  /** One line for each attempt. */
  readonly attempts: readonly string[];
  readonly warnings: readonly string[];
}

export interface Asked {
  readonly kind: "answered";
  readonly facts: Facts;
  readonly durationMs: number;
}

export interface AskFailed {
  readonly kind: "failed";
  readonly message: string;
  readonly code?: string;
  readonly requestId?: string;
  readonly attempts: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** An answer on a terminal is far smaller; a larger one is cut off with an error. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** One call in OpenAI's language to a running gateway. Never rejects: what goes wrong is an answer of its own. */
export async function askGateway(options: AskOptions): Promise<Asked | AskFailed> {
  const startedAtMs = performance.now();
  try {
    const response = await fetch(`${options.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(options.key === undefined || options.key === "" ? {} : { authorization: `Bearer ${options.key}` }),
      },
      body: JSON.stringify(bodyOf(options)),
    });
    if (!response.ok) return failedFrom(objectOf(await response.text()), response);
    const streamed = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    const read = streamed ? await readStream(response, options.onText) : await readWhole(response, options.onText);
    if ("failure" in read) return read.failure;
    const facts = factsOf(read.facts, response.headers);
    return { kind: "answered", facts, durationMs: performance.now() - startedAtMs };
  } catch (error) {
    return unreachable(error, options.url);
  }
}

function bodyOf(options: AskOptions): object {
  return {
    ...(options.model === undefined ? {} : { model: options.model }),
    messages: [{ role: "user", content: options.text }],
    stream: options.streamed,
    ...(options.streamed ? { stream_options: { include_usage: true } } : {}),
    hedgerow: {
      metadata: true,
      ...(options.minConfidence === undefined ? {} : { min_confidence: options.minConfidence }),
    },
  };
}

type Read = { readonly facts: Json } | { readonly failure: AskFailed };

async function readWhole(response: Response, onText: (piece: string) => void): Promise<Read> {
  const answer = objectOf(await response.text());
  const [choice] = listOf(answer["choices"]);
  const content = childOf(childOf(choice)["message"])["content"];
  if (typeof content === "string") onText(content);
  return { facts: { ...childOf(answer["hedgerow"]), ...confidenceOf(answer) } };
}

async function readStream(response: Response, onText: (piece: string) => void): Promise<Read> {
  let facts: Json = {};
  let failure: AskFailed | undefined;
  let complete = false;
  const decoder = sseDecoder({
    maxFrameBytes: 4 * 1024 * 1024,
    onFrame: ({ data }) => {
      if (data === undefined || data === "") return;
      if (data === "[DONE]") {
        complete = true;
        return;
      }
      const chunk = objectOf(data);
      if (chunk["error"] !== undefined) failure ??= failedFrom(chunk, response);
      facts = { ...facts, ...childOf(chunk["hedgerow"]), ...confidenceOf(chunk) };
      const delta = childOf(childOf(listOf(chunk["choices"])[0])["delta"]);
      if (typeof delta["content"] === "string") onText(delta["content"]);
    },
    onOversize: () => {
      failure ??= { kind: "failed", message: "the gateway sent an event larger than 4 MiB", attempts: [] };
    },
  });
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > maxAnswerBytes)
      return { failure: { kind: "failed", message: "the answer is larger than 64 MiB", attempts: [] } };
    decoder.push(piece);
  }
  decoder.end();
  if (failure !== undefined) return { failure };
  if (complete) return { facts };
  return {
    failure: { kind: "failed", message: "the stream ended early: the answer above is not whole", attempts: [] },
  };
}

function failedFrom(body: Json, response: Response): AskFailed {
  const error = childOf(body["error"]);
  const metadata = childOf(error["metadata"]);
  const message = typeof error["message"] === "string" ? error["message"] : `the gateway answered ${response.status}`;
  const code = metadata["code"] ?? error["code"];
  const requestId = metadata["request_id"] ?? response.headers.get("x-request-id");
  return {
    kind: "failed",
    message,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof requestId === "string" ? { requestId } : {}),
    attempts: attemptLines(metadata["attempts"]),
  };
}

function factsOf(late: Json, headers: Headers): Facts {
  const provider = late["provider"] ?? headers.get("x-hedgerow-provider");
  const model = late["model"] ?? headers.get("x-hedgerow-model");
  const decision = late["decision"] ?? headers.get("x-hedgerow-decision");
  const confidence = late["confidence_score"] ?? headers.get("x-hedgerow-confidence");
  const cost = late["cost_usd"] ?? headers.get("x-hedgerow-cost-usd");
  const attempts = attemptLines(late["attempts"]);
  const count = attempts.length > 0 ? attempts.length : Number(headers.get("x-hedgerow-attempts") ?? Number.NaN);
  const warnings = listOf(late["warnings"]).filter((each) => typeof each === "string");
  return {
    ...(typeof provider === "string" && typeof model === "string" ? { target: `${provider}/${model}` } : {}),
    ...(typeof decision === "string" ? { decision } : {}),
    ...(isPrintable(confidence) ? { confidence: String(confidence) } : {}),
    ...(isPrintable(cost) ? { costUsd: plainDecimal(cost) } : {}),
    ...(Number.isInteger(count) ? { attemptCount: count } : {}),
    attempts,
    warnings,
  };
}

function isPrintable(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

/** Without an exponent: `0.0000012`, not `1.2e-6`. */
function plainDecimal(value: string | number): string {
  return typeof value === "string" ? value : value.toFixed(9).replace(/\.?0+$/u, "");
}

function confidenceOf(answer: Json): Json {
  return answer["confidence_score"] === undefined ? {} : { confidence_score: answer["confidence_score"] };
}

function attemptLines(attempts: unknown): readonly string[] {
  return listOf(attempts).map((each) => {
    const { target, failure, outcome, status, ms } = childOf(each);
    const words = [target, failure ?? outcome, status, typeof ms === "number" ? `${ms} ms` : undefined];
    return words.filter(isPrintable).join(" ");
  });
}

function unreachable(error: unknown, url: string): AskFailed {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  const fix = "start the gateway with `hedgerow serve`, or name another with --url";
  if (code === "ECONNREFUSED") return { kind: "failed", message: `nothing listens at ${url}; ${fix}`, attempts: [] };
  const reason = cause instanceof Error ? cause.message : String(cause);
  return { kind: "failed", message: `the gateway at ${url} did not answer: ${reason}`, attempts: [] };
}

function objectOf(text: string): Json {
  try {
    return childOf(JSON.parse(text));
  } catch {
    return {};
  }
}

function childOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
