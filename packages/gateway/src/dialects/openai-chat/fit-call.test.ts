import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { openaiChat } from "#dialects/openai-chat/index";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";
import { editFields, scanFields } from "#wire/json-splice";

const from = { source: "test", date: "2026-11-21" };

interface To extends Partial<EncodeTarget> {
  readonly sampling?: boolean;
  readonly efforts?: readonly string[];
  readonly own?: Partial<ChatQuirks>;
}

function relayed(json: object, { sampling, efforts, own, ...more }: To) {
  const body = Buffer.from(JSON.stringify({ model: more.model ?? "m", ...json }));
  const scan = scanFields(body, { maxDepth: 64 });
  if ("problem" in scan) throw new Error(scan.problem);
  const control = efforts === undefined ? {} : { reasoningControl: { efforts } };
  const capabilities = { ...(sampling === undefined ? {} : { sampling }), ...control };
  const target: EncodeTarget = {
    model: "m",
    issuer: "openai",
    quirks: { ...plainChatQuirks, ...own },
    streamed: false,
    ...(sampling === undefined ? {} : { traits: { name: more.model ?? "m", capabilities, from } }),
    ...more,
  };
  const { edits, warnings = [], unfit } = openaiChat.relayEdits(scan, body, target);
  const { model: _model, ...sent } = JSON.parse(Buffer.from(editFields(body, scan, edits)).toString()) as {
    readonly model: string;
  };
  const names = warnings.map((warning) => warning.split(":")[0]);
  return { sent, losses: names, unfit: unfit?.message.split(":")[0] };
}

const tools = [{ type: "function", function: { name: "f", parameters: {} } }];
const functions = [{ name: "f", parameters: {} }];

describe("function tools beside reasoning", () => {
  it.each([
    ["tools", { tools }],
    ["deprecated functions", { functions }],
    ["tools and an effort", { tools, reasoning_effort: "high" }],
    ["tools and OpenRouter's effort", { tools, reasoning: { effort: "low" } }],
  ])("are not asked of gpt-5.4 and later in chat where it has another language: %s", (_, json) => {
    const asked = relayed(json, { model: "gpt-5.4", hasOtherLane: true });
    expect(asked.unfit).toBe("reasoning-elsewhere");
  });

  it.each([
    ["reasoning is off", { tools, reasoning_effort: "none" }, "gpt-5.4"],
    ["reasoning is off by OpenRouter's word", { tools, reasoning: { effort: "none" } }, "gpt-5.6"],
    ["there is no function", { tools: [{ type: "custom", custom: { name: "c" } }] }, "gpt-5.4"],
    ["there are no tools", { reasoning_effort: "high" }, "gpt-5.4"],
    ["the model is older", { tools }, "gpt-5.3"],
    ["the model does not reason", { tools }, "gpt-4.1"],
  ])("stay as they came where %s", (_, json, model) => {
    expect(relayed(json, { model, hasOtherLane: true })).toEqual({ sent: json, losses: [], unfit: undefined });
  });

  it("are asked without reasoning where there is no other language, and the caller is told", () => {
    expect(relayed({ tools, reasoning_effort: "high" }, { model: "gpt-5.4" })).toEqual({
      sent: { tools, reasoning_effort: "none" },
      losses: ["reasoning-with-tools"],
      unfit: undefined,
    });
  });

  it("are left to hosts that serve them themselves", () => {
    const host = { model: "openai/gpt-5.4", hasOtherLane: true, own: { toolsWithReasoning: true } } as const;
    expect(relayed({ tools }, host)).toEqual({ sent: { tools }, losses: [], unfit: undefined });
  });
});

describe("tool calls that are signed", () => {
  const own = { toolSignatures: "google" };

  it("are asked for in the target's own language, where the gateway remembers the signature", () => {
    expect(relayed({ tools }, { own, hasOtherLane: true }).unfit).toBe("signatures-elsewhere");
    expect(relayed({ tools }, { own })).toEqual({ sent: { tools }, losses: [], unfit: undefined });
    expect(relayed({}, { own, hasOtherLane: true }).unfit).toBeUndefined();
  });
});

describe("sampling parameters", () => {
  const all = { temperature: 0.2, top_p: 0.9, frequency_penalty: 1, presence_penalty: 1, logit_bias: { "1": 2 } };

  it("are left out for models that refuse them, with a warning that names each", () => {
    const { sent, losses } = relayed({ ...all, seed: 1 }, { model: "o3", sampling: false });
    expect(sent).toEqual({ seed: 1 });
    expect(losses).toEqual(["sampling"]);
  });

  it("go without a word where they say what is so anyway", () => {
    const usual = { temperature: 1, top_p: 1, frequency_penalty: 0, presence_penalty: null };
    expect(relayed(usual, { model: "o3", sampling: false })).toEqual({ sent: {}, losses: [], unfit: undefined });
  });

  it("stay where the model takes them or nobody knows", () => {
    expect(relayed(all, { model: "gpt-4.1", sampling: true }).sent).toEqual(all);
    expect(relayed(all, { model: "gpt-4.1" }).sent).toEqual(all);
  });
});

describe("sampling parameters of models that can leave off reasoning", () => {
  const efforts = ["none", "low", "high"];
  const warm = { temperature: 0.2 };

  it.each([
    ["it is off", { ...warm, reasoning_effort: "none" }, "gpt-5.6"],
    ["it is off by default", warm, "gpt-5.2"],
    ["tools have turned it off", { ...warm, tools }, "gpt-5.4"],
  ])("stay where %s", (_, json, model) => {
    expect(relayed(json, { model, sampling: false, efforts }).sent).toMatchObject(warm);
  });

  it.each([
    ["it is on", { ...warm, reasoning_effort: "low" }, "gpt-5.2"],
    ["it is on by default", warm, "gpt-5.6"],
    ["it is on by default in this variant", warm, "gpt-5.1-codex"],
  ])("go where %s", (_, json, model) => {
    const asked = relayed(json, { model, sampling: false, efforts });
    expect(asked.sent).not.toHaveProperty("temperature");
    expect(asked.losses).toEqual(["sampling"]);
  });
});

describe("a reasoning effort", () => {
  it.each([
    ["minimal", ["none", "low", "high"], "low"],
    ["xhigh", ["low", "high"], "high"],
    ["medium", ["low", "high"], "low"],
    ["none", ["minimal", "low"], "minimal"],
    ["max", ["none"], "max"],
    ["high", ["low", "high"], "high"],
    ["lots", ["low"], "lots"],
    ["low", [], "low"],
  ])("of %s among %j is sent as %s", (wish, efforts, sent) => {
    const asked = relayed({ reasoning_effort: wish }, { sampling: true, efforts });
    expect(asked.sent).toEqual({ reasoning_effort: sent });
    expect(asked.losses).toEqual(wish === sent ? [] : ["effort-moved"]);
  });
});

describe("a reasoning effort of a model that has none to choose", () => {
  const traits = { name: "m", capabilities: { reasoning: true, reasoningControl: {} }, from };

  it("is not sent, with a warning where it asked for something", () => {
    expect(relayed({ reasoning_effort: "low" }, { traits })).toMatchObject({ sent: {}, losses: ["effort-fixed"] });
    expect(relayed({ reasoning_effort: "none" }, { traits })).toMatchObject({ sent: {}, losses: [] });
  });
});

describe("what a host's reasoning models refuse", () => {
  const own = { reasonersRefuse: ["stop", "presence_penalty"] };
  const of = (reasoning: boolean): To => ({ own, traits: { name: "m", capabilities: { reasoning }, from } });

  it("is left out, or not sent at all, for them alone", () => {
    const body = { presence_penalty: 1 };
    expect(relayed(body, of(true))).toEqual({ sent: {}, losses: ["refused-hint"], unfit: undefined });
    expect(relayed(body, of(false))).toEqual({ sent: body, losses: [], unfit: undefined });
    expect(relayed({ stop: ["a"] }, of(true)).unfit).toBe("refused-meaning");
    expect(relayed({ stop: ["a"] }, of(false)).unfit).toBeUndefined();
  });
});

describe("stop sequences", () => {
  it.each(["o3", "o4-mini", "gpt-5", "gpt-5-mini"])("are not asked of %s, which takes none", (model) => {
    expect(relayed({ stop: ["a"] }, { model }).unfit).toBe("stop-unsupported");
    expect(relayed({ stop: "a" }, { model }).unfit).toBe("stop-unsupported");
    expect(relayed({ stop: [] }, { model }).unfit).toBeUndefined();
    expect(relayed({ stop: null }, { model }).unfit).toBeUndefined();
  });

  it.each(["gpt-4.1", "gpt-5-chat-latest", "gpt-5.1"])("are asked of %s", (model) => {
    expect(relayed({ stop: ["a"] }, { model })).toEqual({ sent: { stop: ["a"] }, losses: [], unfit: undefined });
  });
});
