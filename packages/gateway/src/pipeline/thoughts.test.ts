import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import type { GenerateRequest, Part } from "#domain/request";
import { processMemory } from "./process-memory.ts";
import { ThoughtCollector, withThoughts } from "./thoughts.ts";

const thinking: readonly AnswerEvent[] = [
  { kind: "start", id: "a", model: "m" },
  { kind: "reasoning-start", block: 0, id: "rs_1" },
  { kind: "reasoning-delta", block: 0, text: "First " },
  { kind: "reasoning-delta", block: 0, text: "this." },
  { kind: "reasoning-signature", block: 0, signature: "sig+/==" },
  { kind: "reasoning-end", block: 0 },
  { kind: "reasoning-start", block: 1, redacted: "hidden==" },
  { kind: "reasoning-end", block: 1 },
  { kind: "tool-start", block: 2, id: "call_1", name: "weather" },
  { kind: "tool-signature", block: 2, signature: "on-the-call" },
  { kind: "tool-end", block: 2 },
  { kind: "tool-start", block: 3, id: "call_2", name: "time" },
  { kind: "tool-end", block: 3 },
];

function kept(events: readonly AnswerEvent[] = thinking, issuer = "google") {
  const memory = processMemory(() => 0);
  const collector = new ThoughtCollector(issuer);
  for (const event of events) collector.see(event);
  collector.keep(memory, "alice");
  return memory;
}

function request(parts: readonly Part[]): GenerateRequest {
  return {
    model: "m",
    streamed: false,
    usageInStream: false,
    turns: [
      { role: "user", parts: [{ kind: "text", text: "hi" }] },
      { role: "assistant", parts },
      { role: "user", parts: [] },
    ],
    tools: [],
    sampling: {},
    stop: [],
    choices: 1,
    rest: {},
  };
}

const call = (id: string): Part => ({ kind: "tool-call", id, name: "weather", argumentsJson: "{}" });

const partsOf = (of: GenerateRequest) => of.turns[1]?.parts;

describe("thoughts a caller cannot carry", () => {
  it("come back before the call they led to, byte for byte and with their issuer", () => {
    const made = withThoughts(request([call("call_1"), call("call_2")]), kept(), "alice");
    expect(partsOf(made)).toEqual([
      {
        kind: "reasoning",
        text: "First this.",
        seal: { issuer: "google", form: "signature", value: "sig+/==", id: "rs_1" },
      },
      { kind: "reasoning", text: "", seal: { issuer: "google", form: "redacted", value: "hidden==" } },
      { ...call("call_1"), seal: { issuer: "google", form: "signature", value: "on-the-call" } },
      call("call_2"),
    ]);
  });

  it("do not get from one conversation into another whose calls are counted alike", () => {
    const answer = thinking.flatMap((event): readonly AnswerEvent[] =>
      event.kind === "tool-start" && event.id === "call_1"
        ? [
            { ...event, id: "functions.weather:0" },
            { kind: "tool-delta", block: event.block, json: '{"city": "Ulm", "days":1.0}' },
          ]
        : [event],
    );
    const asked = (argumentsJson: string): GenerateRequest =>
      request([{ kind: "tool-call", id: "functions.weather:0", name: "weather", argumentsJson }]);
    const memory = kept(answer);
    expect(partsOf(withThoughts(asked('{"days":1,"city":"Ulm"}'), memory, "alice"))).toHaveLength(3);
    const other = asked('{"days":1,"city":"Bonn"}');
    expect(withThoughts(other, memory, "alice")).toBe(other);
  });

  it("belong to one caller", () => {
    const asked = request([call("call_1")]);
    expect(withThoughts(asked, kept(), "bob")).toBe(asked);
  });

  it("leave alone a turn that brings its own", () => {
    const own: Part = { kind: "reasoning", text: "mine", seal: { issuer: "x", form: "signature", value: "v" } };
    const asked = request([own, call("call_1")]);
    expect(withThoughts(asked, kept(), "alice")).toBe(asked);
  });

  it("take the place of torn pieces of themselves, which is what a stream's collector may keep", () => {
    const torn: Part = { kind: "reasoning", text: "", seal: { issuer: "google", form: "signature", value: "sig+/==" } };
    const made = withThoughts(request([torn, call("call_1")]), kept(), "alice");
    expect(partsOf(made)).toEqual(partsOf(withThoughts(request([call("call_1")]), kept(), "alice")));
  });

  it("come back by their seal where they led to no call and the caller brings torn pieces", () => {
    const answer = thinking.slice(0, 6);
    const seal = { issuer: "google", form: "signature", value: "sig+/==" } as const;
    const torn = (value: string): Part => ({ kind: "reasoning", text: "s.", seal: { ...seal, value } });
    const made = withThoughts(request([torn("sig+/=="), torn("another")]), kept(answer), "alice");
    expect(partsOf(made)).toEqual([
      { kind: "reasoning", text: "First this.", seal: { ...seal, id: "rs_1" } },
      torn("another"),
    ]);
    const asked = request([torn("sig+/==")]);
    expect(withThoughts(asked, kept(answer), "bob")).toBe(asked);
  });

  it("stand in front of the text they came before, and behind the text they came after", () => {
    const said = (block: number, text: string): readonly AnswerEvent[] => [
      { kind: "text-start", block },
      { kind: "text-delta", block, text },
      { kind: "text-end", block },
    ];
    const thought = (block: number, signature: string): readonly AnswerEvent[] => [
      { kind: "reasoning-start", block },
      { kind: "reasoning-signature", block, signature },
      { kind: "reasoning-end", block },
    ];
    const answer: readonly AnswerEvent[] = [
      ...thought(0, "first"),
      ...said(1, "One moment."),
      ...thought(2, "second"),
      { kind: "tool-start", block: 3, id: "call_1", name: "weather" },
      ...thought(4, "third"),
      { kind: "tool-start", block: 5, id: "call_2", name: "weather" },
    ];
    const text: Part = { kind: "text", text: "One moment." };
    const made = withThoughts(request([text, call("call_1"), call("call_2")]), kept(answer), "alice");
    const order = partsOf(made)?.map((part) => (part.kind === "reasoning" ? part.seal?.value : part.kind));
    expect(order).toEqual(["first", "text", "second", "tool-call", "third", "tool-call"]);
  });

  it("replace the visible text of themselves, and only there", () => {
    const visible: Part = { kind: "reasoning", text: "First this." };
    const made = withThoughts(request([visible, call("call_1")]), kept(), "alice");
    expect(partsOf(made)?.filter((part) => part.kind === "reasoning")).toHaveLength(2);
    const unknown = request([visible, call("call_9")]);
    expect(withThoughts(unknown, kept(), "alice")).toBe(unknown);
  });

  it("are not kept where nothing is sealed, nor beyond their bound", () => {
    const plain = thinking.filter(({ kind }) => !kind.endsWith("signature") && kind !== "reasoning-start");
    const asked = request([call("call_1")]);
    expect(withThoughts(asked, kept(plain), "alice")).toBe(asked);
    const flood: AnswerEvent = { kind: "reasoning-delta", block: 0, text: "x".repeat(3_000_000) };
    const endless = thinking.flatMap((event): readonly AnswerEvent[] =>
      event.kind === "reasoning-delta" ? [event, flood] : [event],
    );
    expect(withThoughts(asked, kept(endless), "alice")).toBe(asked);
  });

  it("are looked up for the latest 64 calls at most", () => {
    const memory = kept();
    const old = [call("call_1"), ...Array.from({ length: 64 }, (_, at) => call(`other_${at}`))];
    const asked = { ...request([]), turns: old.map((part) => ({ role: "assistant" as const, parts: [part] })) };
    expect(withThoughts(asked, memory, "alice")).toBe(asked);
    const near = { ...asked, turns: asked.turns.slice(0, 64) };
    expect(withThoughts(near, memory, "alice")).not.toBe(near);
  });
});
