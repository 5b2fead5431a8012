import { describe, expect, it } from "vitest";
import { upstreamDialects } from "#dialects/registry";
import type { ClientDialectId, DialectId } from "#domain/call";
import type { ModelTraits } from "#domain/model";
import { plainChatQuirks } from "#domain/quirks";
import type { AnswerFrame } from "#dialects/dialect";
import { decoding, openLane, type Asking } from "../replay/open-lane.ts";

const turns = [{ role: "user", content: "hi" }];
const bodies = {
  "openai-chat": { model: "m", messages: turns },
  "openai-responses": { model: "m", input: "hi" },
  "anthropic-messages": { model: "m", max_tokens: 9, messages: turns },
  gemini: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
  "bedrock-converse": { messages: [{ role: "user", content: [{ text: "hi" }] }] },
} as const satisfies Record<ClientDialectId, object>;
const callers = Object.keys(bodies) as ClientDialectId[];

type Wish = Partial<Asking> & Pick<Asking, "caller" | "upstream">;

function laneOf(wish: Wish) {
  return openLane({
    issuer: "openai",
    streamed: false,
    body: bodies[wish.caller],
    address: { model: "m", streamed: wish.streamed ?? false },
    wantsLogprobs: true,
    ...wish,
  });
}

function sent(lane: ReturnType<typeof laneOf>): Record<string, unknown> {
  return JSON.parse(Buffer.concat(lane.body).toString()) as Record<string, unknown>;
}

/** What only they have of the languages that have any. */
const asked: Partial<Record<DialectId, object>> = {
  "openai-chat": { logprobs: true, top_logprobs: 5 },
  "openai-responses": { include: ["message.output_text.logprobs"], top_logprobs: 5 },
  gemini: { generationConfig: { responseLogprobs: true, logprobs: 5 } },
  "cohere-chat": { logprobs: true },
};
const upstreams = Object.keys(upstreamDialects) as DialectId[];
const ways = callers.flatMap((caller) => upstreams.map((upstream) => ({ caller, upstream })));

const reasoner: ModelTraits = {
  name: "openai/o3",
  from: { source: "a test", date: "2026-11-26" },
  capabilities: { reasoning: true, sampling: false },
};

describe("log-probabilities that only the gateway wants", () => {
  it.each(ways)(
    "are asked of $upstream by a caller of $caller, where the language has them",
    ({ caller, upstream }) => {
      const lane = laneOf({ caller, upstream });
      const wanted = asked[upstream];
      expect(lane.logprobsAdded).toBe(wanted === undefined ? undefined : true);
      if (wanted !== undefined) expect(sent(lane)).toMatchObject(wanted);
      const plain = openLane({ caller, upstream, issuer: "openai", streamed: false, body: bodies[caller] });
      expect(lane.warnings()).toEqual(plain.warnings());
    },
  );

  it.each(ways)("change nothing for $caller at $upstream where nobody wants them", ({ caller, upstream }) => {
    const lane = openLane({ caller, upstream, issuer: "openai", streamed: false, body: bodies[caller] });
    expect(lane.logprobsAdded).toBeUndefined();
    expect(Buffer.concat(lane.body).toString()).not.toMatch(/logprobs/iu);
  });

  it.each([
    ["openai-chat", { ...bodies["openai-chat"], logprobs: true }],
    ["openai-chat", { ...bodies["openai-chat"], logprobs: true, top_logprobs: 2 }],
    ["openai-responses", { ...bodies["openai-responses"], top_logprobs: 2 }],
    ["openai-responses", { ...bodies["openai-responses"], include: ["message.output_text.logprobs"] }],
    ["gemini", { ...bodies.gemini, generationConfig: { responseLogprobs: true } }],
    ["gemini", { ...bodies.gemini, generation_config: { response_logprobs: true, logprobs: 1 } }],
  ] as const)("leave a caller's own wish alone: %s %j", (caller, body) => {
    for (const upstream of ["openai-chat", "openai-responses", "gemini"] as const) {
      const lane = laneOf({ caller, upstream, body });
      expect(lane.logprobsAdded).toBeUndefined();
      expect(JSON.stringify(sent(lane))).not.toContain("5");
    }
  });

  it.each([
    ["openai-chat", { ...bodies["openai-chat"], logprobs: false, top_logprobs: 0 }],
    ["openai-responses", { ...bodies["openai-responses"], top_logprobs: 0, include: ["file_search_call.results"] }],
    ["gemini", { ...bodies.gemini, generation_config: { temperature: 1.0, response_logprobs: false } }],
  ] as const)("are asked though a caller says that it wants none: %s %j", (caller, body) => {
    const lane = laneOf({ caller, upstream: caller, body });
    expect(lane.logprobsAdded).toBe(true);
    expect(JSON.stringify(sent(lane))).toContain("5");
  });

  it("leave the other bytes of Gemini's configuration as they are, and other settings of theirs", () => {
    const text = '{"contents":[],"generation_config":{"temperature":1.0,"maxOutputTokens": 5}}';
    const lane = laneOf({ caller: "gemini", upstream: "gemini", body: Buffer.from(text) });
    expect(Buffer.concat(lane.body).toString()).toBe(
      '{"contents":[],"generation_config":{"temperature":1.0,"maxOutputTokens": 5,"responseLogprobs":true,"logprobs":5}}',
    );
    const include = { ...bodies["openai-responses"], include: ["file_search_call.results"] };
    expect(sent(laneOf({ caller: "openai-responses", upstream: "openai-responses", body: include }))).toMatchObject({
      include: ["file_search_call.results", "message.output_text.logprobs"],
    });
  });

  it("are a number in a completion", () => {
    const body = { model: "m", prompt: "hi" };
    const lane = laneOf({ caller: "openai-chat", upstream: "openai-chat", operation: "complete", body });
    expect(sent(lane)).toEqual({ model: "own-1", prompt: "hi", logprobs: 5 });
    expect(lane.logprobsAdded).toBe(true);
    const own = laneOf({
      caller: "openai-chat",
      upstream: "openai-chat",
      operation: "complete",
      body: { ...body, logprobs: 0 },
    });
    expect([sent(own)["logprobs"], own.logprobsAdded]).toEqual([0, undefined]);
  });

  it.each(["openai-chat", "openai-responses"] as const)("are not asked of %s where they are refused", (dialect) => {
    for (const caller of ["openai-chat", "openai-responses", "anthropic-messages"] as const) {
      const groq = { ...plainChatQuirks, refusedFields: ["logprobs", "top_logprobs"] };
      for (const lane of [
        laneOf({ caller, upstream: dialect, quirks: groq }),
        laneOf({ caller, upstream: dialect, traits: reasoner }),
      ]) {
        expect(lane.logprobsAdded).toBeUndefined();
        expect(JSON.stringify(sent(lane))).not.toContain("logprobs");
        expect(lane.warnings().join(" ")).not.toContain("logprobs");
      }
    }
  });
});

const token = {
  token: "hi",
  logprob: -0.25,
  bytes: [104, 105],
  top_logprobs: [{ token: "ho", logprob: -2, bytes: null }],
};
const chatTokens = { content: [token], refusal: null };
const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };

function chatAnswer(logprobs: unknown): string {
  const message = { role: "assistant", content: "hi", refusal: null };
  const choices = [{ index: 0, message, logprobs, finish_reason: "stop" }];
  return JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "m", choices }, undefined, 2);
}

function chatStream(logprobs: unknown): string {
  const chunk = (delta: object, said: unknown, finish: string | null): string => {
    const choices = [{ index: 0, delta, logprobs: said, finish_reason: finish }];
    return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices })}\n\n`;
  };
  const first = chunk({ role: "assistant", content: "" }, null, null);
  return `${first}${chunk({ content: "hi" }, logprobs, null)}${chunk({}, null, "stop")}data: [DONE]\n\n`;
}

function response(logprobs: unknown, top: number, status: string): object {
  const content = [{ type: "output_text", annotations: [], logprobs, text: "hi" }];
  const output = status === "completed" ? [{ id: "i", type: "message", status, role: "assistant", content }] : [];
  return { id: "r", object: "response", created_at: 1, status, model: "m", output, top_logprobs: top, usage };
}

function responsesStream(logprobs: unknown, top: number): string {
  const part = { type: "output_text", annotations: [], logprobs, text: "hi" };
  const empty = { type: "output_text", annotations: [], logprobs: [], text: "" };
  const item = { id: "i", type: "message", role: "assistant" };
  const at = { item_id: "i", output_index: 0, content_index: 0 };
  const events = [
    { type: "response.created", response: response([], top, "in_progress") },
    { type: "response.output_item.added", output_index: 0, item: { ...item, status: "in_progress", content: [] } },
    { type: "response.content_part.added", ...at, part: empty },
    { type: "response.output_text.delta", ...at, delta: "hi", logprobs },
    { type: "response.output_text.done", ...at, text: "hi", logprobs },
    { type: "response.content_part.done", ...at, part },
    { type: "response.output_item.done", output_index: 0, item: { ...item, status: "completed", content: [part] } },
    { type: "response.completed", response: response(logprobs, top, "completed") },
  ];
  return events
    .map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`)
    .join("");
}

function geminiAnswer(more: object): object {
  const content = { role: "model", parts: [{ text: "hi" }] };
  const candidates = [{ content, finishReason: "STOP", avgLogprobs: -0.25, ...more, index: 0 }];
  return { candidates, usageMetadata: { promptTokenCount: 1, totalTokenCount: 2 }, modelVersion: "m", responseId: "g" };
}

const chosen = { token: "hi", tokenId: 7, logProbability: -0.25 };
const logprobsResult = { topCandidates: [{ candidates: [chosen] }], chosenCandidates: [chosen] };

interface Sample {
  readonly dialect: "openai-chat" | "openai-responses" | "gemini";
  readonly streamed: boolean;
  readonly framing?: "json-array";
  readonly told: string;
  readonly untold: string;
}

const samples: readonly Sample[] = [
  { dialect: "openai-chat", streamed: false, told: chatAnswer(chatTokens), untold: chatAnswer(null) },
  { dialect: "openai-chat", streamed: true, told: chatStream(chatTokens), untold: chatStream(null) },
  {
    dialect: "openai-responses",
    streamed: false,
    told: JSON.stringify(response([token], 5, "completed")),
    untold: JSON.stringify(response([], 0, "completed")),
  },
  { dialect: "openai-responses", streamed: true, told: responsesStream([token], 5), untold: responsesStream([], 0) },
  {
    dialect: "gemini",
    streamed: false,
    told: JSON.stringify(geminiAnswer({ logprobsResult }), undefined, 2),
    untold: JSON.stringify(geminiAnswer({}), undefined, 2),
  },
  {
    dialect: "gemini",
    streamed: true,
    told: `data: ${JSON.stringify(geminiAnswer({ logprobsResult }))}\r\n\r\n`,
    untold: `data: ${JSON.stringify(geminiAnswer({}))}\r\n\r\n`,
  },
  {
    dialect: "gemini",
    streamed: true,
    framing: "json-array",
    told: `[${JSON.stringify(geminiAnswer({ logprobsResult }))}\n,\r\n${JSON.stringify(geminiAnswer({ logprobsResult }))}]`,
    untold: `[${JSON.stringify(geminiAnswer({}))}\n,\r\n${JSON.stringify(geminiAnswer({}))}]`,
  },
];

/** What a caller gets of an answer, and what the gateway saw. */
function answered(lane: ReturnType<typeof laneOf>, sample: Sample): { said: string; seen: readonly unknown[] } {
  const bytes = Buffer.from(sample.told);
  const { upstream } = lane;
  const frames: AnswerFrame[] = [];
  if (sample.streamed) {
    const decoder = upstream.streamDecoder(decoding, (frame) => frames.push(frame));
    decoder.push(bytes);
    decoder.end();
  }
  const events = sample.streamed ? frames.flatMap((frame) => frame.events) : upstream.decodeAnswer(bytes, decoding);
  const said = sample.streamed
    ? Buffer.concat(frames.map((frame) => lane.renderFrame(frame)))
    : Buffer.from(lane.renderAnswer(bytes, events) ?? []);
  const seen = events.flatMap((event) => (event.kind === "text-delta" && event.logprobs ? [event.logprobs] : []));
  return { said: said.toString(), seen };
}

function laneFor(sample: Sample, caller: ClientDialectId, more: Partial<Asking> = {}) {
  const { streamed, framing } = sample;
  const address = { model: "m", streamed, ...(framing === undefined ? {} : { framing }) };
  const body = caller === "gemini" ? bodies.gemini : { ...bodies[caller], stream: streamed };
  return laneOf({ caller, upstream: sample.dialect, streamed, address, body, ...more });
}

describe("what they become for a caller that did not ask", () => {
  it.each(samples)("nothing: $dialect reads as if nobody had asked, streamed: $streamed $framing", (sample) => {
    const { said, seen } = answered(laneFor(sample, sample.dialect), sample);
    expect(said).toBe(sample.untold);
    expect(seen[0]).toMatchObject({ content: [{ token: "hi", logprob: -0.25, top_logprobs: [expect.anything()] }] });
  });

  it.each(samples)("bytes as they came where it did: $dialect, streamed: $streamed $framing", (sample) => {
    const own = {
      "openai-chat": { ...bodies["openai-chat"], logprobs: true, stream: sample.streamed },
      "openai-responses": { ...bodies["openai-responses"], top_logprobs: 5, stream: sample.streamed },
      gemini: { ...bodies.gemini, generationConfig: { responseLogprobs: true, logprobs: 5 } },
    };
    const lane = laneFor(sample, sample.dialect, { body: own[sample.dialect] });
    expect(answered(lane, sample).said).toBe(sample.told);
  });

  const translated = samples.flatMap((sample) =>
    callers
      .filter((caller) => caller !== sample.dialect && sample.framing === undefined)
      .map((caller) => ({ sample, caller })),
  );
  it.each(translated)("nothing in $caller's own language either ($sample.dialect, $sample.streamed)", (way) => {
    const { said, seen } = answered(laneFor(way.sample, way.caller), way.sample);
    expect(seen).toHaveLength(1);
    expect(said).toContain("hi");
    expect(said).not.toContain("-0.25");
    expect(said).not.toContain('"token"');
  });
});
