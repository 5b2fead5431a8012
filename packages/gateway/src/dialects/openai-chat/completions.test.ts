import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import type { Failure } from "#domain/failure";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest } from "#domain/request";
import { emptyUsage } from "#domain/usage";
import { scanFields } from "#wire/json-splice";
import { breachOf } from "#dialects/answer-grammar";
import type { EncodeTarget } from "#dialects/dialect";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { decodeCompletion } from "./decode-completion.ts";
import { completionEncoder, encodeCompletion } from "./encode-completion.ts";
import { operationEdits } from "./operation-edits.ts";

const decodeOptions = {
  classify: () => failure("upstream_failed", "classified"),
  quirks: plainChatQuirks,
  maxEventBytes: 100_000,
};
const options = { fallbackId: "req_1", model: "m", createdAtS: 5, includeUsage: true, issuer: "x" };

function decoded(body: object): GenerateRequest {
  const made = decodeCompletion(body);
  if (made.kind !== "decoded") throw new Error(made.failure.message);
  return made.request;
}

function refusal(body: unknown): Failure | undefined {
  const made = decodeCompletion(body);
  return made.kind === "refused" ? made.failure : undefined;
}

describe("a completion asked as a chat", () => {
  it("is one message of the user, with all that a chat has a word for", () => {
    const body = {
      model: "main",
      prompt: "Once upon",
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      seed: 7,
      logit_bias: { "50256": -100 },
      stop: "\n",
      user: "u",
      n: 2,
      best_of: 2,
      stream: true,
      stream_options: { include_usage: true },
      echo: false,
      suffix: "",
    };
    expect(decoded(body)).toEqual({
      model: "main",
      streamed: true,
      usageInStream: true,
      turns: [{ role: "user", parts: [{ kind: "text", text: "Once upon" }] }],
      tools: [],
      sampling: {
        temperature: 0.5,
        topP: 0.9,
        frequencyPenalty: 0.1,
        presencePenalty: 0.2,
        seed: 7,
        logitBias: { "50256": -100 },
      },
      maxOutputTokens: 9,
      stop: ["\n"],
      user: "u",
      choices: 2,
      rest: {},
    });
  });

  it("has the sixteen tokens that a completion has where nobody says more", () => {
    expect(decoded({ prompt: ["one"] })).toMatchObject({ maxOutputTokens: 16, stop: [], choices: 1, streamed: false });
  });

  it.each([
    [{ prompt: ["one", "two"] }, "prompt"],
    [{ prompt: [1, 2] }, "prompt"],
    [{ prompt: [[1, 2]] }, "prompt"],
    [{ prompt: "a", echo: true }, "echo"],
    [{ prompt: "a", suffix: "z" }, "suffix"],
    [{ prompt: "a", logprobs: 3 }, "logprobs"],
    [{ prompt: "a", best_of: 3 }, "best_of"],
  ])("is not translatable where only a completion can do it: %j", (body, param) => {
    expect(refusal(body)).toMatchObject({ kind: "not_translatable", param });
  });

  it.each([
    [[], undefined],
    [{}, "prompt"],
    [{ prompt: "" }, "prompt"],
    [{ prompt: { text: "a" } }, "prompt"],
    [{ prompt: "a", max_tokens: 0 }, "max_tokens"],
    [{ prompt: "a", n: 1.5 }, "n"],
    [{ prompt: "a", logit_bias: { "1": "x" } }, "logit_bias.1"],
    [{ prompt: "a", stop: [1] }, "stop[0]"],
    [{ prompt: "a", stream: "yes" }, "stream"],
  ])("is refused by name where its shape is wrong: %j", (body, param) => {
    const why = refusal(body);
    expect(why?.kind).toBe("invalid_request");
    expect(why?.param).toBe(param);
  });

  it("is read without a throw, whatever JSON comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(["decoded", "refused"]).toContain(decodeCompletion(json).kind);
      }),
    );
  });
});

const answer: readonly AnswerEvent[] = [
  { kind: "start", id: "a1", model: "x", createdAtS: 7 },
  { kind: "reasoning-start", block: 0 },
  { kind: "reasoning-delta", block: 0, text: "secret thoughts" },
  { kind: "reasoning-end", block: 0 },
  { kind: "text-start", block: 1 },
  { kind: "text-delta", block: 1, text: "Once " },
  { kind: "ping" },
  { kind: "text-delta", block: 1, text: "more." },
  { kind: "text-end", block: 1 },
  { kind: "finish", finish: { reason: "length" } },
  { kind: "usage", usage: { ...emptyUsage, inputUncached: 3, output: 2 } },
  { kind: "end" },
];

function stream(events: readonly AnswerEvent[], more: object = {}): string {
  const encoder = completionEncoder({ ...options, ...more });
  return events.map((event) => encoder.encode(event)).join("");
}

describe("an answer written as a completion", () => {
  it("is its text alone, with finish and usage", () => {
    expect(JSON.parse(Buffer.from(encodeCompletion(answer, options) ?? "").toString())).toMatchObject({
      id: "a1",
      object: "text_completion",
      created: 7,
      model: "m",
      choices: [{ text: "Once more.", index: 0, logprobs: null, finish_reason: "length" }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
  });

  it("is nothing where the answer has no end", () => {
    expect(encodeCompletion(answer.slice(0, -1), options)).toBeUndefined();
    expect(
      encodeCompletion(
        [...answer.slice(0, -1), { kind: "failed", failure: failure("truncated_response", "x") }],
        options,
      ),
    ).toBe(undefined);
  });

  it("streams piece by piece, tells usage last, and closes with the marker", () => {
    const lines = stream(answer).split("\n\n").slice(0, -1);
    expect(lines[1]).toBe(": keep-alive");
    expect(lines.at(-1)).toBe("data: [DONE]");
    const chunks = lines
      .filter((line) => line.startsWith("data: {"))
      .map((line) => JSON.parse(line.slice(6)) as { choices: { text: string }[]; usage?: object });
    expect(chunks.map(({ choices }) => choices[0]?.text)).toEqual(["Once ", "more.", "", undefined]);
    expect(chunks.at(-1)).toMatchObject({ usage: { total_tokens: 5 }, choices: [] });
    expect(stream(answer, { includeUsage: false })).not.toContain("usage");
  });

  it("ends in an error where it fails, and then says nothing more", () => {
    const broken: readonly AnswerEvent[] = [
      ...answer.slice(0, 6),
      { kind: "failed", failure: failure("truncated_response", "cut") },
    ];
    const text = stream([...broken, { kind: "end" }]);
    expect(text).toContain('"error"');
    expect(text).not.toContain("[DONE]");
    expect(text).not.toContain('finish_reason":"');
  });

  it("carries late facts where they were asked for", () => {
    const facts = (): object => ({ provider: "p" });
    expect(stream(answer, { facts })).toContain('"hedgerow":{"provider":"p"}');
    expect(Buffer.from(encodeCompletion(answer, { ...options, facts }) ?? "").toString()).toContain('"provider":"p"');
  });
});

describe("a provider's completion", () => {
  it("is read as the same events, whole, streamed, and however the stream is split", () => {
    const whole = decodeAnswer(encodeCompletion(answer, options) ?? new Uint8Array(), decodeOptions);
    expect(breachOf(whole)).toBeUndefined();
    expect(textOf(whole)).toBe("Once more.");
    expect(whole).toContainEqual({ kind: "finish", finish: { reason: "length", raw: "length" } });
    const bytes = Buffer.from(stream(answer));
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 6 }), (cuts) => {
        const { events, raw } = decodeStream(bytes, cuts);
        expect(breachOf(events)).toBeUndefined();
        expect(textOf(events)).toBe("Once more.");
        expect(events.at(-1)).toEqual({ kind: "end" });
        expect(raw).toBe(bytes.toString());
      }),
    );
  });

  it("that is cut is none", () => {
    const bytes = Buffer.from(stream(answer));
    const { events } = decodeStream(bytes.subarray(0, bytes.indexOf("more")), []);
    expect(events.at(-1)).toMatchObject({ kind: "failed", failure: { kind: "truncated_response" } });
  });

  it("to several prompts is the first one's for the record, and none is missing", () => {
    const choices = ["one", "two"].map((text, index) => ({ text, index, logprobs: null, finish_reason: "stop" }));
    const body = { id: "c", object: "text_completion", model: "m", choices };
    const events = decodeAnswer(Buffer.from(JSON.stringify(body)), decodeOptions);
    expect(textOf(events)).toBe("one");
    expect(events.at(-1)).toEqual({ kind: "end" });
  });
});

describe("the body of another operation on its way to a provider", () => {
  const target: EncodeTarget = {
    model: "gpt-x",
    issuer: "openai",
    quirks: plainChatQuirks,
    streamed: false,
    operation: "complete",
  };

  function edited(body: object, to: Partial<EncodeTarget> = {}): ReturnType<typeof operationEdits> {
    const bytes = Buffer.from(JSON.stringify(body));
    const scan = scanFields(bytes, { maxDepth: 9 });
    if ("problem" in scan) throw new Error(scan.problem);
    return operationEdits(scan, bytes, { ...target, ...to });
  }

  it("gets the target's name and loses our own fields, and nothing else", () => {
    const { edits, warnings } = edited({ model: "main", prompt: "a", hedgerow: {}, fallbacks: [], x_own: 1 });
    expect(Object.fromEntries(edits)).toStrictEqual({ model: '"gpt-x"', hedgerow: undefined, fallbacks: undefined });
    expect(warnings).toEqual([]);
    expect(edited({ model: "gpt-x", prompt: "a" }).edits.size).toBe(0);
  });

  it("asks for usage in a completion's stream alone", () => {
    expect(edited({ model: "gpt-x", stream: true }, { streamed: true })).toMatchObject({ usageAdded: true });
    expect(
      edited({ model: "gpt-x", stream: true, stream_options: { include_usage: true } }, { streamed: true }),
    ).toMatchObject({
      usageAdded: false,
    });
    const silent = { ...plainChatQuirks, streamUsage: "never" as const };
    expect(edited({ model: "gpt-x", stream: true }, { streamed: true, quirks: silent }).usageAdded).toBe(false);
    expect(edited({ model: "gpt-x", input: "a" }, { operation: "embed", streamed: true }).edits.size).toBe(0);
  });

  it("loses hints that the server refuses, with a warning", () => {
    const quirks = { ...plainChatQuirks, refusedFields: ["user", "prompt"] };
    const { edits, warnings } = edited({ model: "gpt-x", user: "u", prompt: "a" }, { quirks });
    expect(Object.fromEntries(edits)).toStrictEqual({ user: undefined });
    expect(warnings).toEqual([expect.stringMatching(/^refused-hint: .*user/u)]);
  });
});

function textOf(events: readonly AnswerEvent[]): string {
  return events.map((event) => (event.kind === "text-delta" ? event.text : "")).join("");
}

function decodeStream(
  bytes: Buffer,
  cuts: readonly number[],
): { readonly events: AnswerEvent[]; readonly raw: string } {
  const events: AnswerEvent[] = [];
  let raw = "";
  const decoder = streamDecoder(decodeOptions, (frame) => {
    events.push(...frame.events);
    raw += Buffer.from(frame.raw).toString();
  });
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    decoder.push(bytes.subarray(from, to));
    from = to;
  }
  decoder.end();
  return { events, raw };
}
