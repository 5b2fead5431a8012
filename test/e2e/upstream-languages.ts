import { isSpoken } from "#dialects/registry";
import type { DialectId } from "#domain/call";
import type { FirstLanguage } from "../world/first-languages.ts";
import type { Snapshot } from "#domain/snapshot";
import type { LoggedRequest } from "#simulation/request-log";
import { startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway, type TestGateway } from "../world/start-gateway.ts";

/** What stands behind the gateway. Every client test runs over each: one is its relay, the other its translation. */
export interface UpstreamLanguage {
  readonly title: string;
  readonly dialect: DialectId;
  /** Kind of provider. */
  readonly kind: string;
  /** A model of that vendor without special rules. */
  readonly model: string;
  /** In front of the language's own paths; absent: `/v1`. */
  readonly basePath?: string;
  /** What tests of every language ask for and this one has no words for. */
  readonly lacks?: readonly Lack[];
}

type Lack = "stop sequences" | "filtered answers" | "files" | "token counts";

export interface FirstUpstream extends UpstreamLanguage {
  readonly dialect: FirstLanguage;
}

export const openaiUpstream: FirstUpstream = {
  title: "an OpenAI upstream",
  dialect: "openai-chat",
  kind: "openai",
  model: "gpt-4.1",
  lacks: ["token counts"],
};

export const anthropicUpstream: FirstUpstream = {
  title: "an Anthropic upstream",
  dialect: "anthropic-messages",
  kind: "anthropic",
  model: "claude-opus-4-6",
};

export const upstreamLanguages = [openaiUpstream, anthropicUpstream] as const;

const laterUpstreams: readonly UpstreamLanguage[] = [
  {
    title: "a Responses upstream",
    dialect: "openai-responses",
    kind: "openai",
    model: "gpt-4.1",
    lacks: ["stop sequences"],
  },
  { title: "a Gemini upstream", dialect: "gemini", kind: "gemini", model: "gemini-2.5-pro", basePath: "/v1beta" },
  {
    title: "a Bedrock upstream",
    dialect: "bedrock-converse",
    kind: "bedrock",
    model: "anthropic.claude-opus-4-6-v1",
    basePath: "",
  },
  {
    title: "a Cohere upstream",
    dialect: "cohere-chat",
    kind: "cohere",
    model: "command-a-03-2025",
    basePath: "/v2",
    lacks: ["filtered answers", "files", "token counts"],
  },
];

/** One provider of each language providers speak. */
export const everyUpstream: readonly UpstreamLanguage[] = [
  ...upstreamLanguages,
  ...laterUpstreams.filter(({ dialect }) => isSpoken(dialect)),
];

/** A gateway with one provider behind it. Callers name the model `main`. */
export interface House extends AsyncDisposable {
  readonly url: string;
  readonly gateway: TestGateway;
  readonly upstream: Upstream;
  /** What the provider was asked, in order. */
  readonly asked: readonly LoggedRequest[];
  /** The body of the provider's last request. */
  lastBody(): Record<string, unknown>;
}

export function lacks({ lacks: all = [] }: UpstreamLanguage, what: Lack): boolean {
  return all.includes(what);
}

/** The key the gateway has for its provider, which no client ever sends. */
export const providerKey = "sk-up";

export async function openHouse(
  language: UpstreamLanguage,
  script: Parameters<typeof startUpstream>[0],
  more: Partial<Snapshot> & { readonly lenient?: boolean } = {},
): Promise<House> {
  const { lenient = false, ...snapshot } = more;
  const upstream = await startUpstream(script, { keys: [providerKey], lenient });
  const gateway = await startGateway(
    [
      {
        ...providerAt("up", language.kind, upstream.url),
        dialect: language.dialect,
        dialects: [language.dialect],
        basePath: language.basePath ?? "/v1",
      },
    ],
    [sampleRoute("main", [`up/${language.model}`])],
    snapshot,
  );
  return {
    url: gateway.url,
    gateway,
    upstream,
    asked: upstream.log.entries,
    lastBody: () => JSON.parse(upstream.log.last?.body.toString() ?? "{}") as Record<string, unknown>,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

/** Lets the simulator's built-in assistant answer: it runs tools, fits schemas and checks what it is sent. */
export const assistant = () => ({});

/** What a call raised. An answer is a failure of the test. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => {
      throw new Error("an error was expected, and an answer came");
    },
    (error: unknown) => error,
  );
}

/** Everything a stream gives. */
export async function gather<Item>(stream: AsyncIterable<Item>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** How long it takes from a client's abort to the provider seeing its call cancelled, over several calls. */
export interface AbortLatencies {
  readonly count: number;
  /** Milliseconds. */
  readonly median: number;
  /** What each call raised; undefined where it ended quietly. */
  readonly errors: readonly unknown[];
}

/**
 * Aborts one call after another, each once `work` has said that it saw content, or once the provider was asked where
 * it never will.
 */
export async function abortLatencies(
  house: House,
  work: (signal: AbortSignal, seen: () => void) => Promise<unknown>,
): Promise<AbortLatencies> {
  const count = 5;
  const latencies: number[] = [];
  const errors: unknown[] = [];
  for (let round = 0; round < count; round += 1) {
    const controller = new AbortController();
    let abortedAtMs = 0;
    const abort = (): void => {
      if (controller.signal.aborted) return;
      abortedAtMs = performance.now();
      controller.abort();
    };
    const ended = work(controller.signal, abort).then(
      () => undefined,
      (error: unknown) => error,
    );
    await house.upstream.log.until((entries) => entries.length > round);
    if (house.upstream.log.last?.streamed === false) abort();
    errors.push(await ended);
    await house.upstream.log.until((entries) => entries[round]?.state === "aborted");
    latencies.push((house.asked[round]?.abortedAtMs ?? Infinity) - abortedAtMs);
  }
  return { count, errors, median: latencies.toSorted((a, b) => a - b)[Math.floor(count / 2)] ?? Infinity };
}
