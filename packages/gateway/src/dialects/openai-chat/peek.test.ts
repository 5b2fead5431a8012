import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openaiChat } from "#dialects/openai-chat/index";
import type { EncodeTarget, Peek } from "#dialects/dialect";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";
import { editFields, scanFields, type FieldScan } from "#wire/json-splice";

function scanned(text: string): { body: Buffer; scan: FieldScan } {
  const body = Buffer.from(text);
  const scan = scanFields(body, { maxDepth: 100 });
  if ("problem" in scan) throw new Error(scan.problem);
  return { body, scan };
}

function peeked(json: object): Peek {
  const { body, scan } = scanned(JSON.stringify(json));
  const peek = openaiChat.peek(body, scan);
  if (peek.kind === "refused") throw new Error(peek.failure.message);
  return peek;
}

function refusal(text: string): { message: string; param?: string } {
  const { body, scan } = scanned(text);
  const peek = openaiChat.peek(body, scan);
  if (peek.kind !== "refused") throw new Error("was expected to be refused");
  return peek.failure;
}

const target = (quirks: Partial<ChatQuirks> = {}, streamed = false): EncodeTarget => ({
  model: "gpt-5-mini",
  issuer: "openai",
  quirks: { ...plainChatQuirks, ...quirks },
  streamed,
});

function relayed(text: string, to: EncodeTarget): { text: string; usageAdded: boolean } {
  const { body, scan } = scanned(text);
  const { edits, usageAdded } = openaiChat.relayEdits(scan, body, to);
  return { text: Buffer.from(editFields(body, scan, edits)).toString(), usageAdded };
}

describe("peek", () => {
  it("reads model and stream", () => {
    expect(peeked({ model: "a/b", stream: true })).toMatchObject({ model: "a/b", streamed: true });
    expect(peeked({ model: "a/b", stream: null }).streamed).toBe(false);
    expect(peeked({}).model).toBe("");
  });

  it("takes a model array, models and fallbacks as one chain, in this order and without repetition", () => {
    const peek = peeked({ model: ["a", "b"], models: ["b", "c"], fallbacks: ["d", { model: "e" }, "a"] });
    expect(peek.model).toBe("a");
    expect(peek.options.chain).toEqual(["a", "b", "c", "d", "e"]);
    expect(peeked({ models: ["x", "y"] }).model).toBe("x");
    expect(peeked({ model: "a" }).options.chain).toBeUndefined();
  });

  it("reads what is asked of the choice of targets", () => {
    const hedgerow = { sort: "quality", max_latency_ms: 900, reasoning: "high" };
    expect(peeked({ model: "m", hedgerow, provider: { sort: "latency" } }).options).toEqual({
      metadata: false,
      sort: "quality",
      maxLatencyMs: 900,
      reasoning: "high",
      provider: { sort: "latency" },
    });
  });

  it("reads the hedgerow object, session_id and OpenRouter's provider", () => {
    const hedgerow = { route: "r", min_confidence: 0.8, timeout_ms: 500, tags: ["t"], metadata: true };
    const provider = { order: ["x"], only: ["x", "y"], ignore: ["z"], allow_fallbacks: false };
    expect(peeked({ model: "m", hedgerow, provider, session_id: "s" }).options).toEqual({
      route: "r",
      minConfidence: 0.8,
      timeoutMs: 500,
      tags: ["t"],
      metadata: true,
      session: "s",
      provider: { order: ["x"], only: ["x", "y"], ignore: ["z"], allowFallbacks: false },
    });
    expect(peeked({ hedgerow: { session: "own" }, session_id: "other" }).options.session).toBe("own");
  });

  it.each([
    ['{"model":3}', "model", "an array of names"],
    ['{"model":[]}', "model", "an array of names"],
    ['{"model":["a",1]}', "model[1]", "must be a string"],
    ['{"models":"a"}', "models", "must be an array"],
    ['{"fallbacks":[{"model":"a","temperature":1}]}', "fallbacks[0].temperature", "is not honoured"],
    ['{"fallbacks":[{}]}', "fallbacks[0].model", "must be a string"],
    ['{"stream":"yes"}', "stream", "true or false"],
    ['{"hedgerow":[]}', "hedgerow", "must be an object"],
    ['{"hedgerow":{"min_confidence":2}}', "hedgerow.min_confidence", "from 0 to 1"],
    ['{"hedgerow":{"timeout_ms":0}}', "hedgerow.timeout_ms", "above 0"],
    ['{"hedgerow":{"tiemout_ms":5}}', "hedgerow.tiemout_ms", "use route, min_confidence"],
    ['{"hedgerow":{"sort":"cheapest"}}', "hedgerow.sort", "price"],
    ['{"hedgerow":{"max_latency_ms":0}}', "hedgerow.max_latency_ms", "above 0"],
    ['{"hedgerow":{"reasoning":"very"}}', "hedgerow.reasoning", "high"],
    ['{"provider":{"sort":"quality"}}', "provider.sort", "throughput"],
    ['{"hedgerow":{"tags":"x"}}', "hedgerow.tags", "must be an array"],
    ['{"provider":{"zdr":true}}', "provider.zdr", "is not honoured"],
    ['{"session_id":7}', "session_id", "must be a string"],
    [`{"session_id":"${"x".repeat(300)}"}`, "session_id", "at most 256"],
    [JSON.stringify({ models: Array.from({ length: 40 }, (_, i) => `m${i}`) }), "model", "at most 32"],
  ])("refuses %s, naming the field and what to write", (text, param, words) => {
    const failure = refusal(text);
    expect(failure.param).toBe(param);
    expect(failure.message).toContain(words);
  });

  it.each(["model", "stream", "messages", "max_tokens", "stream_options", "hedgerow", "models"])(
    "refuses a repeated %s, also when one is written with escapes",
    (field) => {
      const escaped = `\\u${field.charCodeAt(0).toString(16).padStart(4, "0")}${field.slice(1)}`;
      expect(refusal(`{"${field}":null,"${escaped}":null}`).message).toContain("more than once");
    },
  );

  it("lets fields repeat that decide nothing", () => {
    const { body, scan } = scanned('{"model":"a","metadata":1,"metadata":2}');
    expect(openaiChat.peek(body, scan).kind).toBe("peeked");
  });
});

describe("relayEdits", () => {
  it("keeps a body byte for byte that fits the target", () => {
    const odd = fc.constantFrom("1.0", "12345678901234567890", '"\\u00e9\\/"', "[ 1 , 2 ]", '{ "a" : 1e3 }', "null");
    const members = fc.array(fc.tuple(fc.constantFrom("messages", "x", "seed", "tools", "max_tokens", "y"), odd));
    fc.assert(
      fc.property(members, fc.boolean(), (list, streamed) => {
        const text = `{ "model" : "gpt-5-mini"${list.map(([key, value]) => `,\n"${key}": ${value}`).join("")}${
          streamed ? ',"stream":true,"stream_options":{"include_usage":true}' : ""
        } }`;
        expect(relayed(text, target({}, streamed))).toEqual({ text, usageAdded: false });
      }),
    );
  });

  it("removes what is ours and sets the target's model, also in place of an array", () => {
    const text =
      '{"model":["a","b"],"models":["c"],"fallbacks":[],"hedgerow":{},"provider":{},"session_id":"s","n":1.0}';
    expect(relayed(text, target()).text).toBe('{"model":"gpt-5-mini","n":1.0}');
    expect(relayed('{"n":1}', target()).text).toBe('{"n":1,"model":"gpt-5-mini"}');
  });

  it("asks for usage in streams and keeps the caller's other stream options", () => {
    const own = '{"model":"gpt-5-mini","stream":true}';
    expect(relayed(own, target({}, true))).toEqual({
      text: '{"model":"gpt-5-mini","stream":true,"stream_options":{"include_usage":true}}',
      usageAdded: true,
    });
    const opted = '{"model":"gpt-5-mini","stream_options":{"include_usage":false,"include_obfuscation":false}}';
    expect(JSON.parse(relayed(opted, target({}, true)).text)).toMatchObject({
      stream_options: { include_usage: true, include_obfuscation: false },
    });
    expect(relayed(own, target({ streamUsage: "always" }, true))).toEqual({ text: own, usageAdded: false });
    expect(relayed(own, target()).usageAdded).toBe(false);
  });

  it("removes stream options an upstream refuses", () => {
    const text = '{"model":"gpt-5-mini","stream":true,"stream_options":{"include_usage":true}}';
    expect(relayed(text, target({ streamUsage: "never" }, true)).text).toBe('{"model":"gpt-5-mini","stream":true}');
  });

  it("renames fields for an upstream that names them differently", () => {
    const quirks = { maxOutputField: "max_tokens", seedField: "random_seed", requiredToolChoice: "any" } as const;
    const text = '{"model":"gpt-5-mini","max_completion_tokens":7,"seed":1.0,"tool_choice":"required"}';
    expect(JSON.parse(relayed(text, target(quirks)).text)).toEqual({
      model: "gpt-5-mini",
      max_tokens: 7,
      random_seed: 1,
      tool_choice: "any",
    });
  });

  it("rewrites developer turns and tool-call ids, in pairs, only for upstreams that refuse them", () => {
    const messages = [
      { role: "developer", content: "d" },
      {
        role: "assistant",
        tool_calls: [{ id: "call_toolong", type: "function", function: { name: "f", arguments: "" } }],
      },
      { role: "tool", tool_call_id: "call_toolong", content: "r" },
      { role: "tool", tool_call_id: "abcDEF123", content: "r" },
    ];
    const text = JSON.stringify({ model: "gpt-5-mini", messages });
    expect(relayed(text, target()).text).toBe(text);
    const strict = target({ developerRole: false, toolCallIds: "nine-alphanumeric" });
    const fitted = (JSON.parse(relayed(text, strict).text) as { messages: Record<string, unknown>[] }).messages;
    expect(fitted[0]).toEqual({ role: "system", content: "d" });
    const id = fitted[2]?.["tool_call_id"];
    expect(id).toMatch(/^[A-Za-z0-9]{9}$/u);
    expect(fitted[1]?.["tool_calls"]).toMatchObject([{ id }]);
    expect(fitted[3]?.["tool_call_id"]).toBe("abcDEF123");
    const plain = JSON.stringify({
      model: "gpt-5-mini",
      messages: [{ role: "user", content: "developer tool_call 1.0" }],
    });
    expect(relayed(plain, strict).text).toBe(plain);
  });
});
