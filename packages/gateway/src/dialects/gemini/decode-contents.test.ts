import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Part, Turn } from "#domain/request";
import { decodeRequest } from "./decode-request.ts";
import { foreignMark, tagSeal } from "./seal-tag.ts";

function turns(contents: unknown, given?: string): readonly Turn[] {
  const text = given ?? JSON.stringify({ contents });
  const decoded = decodeRequest(JSON.parse(text), {}, text);
  if (decoded.kind === "refused") throw new Error(decoded.failure.message);
  return decoded.request.turns;
}

function parts(role: "user" | "model", ...given: readonly object[]): readonly Part[] {
  return turns([{ role, parts: given }])[0]?.parts ?? [];
}

function part(given: object): Part | undefined {
  return parts("user", given)[0];
}

const call = (name: string, more: object = {}): object => ({ functionCall: { name, ...more } });
const result = (name: string, more: object = {}): object => ({ functionResponse: { name, response: {}, ...more } });

/** Ids of the calls and of what the results answer, in order. */
function ids(contents: unknown): { readonly calls: readonly string[]; readonly answers: readonly string[] } {
  const all = turns(contents).flatMap((turn) => turn.parts);
  return {
    calls: all.flatMap((each) => (each.kind === "tool-call" ? [each.id] : [])),
    answers: all.flatMap((each) => (each.kind === "tool-result" ? [each.callId] : [])),
  };
}

describe("media in Gemini's contents", () => {
  it.each<[object, object]>([
    [
      { inlineData: { mimeType: "image/png", data: "iVBO" } },
      { kind: "image", source: { kind: "base64", mediaType: "image/png", data: "iVBO" } },
    ],
    [
      { inline_data: { mime_type: "application/pdf", data: "JVBE", display_name: "a.pdf" } },
      { kind: "document", source: { kind: "base64", mediaType: "application/pdf", data: "JVBE" }, title: "a.pdf" },
    ],
    [{ inlineData: { mimeType: "audio/mpeg", data: "AAAA" } }, { kind: "audio", format: "mp3", data: "AAAA" }],
    [{ inlineData: { mimeType: "audio/x-wav", data: "AAAA" } }, { kind: "audio", format: "wav", data: "AAAA" }],
    [
      { inlineData: { mimeType: "video/mp4", data: "AAAA" } },
      { kind: "video", source: { kind: "base64", mediaType: "video/mp4", data: "AAAA" } },
    ],
    [
      { fileData: { mimeType: "image/jpeg", fileUri: "https://example.com/a" } },
      { kind: "image", source: { kind: "url", url: "https://example.com/a" } },
    ],
    [
      { file_data: { file_uri: "https://example.com/a.pdf" } },
      { kind: "document", source: { kind: "url", url: "https://example.com/a.pdf" } },
    ],
    [
      { fileData: { mimeType: "application/pdf", fileUri: "gs://bucket/a.pdf" } },
      { kind: "document", source: { kind: "file", id: "gs://bucket/a.pdf" } },
    ],
    [
      {
        fileData: { mimeType: "image/png", fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc" },
      },
      { kind: "image", source: { kind: "file", id: "https://generativelanguage.googleapis.com/v1beta/files/abc" } },
    ],
    [
      { fileData: { fileUri: "https://www.youtube.com/watch?v=x" } },
      { kind: "video", source: { kind: "url", url: "https://www.youtube.com/watch?v=x" } },
    ],
  ])("%j", (given, read) => {
    expect(part(given)).toEqual(read);
  });

  it("come to other vendors in the usual base64, whichever their client wrote", () => {
    const bytes = Buffer.from([0xfb, 0xef, 0xbe, 0xff, 0xff]);
    const data = bytes.toString("base64url");
    expect(part({ inlineData: { mimeType: "image/png", data } })).toMatchObject({
      source: { data: bytes.toString("base64") },
    });
  });

  it("that are spoken files, and parts of Google's own, are kept as they came", () => {
    const speech = { fileData: { mimeType: "audio/mp3", fileUri: "gs://b/a.mp3" } };
    expect(part(speech)).toEqual({ kind: "foreign", what: "gemini:fileData", payload: speech });
    const code = { executableCode: { language: "PYTHON", code: "1" }, thoughtSignature: "c2ln" };
    expect(parts("model", code)).toEqual([{ kind: "foreign", what: "gemini:executableCode", payload: code }]);
  });
});

describe("calls and results in Gemini's contents", () => {
  it("get ids by their place, the same in every later turn", () => {
    const history = [
      { role: "user", parts: [{ text: "go" }] },
      { role: "model", parts: [call("f"), call("g"), call("f")] },
      { role: "user", parts: [result("f"), result("g"), result("f")] },
    ];
    const first = ids(history);
    expect(new Set(first.calls).size).toBe(3);
    expect(first.answers).toEqual(first.calls);
    const later = ids([...history, { role: "model", parts: [call("f")] }, { role: "user", parts: [result("f")] }]);
    expect(later.calls.slice(0, 3)).toEqual(first.calls);
    expect(later.answers.at(-1)).toBe(later.calls.at(-1));
  });

  it("find each other by name where the results come in another order", () => {
    const found = ids([
      { role: "model", parts: [call("f"), call("g")] },
      { role: "user", parts: [result("g"), result("f")] },
    ]);
    expect(found.answers).toEqual(found.calls.toReversed());
  });

  it("keep their own ids, and find each other by them", () => {
    expect(
      ids([
        { role: "model", parts: [call("f", { id: "one" }), call("f", { id: "two" })] },
        { role: "user", parts: [result("f", { id: "two" }), result("f", { id: "one" })] },
      ]),
    ).toEqual({ calls: ["one", "two"], answers: ["two", "one"] });
  });

  it("get distinct ids where theirs are empty or the same", () => {
    const { calls, answers } = ids([
      { role: "model", parts: [call("f", { id: "x" }), call("f", { id: "x" }), call("f", { id: "" })] },
      { role: "user", parts: [result("f", { id: "x" }), result("f", { id: "x" }), result("f")] },
    ]);
    expect(calls[0]).toBe("x");
    expect(new Set(calls).size).toBe(3);
    expect(answers).toEqual(calls);
  });

  it("find each other by name where only one of them has an id", () => {
    const { calls, answers } = ids([
      { role: "model", parts: [call("f")] },
      { role: "user", parts: [result("f", { id: "made-by-the-client" })] },
    ]);
    expect(answers).toEqual(calls);
  });

  it("are refused where a result answers nothing, or stands with the wrong role", () => {
    expect(() => turns([{ parts: [result("f")] }])).toThrow('answers no functionCall of "f" before it');
    expect(() => turns([{ role: "user", parts: [call("f")] }])).toThrow("belongs into a content whose role is model");
    expect(() => turns([{ role: "model", parts: [call("f", { args: "x" })] }])).toThrow("args must be an object");
  });

  it("stand in the turn that is theirs where Google ran the tool and shows both", () => {
    const [asked, ...others] = turns([
      { role: "model", parts: [{ text: "a" }, call("f"), result("f", { response: { output: "r" } }), { text: "b" }] },
    ]);
    expect([asked, ...others].map((turn) => [turn?.role, turn?.parts.map(({ kind }) => kind)])).toEqual([
      ["assistant", ["text", "tool-call"]],
      ["user", ["tool-result"]],
      ["assistant", ["text"]],
    ]);
  });

  it("are whole where their arguments came in pieces, each kept as a content", () => {
    const pieces = [
      { functionCall: { name: "f", willContinue: true }, thoughtSignature: "c2ln" },
      {
        functionCall: {
          partialArgs: [{ jsonPath: "$.city", stringValue: "U", willContinue: true }],
          willContinue: true,
        },
      },
      { functionCall: { partialArgs: [{ jsonPath: "$.city", stringValue: "lm" }], willContinue: true } },
      { functionCall: { partialArgs: [{ jsonPath: "$.days", numberValue: 2 }] } },
      { functionCall: {} },
      { functionCall: { name: "g", partialArgs: [{ jsonPath: "$.x", boolValue: true }] } },
    ];
    const [asked, answered] = turns([
      ...pieces.map((each) => ({ role: "model", parts: [each] })),
      { parts: [result("f"), result("g")] },
    ]);
    expect(asked?.parts).toMatchObject([
      { name: "f", argumentsJson: '{"city":"Ulm","days":2}', seal: { value: "c2ln" } },
      { name: "g", argumentsJson: '{"x":true}' },
    ]);
    expect(answered?.parts).toHaveLength(2);
    const wrong = { functionCall: { name: "f", partialArgs: [{ jsonPath: "city", stringValue: "U" }] } };
    expect(() => turns([{ role: "model", parts: [wrong] }])).toThrow("fits nowhere in the arguments");
    expect(() => turns([{ role: "model", parts: [{ functionCall: { args: {} } }] }])).toThrow("name must be a string");
  });

  it("keep the digits of their numbers", () => {
    const text =
      '{"contents":[{"role":"model","parts":[{"function_call":{"name":"f","args":{"id":12345678901234567890,"x":1.0}}}]},' +
      '{"parts":[{"functionResponse":{"name":"f","response":{"n":1e2,"m":0.10}}}]}]}';
    expect(turns(undefined, text)).toMatchObject([
      { parts: [{ argumentsJson: '{"id":12345678901234567890,"x":1.0}' }] },
      { parts: [{ parts: [{ text: '{"n":1e2,"m":0.10}' }] }] },
    ]);
  });

  it.each<[object, object]>([
    [{ output: "sunny" }, { parts: [{ kind: "text", text: "sunny" }], failed: false }],
    [{ output: { t: 20 } }, { parts: [{ kind: "text", text: '{"t":20}' }], failed: false }],
    [{ error: "no net" }, { parts: [{ kind: "text", text: "no net" }], failed: true }],
    [{ error: { code: 1 } }, { parts: [{ kind: "text", text: '{"code":1}' }], failed: true }],
    [{ error: null }, { parts: [{ kind: "text", text: '{"error":null}' }], failed: false }],
    [{ result: 3 }, { parts: [{ kind: "text", text: '{"result":3}' }], failed: false }],
    [
      { output: 1, error: "x" },
      { parts: [{ kind: "text", text: '{"output":1,"error":"x"}' }], failed: false },
    ],
    [{}, { parts: [], failed: false }],
  ])("say the result %j", (response, said) => {
    const history = [{ role: "model", parts: [call("f")] }, { parts: [{ functionResponse: { name: "f", response } }] }];
    expect(turns(history)[1]?.parts[0]).toMatchObject(said);
  });

  it("carry media in their results", () => {
    const media = [
      { inlineData: { mimeType: "image/png", data: "iVBO" } },
      { inlineData: { mimeType: "audio/wav", data: "AAAA" } },
    ];
    const [, answered] = turns([
      { role: "model", parts: [call("f")] },
      { role: "function", parts: [result("f", { parts: media })] },
    ]);
    expect(answered).toMatchObject({
      role: "user",
      parts: [{ kind: "tool-result", parts: [{ kind: "image" }, { kind: "foreign", what: "gemini:audio" }] }],
    });
  });
});

describe("signatures in Gemini's contents", () => {
  const google = { issuer: "google", form: "signature", value: "c2ln" };

  it("hang as Google's seals on the part they came with", () => {
    expect(
      parts(
        "model",
        { text: "hm", thought: true, thoughtSignature: "c2ln" },
        { text: "so", thoughtSignature: "c2ln" },
        { functionCall: { name: "f" }, thought_signature: "c2ln" },
        { thoughtSignature: "c2ln" },
      ),
    ).toMatchObject([
      { kind: "reasoning", text: "hm", seal: google },
      { kind: "text", text: "so", seal: google },
      { kind: "tool-call", name: "f", seal: google },
      { kind: "text", text: "", seal: google },
    ]);
  });

  it.each(["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"])(
    "are none where a client says %s, as text or as bytes",
    (word) => {
      for (const thoughtSignature of [word, Buffer.from(word).toString("base64")]) {
        expect(parts("model", { functionCall: { name: "f" }, thoughtSignature })[0]).not.toHaveProperty("seal");
      }
    },
  );

  it("are other vendors' where we tagged them, byte for byte", () => {
    const seal = { issuer: "anthropic", form: "redacted", value: "Eqo:B/+==", id: "rs_1:2" } as const;
    expect(parts("model", { text: "", thought: true, thoughtSignature: tagSeal(seal.issuer, seal) })).toEqual([
      { kind: "reasoning", text: "", seal },
    ]);
  });
});

describe("contents of one role in a row", () => {
  const google = { issuer: "google", form: "signature", value: "c2ln" };

  it("are one turn", () => {
    expect(turns([{ parts: [{ text: "a" }] }, { role: "user", parts: [{ text: "b" }] }])).toEqual([
      {
        role: "user",
        parts: [
          { kind: "text", text: "a" },
          { kind: "text", text: "b" },
        ],
      },
    ]);
  });

  it("join the pieces of a stream that Google's client kept one by one", () => {
    const kept = [
      { text: "Let me", thought: true },
      { text: " think.", thought: true },
      { text: "", thought: true, thoughtSignature: "c2ln" },
      { text: "It" },
      { text: " is." },
      { functionCall: { name: "f", id: "1" } },
      { text: "" },
    ].map((each) => ({ role: "model", parts: [each] }));
    expect(turns(kept)).toEqual([
      {
        role: "assistant",
        parts: [
          { kind: "reasoning", text: "Let me think.", seal: google },
          { kind: "text", text: "It is." },
          { kind: "tool-call", id: "1", name: "f", argumentsJson: "{}" },
        ],
      },
    ]);
  });

  it("tell thoughts apart that another vendor did not sign", () => {
    const mark = foreignMark("deepseek");
    const seal = { issuer: "anthropic", form: "signature", value: "EqoB" } as const;
    const kept = [
      { text: "one", thought: true },
      { text: "", thought: true, thoughtSignature: mark },
      { text: "two", thought: true },
      { text: "", thought: true, thoughtSignature: tagSeal("anthropic", seal) },
      { text: "", thought: true, thoughtSignature: mark },
    ];
    expect(parts("model", ...kept)).toEqual([
      { kind: "reasoning", text: "one" },
      { kind: "reasoning", text: "two", seal },
    ]);
  });

  it("leave out contents that say nothing", () => {
    expect(turns([{ parts: [{ text: "a" }] }, { role: "model", parts: [{ text: "" }] }, { parts: [] }])).toEqual([
      { role: "user", parts: [{ kind: "text", text: "a" }] },
    ]);
  });

  it("say the same however an answer was cut into contents", () => {
    const pieces = fc.array(
      fc.oneof(
        fc.record({ text: fc.string({ minLength: 1 }) }),
        fc.record({ text: fc.string({ minLength: 1 }), thought: fc.constant(true) }),
        fc.record({ text: fc.string(), thought: fc.constant(true), thoughtSignature: fc.constant("c2ln") }),
        fc.record({ functionCall: fc.record({ name: fc.constantFrom("f", "g"), args: fc.constant({ a: 1 }) }) }),
      ),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (given, cuts) => {
        const contents: { role: string; parts: object[] }[] = [{ role: "model", parts: [] }];
        for (const [index, piece] of given.entries()) {
          if (cuts[index] === true) contents.push({ role: "model", parts: [] });
          contents.at(-1)?.parts.push(piece);
        }
        expect(turns(contents)).toEqual(turns([{ role: "model", parts: given }]));
      }),
    );
  });
});
