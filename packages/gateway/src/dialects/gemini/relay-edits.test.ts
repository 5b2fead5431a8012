import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import { editFields, scanFields } from "#wire/json-splice";
import type { EncodeTarget } from "#dialects/dialect";
import { peek } from "./peek.ts";
import { relayEdits } from "./relay-edits.ts";
import { foreignMark, tagSeal, uncheckedSignature } from "./seal-tag.ts";

const target: EncodeTarget = {
  model: "gemini-3-flash",
  issuer: "google",
  quirks: plainChatQuirks,
  streamed: false,
};

function scanned(text: string): {
  body: Uint8Array;
  scan: Exclude<ReturnType<typeof scanFields>, { problem: string }>;
} {
  const body = Buffer.from(text);
  const scan = scanFields(body, { maxDepth: 64 });
  if ("problem" in scan) throw new Error(scan.problem);
  return { body, scan };
}

function relayed(text: string, more: Partial<EncodeTarget> = {}): { text: string; warnings: readonly string[] } {
  const { body, scan } = scanned(text);
  const { edits, usageAdded, warnings = [] } = relayEdits(scan, body, { ...target, ...more });
  expect(usageAdded).toBe(false);
  return { text: Buffer.from(editFields(body, scan, edits)).toString(), warnings };
}

interface Content {
  readonly role: string;
  readonly parts: readonly object[];
}

/** The contents a target gets of these turns, and what is said of it. */
function sent(contents: readonly object[], more: Partial<EncodeTarget> = {}): [readonly Content[], readonly string[]] {
  const { text, warnings } = relayed(JSON.stringify({ contents }), more);
  return [(JSON.parse(text) as { contents: Content[] }).contents, warnings.map((each) => each.split(":")[0] ?? "")];
}

const model = (...parts: readonly object[]): object => ({ role: "model", parts });
const user = { role: "user", parts: [{ text: "hi" }] };

describe("peek in Gemini's language", () => {
  it("takes model and stream from the address, and the gateway's options from the body", () => {
    const { body, scan } = scanned('{"contents":[],"model":"models/other","stream":"?","hedgerow":{"metadata":true}}');
    expect(peek(body, scan, { model: "main", streamed: true })).toMatchObject({
      kind: "peeked",
      model: "main",
      streamed: true,
      options: { metadata: true },
    });
    const chain = scanned('{"contents":[],"fallbacks":["b"]}');
    expect(peek(chain.body, chain.scan, { model: "a" })).toMatchObject({ options: { chain: ["a", "b"] } });
  });

  it.each([
    ['{"contents":[],"contents":[]}', "contents"],
    ['{"system_instruction":"a","systemInstruction":"b"}', "systemInstruction"],
    ['{"generation_config":{},"generation_config":{}}', "generation_config"],
    ['{"contents":[],"hedgerow":{},"hedgerow":{}}', "hedgerow"],
  ])("refuses what two parsers could read differently: %s", (text, param) => {
    const { body, scan } = scanned(text);
    expect(peek(body, scan, { model: "m" })).toMatchObject({ kind: "refused", failure: { param } });
  });

  it("lets pass what is repeated and means nothing to it", () => {
    const { body, scan } = scanned('{"contents":[],"x_y":1,"xY":2,"z":1,"z":2}');
    expect(peek(body, scan, { model: "m" })).toMatchObject({ kind: "peeked" });
  });
});

describe("a relayed request of Gemini's language", () => {
  it.each([
    '{ "contents" : [{"parts":[{"text":"a\\u00e9", "unknown":1.0}]}], "safety_settings":[], "generationConfig":{"temperature":1.0} }',
    '{"model":"models/gemini-3-flash","contents":[{"role":"model","parts":[{"thoughtSignature":"c2ln","text":"x"}]}]}',
    '{"model":"publishers/google/models/gemini-3-flash","contents":"x"}',
    '{"requests":[{"model":"models/gemini-3-flash","content":{"parts":[{"text":"a"}]}}]}',
    '{"generateContentRequest":{"model":"models/gemini-3-flash","contents":[]}}',
  ])("keeps every byte: %s", (text) => {
    expect(relayed(text)).toEqual({ text, warnings: [] });
  });

  it("loses the gateway's own fields, and names the target wherever it names a model", () => {
    expect(relayed('{"hedgerow":{"tags":["x"]},"contents":[ 1.0 ],"session_id":"s"}').text).toBe(
      '{"contents":[ 1.0 ]}',
    );
    expect(relayed('{"model":"models/main","contents":[ 1.0 ]}').text).toBe(
      '{"model":"models/gemini-3-flash","contents":[ 1.0 ]}',
    );
    expect(relayed('{"requests":[{"content":{},"model":"models/main"}]}').text).toBe(
      '{"requests":[{"content":{},"model":"models/gemini-3-flash"}]}',
    );
    expect(relayed('{"generate_content_request":{"model":"models/main","contents":[]}}').text).toBe(
      '{"generate_content_request":{"model":"models/gemini-3-flash","contents":[]}}',
    );
    expect(relayed('{"model":"tunedModels/a","contents":[]}', { model: "tunedModels/b" }).text).toContain(
      '"tunedModels/b"',
    );
  });

  const claude = tagSeal("anthropic", { form: "signature", value: "EqoB" });

  it("loses other vendors' thoughts with all their pieces, and keeps Google's own", () => {
    const own = { text: "own", thought: true, thoughtSignature: "c2ln" };
    const contents = [
      user,
      model({ text: "own too", thought: true }, own),
      model({ text: "piece one", thought: true }),
      model({ text: " two", thought: true }),
      model({ text: "", thought: true, thoughtSignature: claude }, { text: "Said." }),
    ];
    expect(sent(contents)).toEqual([
      [user, model({ text: "own too", thought: true }, own), model({ text: "Said." })],
      ["foreign-reasoning"],
    ]);
    const counted = relayed(JSON.stringify({ generateContentRequest: { model: "models/gemini-3-flash", contents } }));
    expect(counted.text).not.toContain("piece");
  });

  it("gives a seal back to the vendor that made it", () => {
    const [contents, warnings] = sent([model({ text: "x", thought: true, thoughtSignature: claude })], {
      issuer: "anthropic",
    });
    expect(contents).toEqual([model({ text: "x", thought: true, thoughtSignature: "EqoB" })]);
    expect(warnings).toEqual([]);
  });

  it("has other vendors' calls unchecked where the model wants them signed", () => {
    const call = { functionCall: { id: "toolu_1", name: "f", args: {} } };
    const marked = { ...call, thoughtSignature: foreignMark("anthropic") };
    const snake = { ...call, thought_signature: foreignMark("anthropic") };
    const unchecked = model({ ...call, thoughtSignature: uncheckedSignature }, call);
    expect(sent([user, model(marked, call)])).toEqual([[user, unchecked], ["unsigned-call"]]);
    expect(sent([user, model(snake, call)])[0]).toEqual([user, unchecked]);
    expect(sent([user, model(marked, call)], { model: "gemini-2.5-pro" })).toEqual([[user, model(call, call)], []]);
    expect(sent([model({ text: "x", thoughtSignature: claude })])).toEqual([[model({ text: "x" })], []]);
  });

  it("never lets a tag of ours through", () => {
    const parts = [{ text: "t", thought: true }, { text: "x" }, { functionCall: { name: "f" } }, { unheard: 1 }];
    for (const part of parts) {
      for (const tag of [claude, foreignMark("x"), `${foreignMark("x")}!`]) {
        const { text } = relayed(JSON.stringify({ contents: { parts: { ...part, thoughtSignature: tag } } }));
        expect(text).not.toContain(tag.slice(0, 12));
      }
    }
  });
});
