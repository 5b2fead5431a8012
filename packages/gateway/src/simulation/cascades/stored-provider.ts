import type { Behaviour } from "#simulation/behaviour";
import type { ReceivedRequest } from "#simulation/received-request";
import type { Responder } from "#simulation/script";
import type { TokenPrice } from "./prices.ts";
import type { StoredAnswer, StoredRow, StoredTask } from "./read-stored-answers.ts";

export interface StoredProviderOptions {
  readonly tasks: readonly StoredTask[];
  readonly prices: ReadonlyMap<string, TokenPrice>;
  /** Stored latencies are multiplied by this: 0 answers at once. */
  readonly pace: number;
}

interface Found {
  readonly task: StoredTask;
  readonly row: StoredRow;
}

/** Alternatives at a place of an answer, beside the chosen token. */
const leastAlternative = 1e-12;
const shortestOwnLine = 12;

/**
 * A provider in OpenAI's language that gives the stored answers, with the log-probabilities, usage and latencies they had.
 * Asked whether an answer is right, by a prompt that holds the question, a model says what it then said of its own.
 */
export function storedProvider({ tasks, prices, pace }: StoredProviderOptions): Responder {
  const byPrompt = new Map<string, Found>();
  for (const task of tasks) for (const row of task.rows) byPrompt.set(row.prompt, { task, row });
  const byLine = ownLines([...byPrompt.values()]);
  return (request) => {
    const asked = byPrompt.get(request.lastUserText);
    if (asked !== undefined) return answered(request, asked, { prices, pace });
    const judged = findQuoted(request.promptText, byLine);
    if (judged !== undefined) return judgedBy(request, judged, { prices });
    return { status: 400, errorKind: "invalid-request", body: complaint("no stored row has this prompt") };
  };
}

type Terms = Pick<StoredProviderOptions, "prices" | "pace">;

function answered(request: ReceivedRequest, { task, row }: Found, { pace }: Terms): Behaviour {
  const stored = row.answers.get(request.model);
  if (stored === undefined) return unknownModel(request.model);
  const tokens = task.signal === "logprobs" && request.json["logprobs"] === true ? tokensOf(stored) : undefined;
  return said({
    model: request.model,
    text: stored.text,
    ...(tokens === undefined ? {} : { tokens }),
    usage: { input: stored.inputTokens, output: stored.outputTokens },
    delayMs: (stored.latencyMs ?? 0) * pace,
  });
}

/** The stored log-probability is the mean over the answer's tokens, which is all that is known of each of them. */
function tokensOf({ text, logProbability }: StoredAnswer): readonly Token[] | undefined {
  if (logProbability === undefined) return undefined;
  return [{ token: text, logprob: logProbability ?? -9999, others: [] }];
}

function judgedBy(request: ReceivedRequest, { row }: Found, { prices }: Pick<Terms, "prices">): Behaviour {
  const stored = row.answers.get(request.model);
  if (stored?.logProbability === undefined) return unknownModel(request.model);
  const yes = stored.logProbability ?? Number.NEGATIVE_INFINITY;
  const no = Math.log(Math.max(leastAlternative, -Math.expm1(yes)));
  const isYes = yes >= Math.log(0.5);
  const price = prices.get(request.model);
  const output = price?.output ?? 0;
  const input =
    price === undefined || price.input === 0
      ? 0
      : Math.max(0, Math.round(((stored.judgeCostUsd ?? 0) - output) / price.input));
  const finite = Math.max(yes, -9999);
  const both = [
    { token: "Y", logprob: finite },
    { token: "N", logprob: no },
  ];
  return said({
    model: request.model,
    text: isYes ? "Y" : "N",
    tokens: [{ token: isYes ? "Y" : "N", logprob: isYes ? finite : no, others: both }],
    usage: { input, output: 1 },
    // The stored latency holds both calls.
    delayMs: 0,
  });
}

interface Token {
  readonly token: string;
  readonly logprob: number;
  readonly others: readonly { readonly token: string; readonly logprob: number }[];
}

interface Said {
  readonly model: string;
  readonly text: string;
  readonly tokens?: readonly Token[];
  readonly usage: { readonly input: number; readonly output: number };
  readonly delayMs: number;
}

/** https://platform.openai.com/docs/api-reference/chat/object */
function said({ model, text, tokens, usage, delayMs }: Said): Behaviour {
  const content = tokens?.map(({ token, logprob, others }) => ({
    token,
    logprob,
    bytes: [...Buffer.from(token)],
    top_logprobs: others.map((other) => ({ ...other, bytes: [...Buffer.from(other.token)] })),
  }));
  return {
    status: 200,
    delayMs,
    body: {
      id: "chatcmpl-stored",
      object: "chat.completion",
      created: 1_738_368_000,
      model,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: text, refusal: null },
          logprobs: content === undefined ? null : { content, refusal: null },
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        total_tokens: usage.input + usage.output,
      },
    },
  };
}

/** Lines that only one prompt has, by which it is found in a prompt that quotes it. */
function ownLines(all: readonly Found[]): ReadonlyMap<string, Found> {
  const lines = new Map<string, Found | undefined>();
  for (const found of all) {
    for (const line of new Set(found.row.prompt.split("\n").map((each) => each.trim()))) {
      lines.set(line, lines.has(line) ? undefined : found);
    }
  }
  const own = new Map<string, Found>();
  for (const [line, found] of lines) if (found !== undefined && line.length >= shortestOwnLine) own.set(line, found);
  return own;
}

/** A judge's prompt quotes what was asked, as it stands or as JSON. */
function findQuoted(text: string, byLine: ReadonlyMap<string, Found>): Found | undefined {
  for (const line of text.split(/\n|\\n/u)) {
    const found = byLine.get(
      line
        .replace(/^[>|\s]+/u, "")
        .replaceAll(String.raw`\"`, `"`)
        .trim(),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function unknownModel(model: string): Behaviour {
  return { status: 404, errorKind: "not-found", body: complaint(`no stored answers of ${model}`) };
}

function complaint(message: string): Record<string, unknown> {
  return { error: { message, type: "invalid_request_error", param: null, code: null } };
}
