import { afterEach, describe, expect, it } from "vitest";
import { dialects, upstreamDialects } from "#dialects/registry";
import type { ClientDialectId, DialectId } from "#domain/call";
import type { AnswerScript } from "#simulation/behaviour";
import { parseScript, type Rule } from "#simulation/script";
import { startSimulator, type Simulator } from "#simulation/server";
import { tokenEntry } from "#simulation/token-logprobs";
import { decoding } from "../replay/open-lane.ts";

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.close();
});

/** A new one each time, so that ids are the same. */
async function simulatorOf(script: readonly Rule[]): Promise<Simulator> {
  const simulator = await startSimulator({ script, issuer: "mine" });
  started.push(simulator);
  return simulator;
}

interface Sample {
  readonly title: string;
  readonly dialect: DialectId;
  readonly path: (streamed: boolean) => string;
  readonly body: (streamed: boolean) => object;
  /** What asks for log-probabilities, with five alternatives where the language has them. */
  readonly asking: object;
  readonly alternatives: number;
}

const turns = [{ role: "user", content: "hi" }];
const quiet = { include_obfuscation: false };
const samples: readonly Sample[] = [
  {
    title: "chat",
    dialect: "openai-chat",
    path: () => "/v1/chat/completions",
    body: (stream) => ({ model: "m", messages: turns, stream, ...(stream ? { stream_options: quiet } : {}) }),
    asking: { logprobs: true, top_logprobs: 5 },
    alternatives: 5,
  },
  {
    title: "completions",
    dialect: "openai-chat",
    path: () => "/v1/completions",
    body: (stream) => ({ model: "m", prompt: "hi", stream }),
    asking: { logprobs: 5 },
    alternatives: 5,
  },
  {
    title: "Responses",
    dialect: "openai-responses",
    path: () => "/v1/responses",
    body: (stream) => ({ model: "m", input: "hi", stream, ...(stream ? { stream_options: quiet } : {}) }),
    asking: { include: ["message.output_text.logprobs"], top_logprobs: 5 },
    alternatives: 5,
  },
  {
    title: "Gemini",
    dialect: "gemini",
    path: (streamed) => `/v1beta/models/m:${streamed ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    body: () => ({ contents: [{ role: "user", parts: [{ text: "hi" }] }] }),
    asking: { generationConfig: { responseLogprobs: true, logprobs: 5 } },
    alternatives: 5,
  },
  {
    title: "Cohere",
    dialect: "cohere-chat",
    path: () => "/v2/chat",
    body: (stream) => ({ model: "m", messages: turns, stream }),
    asking: { logprobs: true },
    alternatives: 0,
  },
];
const ways: readonly Way[] = samples.flatMap((sample) => [
  { ...sample, streamed: false },
  { ...sample, streamed: true },
]);

interface Way extends Sample {
  readonly streamed: boolean;
}

async function ask(simulator: Simulator, way: Way, more: object): Promise<{ status: number; bytes: Buffer }> {
  const body = JSON.stringify({ ...way.body(way.streamed), ...more });
  const headers = { "content-type": "application/json" };
  const reply = await fetch(simulator.url + way.path(way.streamed), { method: "POST", headers, body });
  return { status: reply.status, bytes: Buffer.from(await reply.arrayBuffer()) };
}

interface Token {
  readonly token: string;
  readonly logprob: number;
  readonly top_logprobs: readonly { readonly token: string; readonly logprob: number }[];
}

/** What the gateway reads of it. */
function read({ dialect, streamed }: Way, bytes: Buffer): { text: string; tokens: readonly Token[] } {
  let text = "";
  const tokens: Token[] = [];
  const see = (events: ReturnType<(typeof upstreamDialects)[DialectId]["decodeAnswer"]>): void => {
    for (const event of events) {
      if (event.kind !== "text-delta") continue;
      text += event.text;
      tokens.push(...((event.logprobs as { readonly content: readonly Token[] } | undefined)?.content ?? []));
    }
  };
  const upstream = upstreamDialects[dialect];
  if (!streamed) see(upstream.decodeAnswer(bytes, decoding));
  else {
    const decoder = upstream.streamDecoder(decoding, (frame) => see(frame.events));
    decoder.push(bytes);
    decoder.end();
  }
  return { text, tokens };
}

async function answered(way: Way, answer: AnswerScript, more: object): ReturnType<typeof ask> {
  const completed = { match: { operation: "complete" as const }, behaviour: { answer } };
  return await ask(await simulatorOf([completed, { behaviour: { answer } }]), way, more);
}

const text = "The hedges, all of them, are trimmed.";

describe("log-probabilities of simulated answers", () => {
  it.each(ways)("spell the text and are as sure as a script says: $title, streamed: $streamed", async (way) => {
    const said = read(way, (await answered(way, { text, confidence: 0.4 }, way.asking)).bytes);
    expect(said.text).toBe(text);
    expect(said.tokens.map(({ token }) => token).join("")).toBe(text);
    expect(said.tokens).toHaveLength(7);
    for (const { token, logprob, top_logprobs: top } of said.tokens) {
      expect(logprob).toBeCloseTo(Math.log(0.4), 12);
      expect(top).toHaveLength(way.alternatives);
      expect(way.alternatives === 0 ? token : top[0]?.token).toBe(token);
    }
  });

  it.each(ways)("may be of one token alone: $title, streamed: $streamed", async (way) => {
    const answer = { chunks: ["a ", "b ", "c ", "d"], confidence: [1, 0.01, 0.5] };
    const { tokens } = read(way, (await answered(way, answer, way.asking)).bytes);
    expect(tokens.map(({ logprob }) => Math.exp(logprob).toFixed(6))).toEqual([
      "1.000000",
      "0.010000",
      "0.500000",
      "0.500000",
    ]);
  });

  it.each(ways)("are sure where no script says, alike in every language: $title, streamed: $streamed", async (way) => {
    const first = read(way, (await answered(way, { text }, way.asking)).bytes);
    expect(first.tokens.map(({ logprob }) => logprob)).toEqual(
      (text.match(/\s*\S+/gu) ?? []).map((word, at) => tokenEntry(word, { at, sureness: undefined, top: 0 }).logprob),
    );
    for (const { logprob } of first.tokens) expect(Math.exp(logprob)).toBeGreaterThan(0.9998);
    expect(new Set(first.tokens.map(({ logprob }) => logprob)).size).toBeGreaterThan(5);
  });

  it.each(ways)("are told to nobody who does not ask, or where they are untold: $title, $streamed", async (way) => {
    for (const [answer, more] of [
      [{ text, confidence: 0.4 }, {}],
      [{ text, confidence: "untold" }, way.asking],
    ] as const) {
      const { bytes } = await answered(way, answer, more);
      const { tokens, text: said } = read(way, bytes);
      expect([said, tokens]).toEqual([text, []]);
      expect(bytes.toString()).not.toContain(String(Math.log(0.4)).slice(0, 8));
    }
  });

  const relayed = ways.filter(({ dialect }) => dialect !== "cohere-chat");
  it.each(relayed)("leave no byte once they are taken out: $title, streamed: $streamed", async (way) => {
    const told = await answered(way, { text, confidence: 0.4 }, way.asking);
    const untold = await answered(way, { text, confidence: 0.4 }, {});
    const strip = dialects[way.dialect as ClientDialectId].stripLogprobs;
    expect(told.bytes.length).toBeGreaterThan(untold.bytes.length);
    expect(undated(strip?.(told.bytes) ?? [])).toBe(undated(untold.bytes));
  });
});

/** The two were answered a moment apart, which may be another second. */
function undated(bytes: Uint8Array | readonly number[]): string {
  return Buffer.from(bytes)
    .toString()
    .replaceAll(/("(?:created|created_at|completed_at)":)[0-9.]+/gu, "$1 0");
}

describe("a script", () => {
  it("may treat those who ask for log-probabilities in another way", async () => {
    const script = parseScript(`
- match: { logprobs: true }
  behaviour: { status: 400, body: { error: { message: "This model does not support the 'logprobs' parameter." } } }
- behaviour: { answer: { text: ok, confidence: 0.4 } }
`);
    if (script.kind === "refused") throw new Error(script.errors.join("\n"));
    const simulator = await simulatorOf(script.script.rules);
    for (const way of ways.filter(({ title }) => title !== "completions")) {
      expect((await ask(simulator, way, way.asking)).status).toBe(400);
      expect((await ask(simulator, way, {})).status).toBe(200);
    }
  });

  it.each(["0", "1.5", "[]", "sure"])("says nothing but probabilities: %s", (confidence) => {
    const { kind } = parseScript(`[{ behaviour: { answer: { text: a, confidence: ${confidence} } } }]`);
    expect(kind).toBe("refused");
  });
});

describe("what simulated OpenAI refuses", () => {
  const [chat] = ways;
  it.each([
    [{ top_logprobs: 5 }, 400],
    [{ logprobs: true, top_logprobs: 21 }, 400],
    [{ logprobs: true, top_logprobs: 0 }, 200],
    [{ logprobs: true, model: "gpt-5" }, 403],
    [{ logprobs: true, model: "o3-mini" }, 403],
    [{ logprobs: true, model: "gpt-5-chat-latest" }, 200],
    [{ logprobs: true, model: "gpt-5.1", reasoning_effort: "none" }, 200],
    [{ logprobs: true, model: "gpt-4o" }, 200],
  ])("%j is %i", async (more, status) => {
    if (chat === undefined) throw new Error("no way to ask");
    const reply = await answered(chat, { text }, more);
    expect([reply.status, status === 200 || /logprobs/u.test(reply.bytes.toString())]).toEqual([status, true]);
  });
});
