import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { EncodeTarget } from "#dialects/dialect";
import { geminiUpstream } from "#dialects/gemini/upstream";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Seal, Tool, Turn } from "#domain/request";
import { completionTokens, promptTokens } from "#domain/usage";
import { checkGemini } from "#simulation/gemini/check-gemini";
import { Issuer } from "#simulation/issuer";
import { anyRequest } from "./any-request.ts";
import { calls, ok, on, says, startUpstream, type Upstream } from "./start-upstream.ts";

const base: GenerateRequest = {
  model: "asked",
  streamed: true,
  usageInStream: true,
  turns: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

const options = {
  classify: (complaint: unknown) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 20,
};

function target(model: string): EncodeTarget {
  return { model, issuer: "google", quirks: plainChatQuirks, streamed: true };
}

let upstream: Upstream;
const weather = { city: "Zürich", days: [1, 2.5], note: 'a "quote"' };

beforeAll(async () => {
  const rules = [
    on({ contains: "what weather" }, calls("weather", weather, { reasoning: "I must look." })),
    on(
      { contains: "two at once" },
      { answer: { toolCalls: [{ name: "weather", arguments: weather }, { name: "time" }] } },
    ),
    on({ contains: "in pieces" }, says(["Hé", "llo"])),
    on({ contains: "think" }, ok("42", { answer: { reasoning: "Let me see." } })),
    on({}, ok("done")),
  ];
  upstream = await startUpstream({ rules });
});

afterAll(() => upstream.close());

type Framing = "sse" | "json-array" | "whole";

async function ask(request: GenerateRequest, model: string, framing: Framing = "sse"): Promise<readonly AnswerEvent[]> {
  const encoded = geminiUpstream.encodeRequest(request, target(model));
  if (encoded.kind === "refused") throw new Error(encoded.failure.message);
  const path = geminiUpstream.upstreamPath("generate", {
    model,
    streamed: framing !== "whole",
    ...(framing === "json-array" ? { framing } : {}),
  });
  const answer = await fetch(`${upstream.url}/v1beta${path}`, { method: "POST", body: encoded.body as BodyInit });
  const body = new Uint8Array(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(Buffer.from(body).toString());
  if (framing === "whole") return geminiUpstream.decodeAnswer(body, options);
  const events: AnswerEvent[] = [];
  const decoder = geminiUpstream.streamDecoder(options, (frame) => events.push(...frame.events));
  decoder.push(body);
  decoder.end();
  return events;
}

/** The answer as the assistant's turn of the next request, with all that was sealed. */
function turnOf(events: readonly AnswerEvent[]): Turn {
  const text = (block: number, kind: "text-delta" | "reasoning-delta"): string =>
    events.flatMap((event) => (event.kind === kind && event.block === block ? [event.text] : [])).join("");
  const sealOf = (block: number): { seal?: Seal } => {
    const found = events.find((event) => "signature" in event && event.block === block);
    return found !== undefined && "signature" in found
      ? { seal: { issuer: "google", form: "signature", value: found.signature } }
      : {};
  };
  const parts = events.flatMap((event): readonly Part[] => {
    switch (event.kind) {
      case "text-start":
        return [{ kind: "text", text: text(event.block, "text-delta"), ...sealOf(event.block) }];
      case "reasoning-start":
        return [{ kind: "reasoning", text: text(event.block, "reasoning-delta"), ...sealOf(event.block) }];
      case "tool-start": {
        const pieces = events.flatMap((each) =>
          each.kind === "tool-delta" && each.block === event.block ? [each.json] : [],
        );
        return [
          { kind: "tool-call", id: event.id, name: event.name, argumentsJson: pieces.join(""), ...sealOf(event.block) },
        ];
      }
      default:
        return [];
    }
  });
  return { role: "assistant", parts };
}

function user(...parts: readonly Part[]): Turn {
  return { role: "user", parts };
}

function words(text: string): Part {
  return { kind: "text", text };
}

const tools: readonly Tool[] = ["weather", "time"].map((name) => ({
  kind: "function",
  name,
  schema: { type: "object", properties: { city: { type: "string" } } },
}));

const models = ["gemini-2.5-flash", "gemini-3-pro-preview"];
const framings: readonly Framing[] = ["sse", "json-array", "whole"];

describe.each(models)("%s, strictly simulated", (model) => {
  it.each(framings)("gives text, thoughts and usage (%s)", async (framing) => {
    const events = await ask({ ...base, turns: [user(words("think"))], reasoning: { mode: "on" } }, model, framing);
    expect(breachOf(events)).toBeUndefined();
    expect(turnOf(events).parts.filter(({ kind }) => kind === "reasoning")).toMatchObject([{ text: "Let me see." }]);
    expect(events.flatMap((event) => (event.kind === "text-delta" ? [event.text] : [])).join("")).toBe("42");
    const usage = events.findLast((event) => event.kind === "usage")?.usage;
    expect(usage).toMatchObject({ estimated: false });
    expect(usage && promptTokens(usage)).toBeGreaterThan(0);
    expect(usage && completionTokens(usage)).toBeGreaterThan(0);
    expect(events.slice(-2)).toMatchObject([
      { kind: "finish", finish: { reason: "stop", raw: "STOP" } },
      { kind: "end" },
    ]);
  });

  it.each(framings)("takes its signed calls back with their results, in any order (%s)", async (framing) => {
    const turns = [user(words("two at once"))];
    const first = await ask({ ...base, turns, tools, reasoning: { mode: "on" } }, model, framing);
    expect(first.find((event) => event.kind === "finish")?.finish.reason).toBe("tools");
    const assistant = turnOf(first);
    const called = assistant.parts.filter((part) => part.kind === "tool-call");
    expect(called.map(({ name, argumentsJson }) => [name, JSON.parse(argumentsJson || "{}")])).toEqual([
      ["weather", weather],
      ["time", {}],
    ]);
    const results = called.toReversed().map((part): Turn =>
      user({
        kind: "tool-result",
        callId: part.id,
        parts: [{ kind: "text", text: `of ${part.name}` }],
        failed: false,
      }),
    );
    const next = await ask({ ...base, turns: [...turns, assistant, ...results], tools }, model, framing);
    expect(next.at(-1)).toEqual({ kind: "end" });
    const last = upstream.log.entries.at(-1);
    expect(last?.body.toString()).toContain("of weather");
  });

  it("takes calls that another vendor's model made and signed", async () => {
    const seal = { issuer: "anthropic", form: "signature", value: "EqQBCgIYAhIM" } as const;
    const turns = [
      user(words("q")),
      {
        role: "assistant",
        parts: [
          { kind: "reasoning", text: "t", seal },
          { kind: "tool-call", id: "toolu_1", name: "weather", argumentsJson: "{}", seal },
        ],
      },
      user({ kind: "tool-result", callId: "toolu_1", parts: [], failed: true }),
    ] as const;
    expect((await ask({ ...base, turns, tools }, model)).at(-1)).toEqual({ kind: "end" });
  });
});

it("counts and embeds at a strictly simulated provider", async () => {
  const { countTokens, embed } = geminiUpstream.unary ?? {};
  const post = async (
    path: string | undefined,
    encoded: ReturnType<typeof geminiUpstream.encodeRequest> | undefined,
  ): Promise<unknown> => {
    if (encoded?.kind !== "encoded") throw new Error("refused");
    return (await fetch(`${upstream.url}/v1beta${path}`, { method: "POST", body: encoded.body as BodyInit })).json();
  };
  const model = "gemini-2.5-flash";
  for (const quirks of [plainChatQuirks, { ...plainChatQuirks, bareCount: true as const }]) {
    const request = {
      ...base,
      turns: [{ role: "system", parts: [words("Be brief.")] } as const, user(words("hi"))],
      tools,
    };
    const count = await post(
      geminiUpstream.upstreamPath("count-tokens", { model, streamed: false }),
      countTokens?.encodeRequest(request, { ...target(model), quirks }),
    );
    expect(countTokens?.decodeAnswer(count)).toBeGreaterThan(0);
  }
  const inputs = ["one", "two"];
  const vectors = await post(
    geminiUpstream.upstreamPath("embed", { model, streamed: false, variant: "batch" }),
    embed?.encodeRequest(
      { model, inputs, single: false, encoding: "float", title: "T", dimensions: 8, rest: {} },
      target(model),
    ),
  );
  expect(embed?.decodeAnswer(vectors)).toMatchObject({ vectors: [{ length: 8 }, { length: 8 }] });
});

it("sends nothing a strict provider refuses, whatever the hub holds", () => {
  let sent = 0;
  fc.assert(
    fc.property(anyRequest, fc.constantFrom(...models, "gemini-2.0-flash", "gemma-3-27b-it"), (request, model) => {
      const encoded = geminiUpstream.encodeRequest(request, target(model));
      if (encoded.kind === "refused") return;
      sent += 1;
      const json = JSON.parse(Buffer.from(encoded.body).toString()) as Readonly<Record<string, unknown>>;
      const violation = checkGemini(
        {
          sequence: 1,
          dialect: "gemini",
          operation: "generate",
          address: { model },
          headers: {},
          json,
          model,
          streamed: true,
          promptText: "",
          lastUserText: "",
          toolResults: [],
          tools: [],
          toolChoice: "auto",
          stop: [],
          usageAsked: true,
        },
        { issuer: new Issuer("mine"), allowFields: new Set(), alternatingRoles: true, habits: {} },
      );
      expect(violation).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
  expect(sent).toBeGreaterThan(200);
});
