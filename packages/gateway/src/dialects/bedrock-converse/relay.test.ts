import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { plainChatQuirks } from "#domain/quirks";
import { encodeEventStreamFrame } from "#wire/encode-event-stream";
import { eventStreamDecoder } from "#wire/event-stream";
import { editFields, scanFields } from "#wire/json-splice";
import { bedrockConverse } from "./index.ts";
import { blobOf } from "./seal-tag.ts";

const target: EncodeTarget = {
  model: "anthropic.claude-opus-4-6-v1",
  issuer: "anthropic",
  quirks: plainChatQuirks,
  streamed: true,
};

function scanned(text: string) {
  const body = Buffer.from(text);
  const scan = scanFields(body, { maxDepth: 64 });
  if ("problem" in scan) throw new Error(scan.problem);
  return { body, scan };
}

function relayed(text: string, issuer = "anthropic") {
  const { body, scan } = scanned(text);
  const { edits, usageAdded, warnings } = bedrockConverse.relayEdits(scan, body, { ...target, issuer });
  expect(usageAdded).toBe(false);
  return { text: Buffer.from(editFields(body, scan, edits)).toString(), warnings };
}

describe("peek of Converse", () => {
  it("takes model and streaming from the address, the gateway's options from the body", () => {
    const { body, scan } = scanned('{"messages":[],"fallbacks":["b"],"hedgerow":{"metadata":true},"stream":"x"}');
    expect(bedrockConverse.peek(body, scan, { model: "a", streamed: true })).toMatchObject({
      kind: "peeked",
      model: "a",
      streamed: true,
      options: { chain: ["a", "b"], metadata: true },
    });
  });

  it.each(["messages", "toolConfig", "input", "hedgerow"])("refuses %s given twice", (field) => {
    const { body, scan } = scanned(`{"${field}":{},"${field}":{}}`);
    const peeked = bedrockConverse.peek(body, scan, { model: "a" });
    expect(peeked).toMatchObject({ kind: "refused", failure: { kind: "invalid_request", param: field } });
  });

  it("refuses options that it does not know", () => {
    const { body, scan } = scanned('{"hedgerow":{"rute":"x"}}');
    expect(bedrockConverse.peek(body, scan, { model: "a" })).toMatchObject({ kind: "refused" });
  });
});

describe("relayEdits of Converse", () => {
  it("takes the gateway's fields out and leaves every other byte: the model stands in the address", () => {
    const text = '{ "hedgerow":{"metadata":true},"messages": [ ] ,"x":"\\u00e9",  "fallbacks":["b"], "n":1.0}';
    expect(relayed(text)).toEqual({ text: '{ "messages": [ ] ,"x":"\\u00e9",  "n":1.0}', warnings: [] });
  });

  it("leaves a conversation alone where no seal was tagged by us", () => {
    const signed = '[ {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"signature":"c2ln"}}}]} ]';
    expect(relayed(`{"messages":${signed}}`).text).toContain(signed);
    const mention = '[ {"role":"user","content":[{"text":"what is hedgerow: a hedge?"}]} ]';
    expect(relayed(`{"messages":${mention}}`).text).toContain(mention);
  });

  const thought = (signature: string): object => ({ reasoningContent: { reasoningText: { text: "t", signature } } });
  const sealed = (text: string): object => ({
    reasoningContent: { redactedContent: Buffer.from(text).toString("base64") },
  });
  const asks = { role: "user", content: [{ text: "q" }] };
  const messages = [
    asks,
    { role: "assistant", content: [thought("hedgerow:google:R09P"), { text: "a" }] },
    asks,
    { role: "assistant", content: [sealed("hedgerow:google:UkVE")] },
    asks,
    { role: "assistant", content: [thought("b3du"), thought("hedgerow:deepseek:"), sealed("own")] },
  ];
  const asAnthropicGets = [
    asks,
    { role: "assistant", content: [{ text: "a" }] },
    { role: "user", content: [{ text: "q" }, { text: "q" }] },
    { role: "assistant", content: [thought("b3du"), sealed("own")] },
  ];

  it("takes another vendor's thoughts out, so that roles still alternate, and says so", () => {
    const { text, warnings } = relayed(JSON.stringify({ messages }));
    expect(JSON.parse(text)).toEqual({ messages: asAnthropicGets });
    expect(warnings).toEqual([expect.stringMatching(/^foreign-reasoning: /)]);
  });

  it("does the same inside a count", () => {
    const { text } = relayed(JSON.stringify({ input: { converse: { system: [], messages } } }));
    expect(JSON.parse(text)).toEqual({ input: { converse: { system: [], messages: asAnthropicGets } } });
  });

  it("gives the target's vendor its own seal back", () => {
    const { text } = relayed(JSON.stringify({ messages }), "google");
    expect((JSON.parse(text) as { messages: unknown[] }).messages).toMatchObject([
      asks,
      { content: [thought("R09P"), { text: "a" }] },
      asks,
      { content: [sealed("UkVE")] },
      asks,
      { content: [thought("b3du"), sealed("own")] },
    ]);
  });

  it("takes Anthropic's bare seals out for a model that is known to be another vendor's, and for no other", () => {
    // As Anthropic's look: a protocol buffer message in base64.
    const bare = Buffer.from([0x12, 90, ...Array.from({ length: 90 }, (_, at) => at * 2)]).toString("base64");
    const said = '{"text":"a"}';
    const traits = { name: "amazon/nova-pro", capabilities: {}, from: { source: "test", date: "2026-11-25" } };
    for (const block of [thought(bare), { reasoningContent: { redactedContent: blobOf(bare) } }]) {
      const text = `{"messages":[{"role":"assistant","content":[${JSON.stringify(block)},${said}]}]}`;
      const { body, scan } = scanned(text);
      const nova = bedrockConverse.relayEdits(scan, body, { ...target, issuer: "amazon", traits });
      expect(nova.edits.get("messages")).toBe(`[{"role":"assistant","content":[${said}]}]`);
      expect(nova.warnings).toEqual([expect.stringMatching(/^foreign-reasoning: /)]);
      expect(bedrockConverse.relayEdits(scan, body, { ...target, issuer: "amazon" }).edits.size).toBe(0);
      expect(bedrockConverse.relayEdits(scan, body, { ...target, traits }).edits.size).toBe(0);
    }
  });

  it("leaves a thinking budget off where the call that was answered last came from another vendor without a thought", () => {
    const call = { toolUse: { toolUseId: "call_1", name: "f", input: {} } };
    const result = { toolResult: { toolUseId: "call_1", content: [{ text: "42" }] } };
    const asked = (first: object[], more: object): string =>
      JSON.stringify({
        messages: [
          { role: "assistant", content: [...first, call] },
          { role: "user", content: [result] },
        ],
        additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2000 }, ...more },
      });
    const thinks = relayed(asked([], { top_k: 5 }));
    expect(JSON.parse(thinks.text)).toMatchObject({ additionalModelRequestFields: { top_k: 5 } });
    expect(thinks.text).not.toContain("thinking");
    expect(thinks.warnings).toEqual([expect.stringMatching(/^thinking-without-history: /)]);
    expect(relayed(asked([], {})).text).not.toContain("additionalModelRequestFields");
    expect(relayed(asked([thought("hedgerow:google:R09P")], {})).text).not.toContain("thinking");
    const own = asked([thought("b3du")], {});
    expect(relayed(own)).toEqual({ text: own, warnings: [] });
    const ours = asked([], {}).replaceAll("call_1", "tooluse_1");
    expect(relayed(ours)).toEqual({ text: ours, warnings: [] });
  });

  it("keeps the digits of numbers in a conversation it changes", () => {
    const call = '{"toolUse":{"toolUseId":"t","name":"f","input":{"n":1.0,"big":12345678901234567890}}}';
    const foreign = JSON.stringify(thought("hedgerow:google:R09P"));
    const { text } = relayed(`{"messages":[{"role":"assistant","content":[${foreign},${call}]}]}`);
    expect(text).toBe(`{"messages":[{"role":"assistant","content":[${call}]}]}`);
  });
});

describe("attachFacts", () => {
  const frame = (type: string, json: string): Buffer =>
    encodeEventStreamFrame({
      headers: { ":event-type": type, ":message-type": "event" },
      typedHeaders: { at: { type: "timestamp", value: 5n } },
      payload: Buffer.from(json),
    });

  it("writes the last frame anew, with checksums of its own, and leaves those before it", () => {
    const stop = frame("messageStop", '{"stopReason":"end_turn"}');
    const given = Buffer.concat([stop, frame("metadata", '{"usage":{"inputTokens":1.0},"p":"abc"}')]);
    const attached = Buffer.from(
      bedrockConverse.attachFacts(given, { hedgerow: { route: "r" }, confidence_score: 0.5 }),
    );
    const payloads: string[] = [];
    const decoder = eventStreamDecoder({
      maxFrameBytes: 1 << 16,
      onFrame: ({ headers, typedHeaders, payload }) => {
        expect(typedHeaders).toEqual({ at: { type: "timestamp", value: 5n } });
        payloads.push(`${headers[":event-type"]} ${Buffer.from(payload).toString()}`);
      },
      onProblem: ({ message }) => expect.unreachable(message),
    });
    decoder.push(attached);
    decoder.end();
    expect(attached.subarray(0, stop.length).equals(stop)).toBe(true);
    expect(payloads[1]).toBe(
      'metadata {"usage":{"inputTokens":1.0},"p":"abc","hedgerow":{"route":"r"},"confidence_score":0.5}',
    );
  });

  it("leaves alone what is no frame", () => {
    const odd = Buffer.from("no frame");
    expect(bedrockConverse.attachFacts(odd, { hedgerow: { route: "r" } })).toBe(odd);
  });
});

describe("the dialect bedrock-converse", () => {
  const path = (operation: Parameters<typeof bedrockConverse.upstreamPath>[0], model: string, streamed = false) =>
    bedrockConverse.upstreamPath(operation, { model, streamed });

  it("has the model's name, or its ARN, as one piece of the path", () => {
    expect(path("generate", "amazon.nova-pro-v1:0")).toBe("/model/amazon.nova-pro-v1%3A0/converse");
    const arn = "arn:aws:bedrock:eu-central-1:1:application-inference-profile/x";
    expect(path("generate", arn, true)).toBe(`/model/${encodeURIComponent(arn)}/converse-stream`);
  });

  it("counts for Claude only, by the model's own name: a profile has no count", () => {
    expect(path("count-tokens", "us.anthropic.claude-haiku-4-5")).toBe(
      "/model/anthropic.claude-haiku-4-5/count-tokens",
    );
    expect(path("count-tokens", "us-gov.anthropic.claude-x")).toBe("/model/anthropic.claude-x/count-tokens");
    expect(path("count-tokens", "amazon.nova-pro-v1:0")).toBeUndefined();
    expect(path("count-tokens", "arn:aws:bedrock:eu:1:inference-profile/claude")).toBeUndefined();
    expect(path("embed", "anthropic.claude-x")).toBeUndefined();
  });

  it("lets an upstream see no header of its caller: those that Amazon's clients send sign for another account", () => {
    expect(bedrockConverse.passHeaders).toEqual([]);
    expect(bedrockConverse.defaultHeaders).toEqual({});
  });

  it("has streams of frames, in which nothing only keeps them alive", () => {
    expect(bedrockConverse.streamContentType?.(undefined)).toBe("application/vnd.amazon.eventstream");
    expect(bedrockConverse.heartbeat).toHaveLength(0);
  });

  it("reads and writes counts", () => {
    const counting = bedrockConverse.unary?.countTokens;
    expect(counting?.decodeAnswer({ inputTokens: 12 })).toBe(12);
    for (const odd of [{}, { inputTokens: "12" }, { inputTokens: -1 }, null]) {
      expect(counting?.decodeAnswer(odd)).toMatchObject({ kind: "bad_upstream_response" });
    }
    expect(Buffer.from(bedrockConverse.encodeTokenCount?.(12) ?? "").toString()).toBe('{"inputTokens":12}');
  });
});
