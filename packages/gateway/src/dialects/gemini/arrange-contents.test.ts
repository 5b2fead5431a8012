import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest, Part, Turn } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { encodeRequest } from "./encode-request.ts";

const target: EncodeTarget = {
  model: "gemini-2.5-flash",
  issuer: "google",
  quirks: plainChatQuirks,
  streamed: false,
};
const third: EncodeTarget = { ...target, model: "gemini-3-pro-preview" };

const plain: GenerateRequest = {
  model: "asked",
  streamed: false,
  usageInStream: false,
  turns: [{ role: "user", parts: [{ kind: "text", text: "hi" }] }],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

interface Made {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

function made(more: Partial<GenerateRequest>, at = target): Made {
  const encoded = encodeRequest({ ...plain, ...more }, at);
  if (encoded.kind === "refused") throw new Error(encoded.failure.message);
  const text = Buffer.from(encoded.body).toString();
  const warnings = encoded.warnings.map((warning) => warning.split(":")[0] ?? "");
  return { text, json: JSON.parse(text) as Made["json"], warnings };
}

const user = (...parts: readonly Part[]): Turn => ({ role: "user", parts });
const assistant = (...parts: readonly Part[]): Turn => ({ role: "assistant", parts });
const system = (words: string): Turn => ({ role: "system", parts: [text(words)] });

function text(words: string): Part & { readonly kind: "text" } {
  return { kind: "text", text: words };
}

function call(id: string, name = "f", argumentsJson = "{}"): Part & { readonly kind: "tool-call" } {
  return { kind: "tool-call", id, name, argumentsJson };
}

function result(callId: string, words = callId): Part & { readonly kind: "tool-result" } {
  return { kind: "tool-result", callId, parts: [text(words)], failed: false };
}

const sealed = (value: string, issuer = "google") => ({ seal: { issuer, form: "signature" as const, value } });
const unchecked = "skip_thought_signature_validator";

describe("turns", () => {
  const contents = (turns: readonly Turn[], at = target): unknown => made({ turns }, at).json["contents"];

  it("of one role are joined, and empty texts go", () => {
    expect(
      contents([
        user(text("a")),
        user(text(""), text("b")),
        assistant(text("")),
        assistant(text("c")),
        user(text("d")),
      ]),
    ).toEqual([
      { role: "user", parts: [{ text: "a" }, { text: "b" }] },
      { role: "model", parts: [{ text: "c" }] },
      { role: "user", parts: [{ text: "d" }] },
    ]);
  });

  it("of the system in mid-conversation stay in their place, marked", () => {
    expect(contents([user(text("a")), system("now in French"), assistant(text("b"))])).toEqual([
      { role: "user", parts: [{ text: "a" }, { text: "<system>\nnow in French\n</system>" }] },
      { role: "model", parts: [{ text: "b" }] },
    ]);
  });

  it("of the system are the user's for Gemma, which refuses instructions", () => {
    const gemma = { ...target, model: "gemma-3-27b-it" };
    const { json, warnings } = made({ turns: [system("s"), user(text("q"))] }, gemma);
    expect(json).toEqual({ contents: [{ role: "user", parts: [{ text: "s" }, { text: "q" }] }] });
    expect(warnings).toEqual(["system-folded"]);
    expect(contents([system("s"), assistant(text("a")), user(text("q"))], gemma)).toEqual([
      { role: "user", parts: [{ text: "s" }] },
      { role: "model", parts: [{ text: "a" }] },
      { role: "user", parts: [{ text: "q" }] },
    ]);
  });

  it("begin with the user's", () => {
    expect(contents([assistant(text("Welcome"))])).toEqual([
      { role: "user", parts: [{ text: "(The conversation begins with the assistant's turn.)" }] },
      { role: "model", parts: [{ text: "Welcome" }] },
    ]);
    expect(contents([system("only me")])).toEqual([{ role: "user", parts: [{ text: "only me" }] }]);
  });

  it("with refusals keep their words", () => {
    expect(contents([user(text("q")), assistant({ kind: "refusal", text: "No." }), user(text("why"))])).toContainEqual({
      role: "model",
      parts: [{ text: "No." }],
    });
  });
});

describe("calls and results", () => {
  const contents = (turns: readonly Turn[], at = target): unknown => made({ turns }, at).json["contents"];

  it("of parallel calls stand in one turn, in the order of the calls, before all else, under their names", () => {
    expect(
      contents([
        user(text("q")),
        assistant(text("ok"), call("1", "f", '{"x":1.0}'), call("2", "g", "")),
        user(text("quick")),
        user(result("2", '{"deep": 1.0}')),
        user(result("1", "plain")),
      ]),
    ).toEqual([
      { role: "user", parts: [{ text: "q" }] },
      {
        role: "model",
        parts: [
          { text: "ok" },
          { functionCall: { name: "f", args: { x: 1 } } },
          { functionCall: { name: "g", args: {} } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { name: "f", response: { output: "plain" } } },
          { functionResponse: { name: "g", response: { deep: 1 } } },
          { text: "quick" },
        ],
      },
    ]);
  });

  it("keep the digits of their numbers", () => {
    const { text: body } = made({
      turns: [
        user(text("q")),
        assistant(call("1", "f", '{"x": 1.0, "y": 12345678901234567890}')),
        user(result("1", '{"z": 2.50}')),
      ],
    });
    expect(body).toContain('"args":{"x": 1.0, "y": 12345678901234567890}');
    expect(body).toContain('"response":{"z": 2.50}');
  });

  it("say their errors, their silence and what is no JSON object", () => {
    const failed = { ...result("1", "no such city"), failed: true };
    const silent = { ...result("2"), parts: [] };
    const list = result("3", "[1,2]");
    const turns = [
      user(text("q")),
      assistant(call("1"), call("2"), call("3"), call("4", "f", "{oops")),
      user(failed, silent, list),
    ];
    const { json, warnings } = made({ turns });
    expect(json["contents"]).toMatchObject([
      {},
      { parts: [{}, {}, {}, { functionCall: { args: { INVALID_JSON: "{oops" } } }] },
      {
        parts: [
          { functionResponse: { response: { error: "no such city" } } },
          { functionResponse: { response: { output: "" } } },
          { functionResponse: { response: { output: "[1,2]" } } },
          { functionResponse: { response: { error: "This call was not answered." } } },
        ],
      },
    ]);
    expect(warnings.toSorted()).toEqual(["invalid-arguments", "unanswered-call"]);
  });

  it("at the end of a conversation are answered too", () => {
    expect(contents([user(text("q")), assistant(call("1"))])).toHaveLength(3);
  });

  it("of the same id answer in turn", () => {
    const turns = [user(text("q")), assistant(call(""), call("")), user(result("", "a"), result("", "b"))];
    expect(contents(turns)).toContainEqual({
      role: "user",
      parts: ["a", "b"].map((output) => ({ functionResponse: { name: "f", response: { output } } })),
    });
  });

  it("carry the vendor's ids where it signed them, and none that others made", () => {
    const signed = { ...call("8hd01vsf"), ...sealed("c2ln") };
    const turns = [
      user(text("q")),
      assistant(signed, call("gcall_r1_1")),
      user(result("8hd01vsf", "a"), result("gcall_r1_1", "b")),
    ];
    expect(contents(turns)).toEqual([
      { role: "user", parts: [{ text: "q" }] },
      {
        role: "model",
        parts: [
          { functionCall: { id: "8hd01vsf", name: "f", args: {} }, thoughtSignature: "c2ln" },
          { functionCall: { name: "f", args: {} } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { id: "8hd01vsf", name: "f", response: { output: "a" } } },
          { functionResponse: { name: "f", response: { output: "b" } } },
        ],
      },
    ]);
    expect(
      JSON.stringify(contents([user(text("q")), assistant(call("toolu_1")), user(result("toolu_1"))])),
    ).not.toContain('"id"');
  });

  it("with media hold them from Gemini 3 on, and have them beside all results before", () => {
    const image = { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" } } as const;
    const note = { kind: "document", source: { kind: "text", text: "a note" } } as const;
    const turns = [
      user(text("q")),
      assistant(call("1"), call("2")),
      user({ ...result("1"), parts: [text("see"), image, note] }, result("2"), text("and?")),
    ];
    const inlineData = { mimeType: "image/png", data: "iVBORw0KGgo=" };
    const second = { functionResponse: { name: "f", response: { output: "2" } } };
    expect((contents(turns, third) as unknown[])[2]).toEqual({
      role: "user",
      parts: [
        { functionResponse: { name: "f", response: { output: "see\na note" }, parts: [{ inlineData }] } },
        second,
        { text: "and?" },
      ],
    });
    expect((contents(turns) as unknown[])[2]).toEqual({
      role: "user",
      parts: [
        { functionResponse: { name: "f", response: { output: "see\na note" } } },
        second,
        { text: "(Part of the result of f:)" },
        { inlineData },
        { text: "and?" },
      ],
    });
  });
});

describe("signatures", () => {
  const parts = (turns: readonly Turn[], at = target): readonly unknown[] => {
    const contents = made({ turns }, at).json["contents"] as readonly { role: string; parts: unknown[] }[];
    return contents.filter(({ role }) => role === "model").flatMap((content) => content.parts);
  };

  it("go back on the very parts they came with", () => {
    const thought = { kind: "reasoning", text: "hm", ...sealed("dGhvdWdodA==") } as const;
    const turns = [
      user(text("q")),
      assistant(
        thought,
        { ...text("so"), ...sealed("dGV4dA==") },
        { ...text(""), ...sealed("ZW1wdHk=") },
        { ...call("a"), ...sealed("Y2FsbA==") },
        call("b"),
      ),
      user(result("a"), result("b")),
    ];
    for (const at of [target, third]) {
      expect(parts(turns, at)).toEqual([
        { text: "hm", thought: true, thoughtSignature: "dGhvdWdodA==" },
        { text: "so", thoughtSignature: "dGV4dA==" },
        { text: "", thoughtSignature: "ZW1wdHk=" },
        { functionCall: { id: "a", name: "f", args: {} }, thoughtSignature: "Y2FsbA==" },
        { functionCall: { id: "b", name: "f", args: {} } },
      ]);
    }
  });

  it("of other vendors never do; what only their vendor can read is left out, what everybody can stays", () => {
    const turns = [
      user(text("q")),
      assistant(
        { kind: "reasoning", text: "secret", ...sealed("x", "anthropic") },
        { kind: "reasoning", text: "bare" },
        { ...text("so"), ...sealed("y", "openai") },
        { ...call("a"), ...sealed("z", "xai") },
      ),
      user(result("a")),
    ];
    expect(parts(turns)).toEqual([{ text: "so" }, { functionCall: { name: "f", args: {} } }]);
    expect(made({ turns }).warnings).toEqual(["foreign-reasoning"]);
  });

  it("that Gemini 3 demands and nobody has are waived on the first call of each step alone", () => {
    const turns = [
      user(text("q")),
      assistant(call("a"), call("b")),
      user(result("a"), result("b")),
      assistant({ ...call("c"), ...sealed("Y2FsbA==") }, call("d")),
      user(result("c"), result("d")),
      assistant(text("x"), { ...call("e"), ...sealed("z", "anthropic") }),
      user(result("e"), text("thanks")),
    ];
    const signatures = parts(turns, third).map((part) => (part as { thoughtSignature?: string }).thoughtSignature);
    expect(signatures).toEqual([unchecked, undefined, "Y2FsbA==", undefined, undefined, unchecked]);
    expect(made({ turns }, third).warnings.toSorted()).toEqual(["foreign-reasoning", "unsigned-call"]);
    expect(JSON.stringify(parts(turns))).not.toContain(unchecked);
  });
});
