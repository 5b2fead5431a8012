import {
  ConverseCommand,
  ConverseStreamCommand,
  CountTokensCommand,
  type ContentBlock,
  type ConverseCommandInput,
  type ConverseCommandOutput,
  type ConverseStreamOutput,
  type Message,
} from "@aws-sdk/client-bedrock-runtime";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "#domain/snapshot";
import { cutAfter, fails, ok, says, stalls } from "../upstream/start-upstream.ts";
import { amazonClient, signingClient } from "./amazon-client.ts";
import {
  abortLatencies,
  anthropicUpstream,
  assistant,
  everyUpstream,
  failureOf,
  gather,
  lacks,
  openaiUpstream,
  openHouse,
  type House,
} from "./upstream-languages.ts";

const messages: Message[] = [{ role: "user", content: [{ text: "How are the hedges?" }] }];
const asked = { modelId: "main", messages };
const usage = { input: 90, cacheRead: 10, output: 7 };
const disjoint = { inputTokens: 90, cacheReadInputTokens: 10, outputTokens: 7, totalTokens: 107 };
const schema = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const weather = { toolSpec: { name: "weather", description: "Tells the weather.", inputSchema: { json: schema } } };

type Answer = Pick<ConverseCommandOutput, "stopReason" | "usage" | "additionalModelResponseFields"> & {
  readonly content: ContentBlock[];
};

/** One answer, whole or gathered from its stream as the documentation shows it. */
async function ask(house: House, input: ConverseCommandInput, streamed = false): Promise<Answer> {
  const client = amazonClient(house.url);
  if (streamed) return await gathered((await client.send(new ConverseStreamCommand(input))).stream);
  const { output, ...answer } = await client.send(new ConverseCommand(input));
  return { ...answer, content: output?.message?.content ?? [] };
}

interface Gathered {
  text?: string;
  thought?: string;
  signature?: string;
  tool?: object;
  input: string;
}

async function gathered(stream: AsyncIterable<ConverseStreamOutput> | undefined): Promise<Answer> {
  const blocks: Gathered[] = [];
  const end: Omit<Answer, "content"> = { stopReason: undefined, usage: undefined };
  for await (const event of stream ?? []) {
    Object.assign(end, event.messageStop, event.metadata);
    const { contentBlockIndex = -1 } = event.contentBlockStart ?? event.contentBlockDelta ?? {};
    if (contentBlockIndex === -1) continue;
    const block = (blocks[contentBlockIndex] ??= { input: "" });
    if (event.contentBlockStart?.start?.toolUse !== undefined) block.tool = event.contentBlockStart.start.toolUse;
    const { text, toolUse, reasoningContent } = event.contentBlockDelta?.delta ?? {};
    if (text !== undefined) block.text = (block.text ?? "") + text;
    if (reasoningContent?.text !== undefined) block.thought = (block.thought ?? "") + reasoningContent.text;
    if (reasoningContent?.signature !== undefined) block.signature = reasoningContent.signature;
    block.input += toolUse?.input ?? "";
  }
  return { ...end, content: blocks.map(blockOf) };
}

function blockOf({ text, thought, signature, tool, input }: Gathered): ContentBlock {
  if (tool !== undefined) return { toolUse: { ...tool, input: JSON.parse(input) as unknown } } as ContentBlock;
  return text === undefined ? { reasoningContent: { reasoningText: { text: thought, signature } } } : { text };
}

function textOf({ content }: Answer): string {
  return content.map(({ text }) => text ?? "").join("");
}

/** The client's types know answers without a stream. */
async function* nothing(): AsyncGenerator<never> {}

const both = [false, true];

describe.each(everyUpstream)("Amazon's official client over $title", (language) => {
  it.each(both)("gets a plain answer with usage in disjoint counts (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, ok("Green and tall.", { answer: { usage } }));
    const answer = await ask(house, asked, streamed);
    expect(answer).toMatchObject({ content: [{ text: "Green and tall." }], stopReason: "end_turn" });
    expect(answer.usage).toMatchObject(disjoint);
    expect(house.asked[0]?.path + JSON.stringify(house.lastBody())).toContain(language.model);
  });

  it("iterates over a stream of well-formed events, piece by piece", async () => {
    const pieces = ["Green", " and", " täll", " 🌿."];
    await using house = await openHouse(language, says(pieces, { answer: { usage } }));
    const { stream } = await amazonClient(house.url).send(new ConverseStreamCommand(asked));
    const events = await gather(stream ?? nothing());
    expect(events.flatMap(({ contentBlockDelta }) => contentBlockDelta?.delta?.text ?? [])).toEqual(pieces);
    const kinds = events.flatMap((event) => Object.keys(event)).filter((kind, at, all) => kind !== all[at - 1]);
    expect(kinds).toEqual(["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]);
    expect(events.at(-1)?.metadata?.metrics?.latencyMs).toBeGreaterThanOrEqual(0);
  });

  it.each(both)("takes a tool call to its result and a final answer (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const first: Message[] = [{ role: "user", content: [{ text: "Use weather, please" }] }];
    const request = { ...asked, toolConfig: { tools: [weather] }, messages: first };
    const answer = await ask(house, request, streamed);
    expect(answer.stopReason).toBe("tool_use");
    const call = answer.content.find(({ toolUse }) => toolUse !== undefined)?.toolUse;
    expect(call?.input).toEqual({ city: "simulated", days: 1 });
    const result: ContentBlock = {
      toolResult: { toolUseId: call?.toolUseId, content: [{ text: "rain on day 1" }] },
    };
    const turns: Message[] = [
      ...first,
      { role: "assistant", content: answer.content },
      { role: "user", content: [result] },
    ];
    expect(textOf(await ask(house, { ...request, messages: turns }, streamed))).toContain(
      "The tool answered: “rain on day 1”",
    );
  });

  it.each(both)(
    "gets parallel calls, one without arguments, and gives all results (streamed: %s)",
    async (streamed) => {
      const toolCalls = [{ name: "weather", arguments: { city: "Ulm", days: 2 } }, { name: "clock" }];
      await using house = await openHouse(language, ({ toolResults }) =>
        toolResults.length === 0 ? { answer: { text: "Let me see.", toolCalls } } : ok(toolResults.join(" / ")),
      );
      const clock = { toolSpec: { name: "clock", inputSchema: { json: { type: "object", properties: {} } } } };
      const request = { ...asked, toolConfig: { tools: [weather, clock] } };
      const answer = await ask(house, request, streamed);
      const uses = answer.content.flatMap(({ toolUse }) => (toolUse === undefined ? [] : [toolUse]));
      expect(uses.map(({ name, input }) => [name, input])).toEqual([
        ["weather", { city: "Ulm", days: 2 }],
        ["clock", {}],
      ]);
      const results = uses.map(({ toolUseId, name }): ContentBlock => {
        return { toolResult: { toolUseId, content: [{ text: `${name} done` }] } };
      });
      const turns: Message[] = [
        ...messages,
        { role: "assistant", content: answer.content },
        { role: "user", content: results },
      ];
      const last = await ask(house, { ...request, messages: turns }, streamed);
      expect(textOf(last)).toContain("weather done / clock done");
    },
  );

  it.each(both)("is given an answer that keeps to a schema (streamed: %s)", async (streamed) => {
    await using house = await openHouse(language, assistant);
    const structure = { jsonSchema: { name: "report", schema: JSON.stringify(schema) } };
    const outputConfig = { textFormat: { type: "json_schema" as const, structure } };
    const answer = await ask(house, { ...asked, outputConfig }, streamed);
    expect(JSON.parse(textOf(answer))).toEqual({ city: "simulated", days: 1 });
  });

  it.each([
    ["stop", "end_turn"],
    ["length", "max_tokens"],
    ["policy", language.dialect === "bedrock-converse" ? "guardrail_intervened" : "content_filtered"],
  ])("knows the end %s as %s, streamed and not", async (finish, word) => {
    if (finish === "policy" && lacks(language, "filtered answers")) return;
    await using house = await openHouse(language, ok("Green", { answer: { finish } }));
    expect([(await ask(house, asked)).stopReason, (await ask(house, asked, true)).stopReason]).toEqual([word, word]);
  });

  it("has its stop sequences and its limit honoured", async () => {
    await using house = await openHouse(language, assistant);
    const stopping = ask(house, { ...asked, inferenceConfig: { stopSequences: ["No real"] } });
    if (lacks(language, "stop sequences"))
      await expect(stopping).rejects.toMatchObject({ name: "ValidationException" });
    else expect(textOf(await stopping)).not.toContain("No real");
    expect((await ask(house, { ...asked, inferenceConfig: { maxTokens: 5 } })).stopReason).toBe("max_tokens");
  });

  it("has its system prompt, images and documents carried, or is refused what cannot be", async () => {
    await using house = await openHouse(language, ok("read"));
    const bytes = new Uint8Array(Buffer.from("JVBERi0xLjQK", "base64"));
    const content: ContentBlock[] = [
      { document: { format: "pdf", name: "hedges", source: { bytes } } },
      { text: "Sum it up." },
    ];
    const asking = ask(house, { ...asked, system: [{ text: "Be brief." }], messages: [{ role: "user", content }] });
    if (lacks(language, "files")) return await expect(asking).rejects.toMatchObject({ name: "ValidationException" });
    expect(textOf(await asking)).toBe("read");
    const sent = JSON.stringify(house.lastBody());
    for (const piece of ["Be brief.", "JVBERi0xLjQK", "Sum it up."]) expect(sent).toContain(piece);
  });

  it("counts tokens: by the provider where it can, else by an estimate", async () => {
    await using house = await openHouse(language, ok("hello"));
    const counting = new CountTokensCommand({ modelId: "main", input: { converse: { messages } } });
    const { inputTokens } = await amazonClient(house.url).send(counting);
    if (lacks(language, "token counts")) {
      expect(inputTokens).toBeGreaterThan(0);
      expect(house.asked).toEqual([]);
    } else {
      expect(inputTokens).toBe(5);
    }
  });

  it.each([
    [400, "ValidationException", 400],
    // Our own standing with the provider is not the caller's.
    [401, "ModelErrorException", 502],
    [429, "ThrottlingException", 429],
    [500, "ModelErrorException", 502],
    [503, "ServiceUnavailableException", 503],
  ])("raises its own error for a provider's %d", async (status, name, httpStatusCode) => {
    await using house = await openHouse(language, fails(status));
    for (const streamed of both) {
      const failed = await failureOf(ask(house, asked, streamed));
      expect(failed).toMatchObject({
        name,
        $metadata: { httpStatusCode, requestId: expect.stringMatching(/^req_[0-9a-f]{24}$/) as string },
      });
    }
  });

  it("raises its own error in a stream that breaks off, and never sees an end", async () => {
    await using house = await openHouse(language, cutAfter(2));
    const { stream } = await amazonClient(house.url).send(new ConverseStreamCommand(asked));
    const seen: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const event of stream ?? []) seen.push(...Object.keys(event));
    };
    expect(await failureOf(reading())).toMatchObject({ name: "ModelStreamErrorException" });
    expect(seen).toContain("contentBlockDelta");
    expect(seen).not.toContain("messageStop");
  });
});

describe("thoughts", () => {
  const thinking = { additionalModelRequestFields: { thinking: { type: "adaptive" } } };

  it.each(both)("keep their signature through a turn with tools (streamed: %s)", async (streamed) => {
    await using house = await openHouse(anthropicUpstream, assistant);
    const first: Message[] = [{ role: "user", content: [{ text: "Use weather, please" }] }];
    const request = { ...asked, ...thinking, toolConfig: { tools: [weather] }, messages: first };
    const answer = await ask(house, request, streamed);
    const signature = expect.stringMatching(/.{40}/) as string;
    expect(answer.content[0]).toMatchObject({ reasoningContent: { reasoningText: { signature } } });
    const call = answer.content.find(({ toolUse }) => toolUse !== undefined)?.toolUse;
    const result: ContentBlock = { toolResult: { toolUseId: call?.toolUseId, content: [{ text: "rain" }] } };
    const turns: Message[] = [
      ...first,
      { role: "assistant", content: answer.content },
      { role: "user", content: [result] },
    ];
    expect(textOf(await ask(house, { ...request, messages: turns }, streamed))).toContain("rain");
  });

  it.each(both)("of another vendor are shown, and sent to nobody else (streamed: %s)", async (streamed) => {
    await using foreign = await openHouse(
      openaiUpstream,
      ok("Green.", { answer: { reasoning: "Hedges are plants." } }),
    );
    const answer = await ask(foreign, asked, streamed);
    expect(answer.content).toMatchObject([
      { reasoningContent: { reasoningText: { text: "Hedges are plants." } } },
      { text: "Green." },
    ]);
    const turns: Message[] = [
      ...messages,
      { role: "assistant", content: answer.content },
      { role: "user", content: [{ text: "And in autumn?" }] },
    ];
    for (const native of everyUpstream.filter(({ dialect }) => /^(?:anthropic|bedrock)/.test(dialect))) {
      await using house = await openHouse(native, ok("And yellow."));
      expect(textOf(await ask(house, { ...asked, messages: turns }))).toBe("And yellow.");
      expect(JSON.stringify(house.lastBody())).not.toContain("Hedges are plants.");
    }
  });
});

describe("the gateway's key", () => {
  const key = "hr-key-of-this-test";
  const keys = [{ name: "tester", sha256: createHash("sha256").update(key).digest("hex") }];
  const sent = new ConverseCommand(asked);

  it("comes as the bearer token that Amazon's clients take from AWS_BEARER_TOKEN_BEDROCK", async () => {
    await using house = await openHouse(anthropicUpstream, ok(), { keys });
    await expect(amazonClient(house.url).send(sent)).rejects.toMatchObject({ name: "UnrecognizedClientException" });
    const { output } = await amazonClient(house.url, { token: { token: key } }).send(sent);
    expect(output?.message?.content).toEqual([{ text: "ok" }]);
    expect(house.gateway.records.at(-1)?.caller).toBe("tester");
  });

  it("comes in a header beside a signature, which is taken for no key", async () => {
    await using house = await openHouse(anthropicUpstream, ok(), { keys });
    await expect(signingClient(house.url).send(sent)).rejects.toMatchObject({
      name: "UnrecognizedClientException",
      message: expect.stringContaining("bearer") as string,
    });
    const client = signingClient(house.url);
    client.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: object }).headers, { "x-api-key": key });
        return next(args);
      },
      { step: "build" },
    );
    expect((await client.send(sent)).output?.message?.content).toEqual([{ text: "ok" }]);
  });

  it("is not needed of one who signs where there are none, and no signature reaches a provider", async () => {
    const bedrock = everyUpstream.find(({ dialect }) => dialect === "bedrock-converse") ?? anthropicUpstream;
    await using house = await openHouse(bedrock, ok());
    expect((await signingClient(house.url).send(sent)).output?.message?.content).toEqual([{ text: "ok" }]);
    expect(JSON.stringify(house.asked[0]?.headers)).not.toMatch(/AKIATEST|amz-sdk/);
  });
});

describe("a caller of Converse", () => {
  it("is told what the gateway refuses in Amazon's own words", async () => {
    await using house = await openHouse(anthropicUpstream, ok(), {
      limits: { ...defaultLimits, maxBodyBytes: 2000 },
    });
    const unknown = await failureOf(ask(house, { ...asked, modelId: "mani" }));
    expect(unknown).toMatchObject({
      name: "ResourceNotFoundException",
      message: expect.stringContaining("main") as string,
    });
    const large: Message[] = [{ role: "user", content: [{ text: "x".repeat(3000) }] }];
    const tooLarge = await failureOf(ask(house, { ...asked, messages: large }));
    expect(tooLarge).toMatchObject({ name: "ValidationException", $metadata: { httpStatusCode: 413 } });
  });

  it.each(both)("that leaves has its call cancelled at the provider within 50 ms (streamed: %s)", async (streamed) => {
    await using house = await openHouse(
      anthropicUpstream,
      streamed ? stalls({ chunk: 2 }) : ok("late", { delayMs: 30_000 }),
    );
    const client = amazonClient(house.url);
    const { median } = await abortLatencies(house, async (abortSignal, seen) => {
      if (!streamed) return await client.send(new ConverseCommand(asked), { abortSignal });
      const { stream } = await client.send(new ConverseStreamCommand(asked), { abortSignal });
      for await (const event of stream ?? []) if (event.contentBlockDelta !== undefined) seen();
      return stream;
    });
    expect(median).toBeLessThan(50);
  });

  it("gets an estimate where Bedrock does not count a model", async () => {
    const message = "The provided model doesn't support counting tokens.";
    const bedrock = everyUpstream.find(({ dialect }) => dialect === "bedrock-converse") ?? anthropicUpstream;
    await using house = await openHouse(bedrock, fails(400, { body: { message } }));
    const counting = new CountTokensCommand({ modelId: "main", input: { converse: { messages } } });
    expect((await amazonClient(house.url).send(counting)).inputTokens).toBeGreaterThan(0);
    expect(house.asked.map(({ path }) => path)).toEqual([expect.stringMatching(/\/count-tokens$/)]);
  });

  it("finds the model of an ARN in one piece of the path", async () => {
    await using house = await openHouse(anthropicUpstream, ok());
    const modelId = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc";
    expect(await failureOf(ask(house, { ...asked, modelId }))).toMatchObject({
      name: "ResourceNotFoundException",
      message: expect.stringContaining(modelId) as string,
    });
  });
});
