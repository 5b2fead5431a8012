import { describe, expect, it } from "vitest";
import { dialects } from "#dialects/registry";
import type { ClientDialectId, Operation } from "#domain/call";
import { exchangesIn } from "./every-recording.ts";
import { objectOf, objectsOf, textOf, type JsonView } from "./json-view.ts";
import { openLane } from "./open-lane.ts";
import { findFixtures } from "./recordings.ts";

/** What was asked of Gemini and what it answered. */
interface Exchange {
  readonly name: string;
  readonly answer: Buffer;
}

const fixtures = findFixtures("replay of recorded counts and vectors");

function exchanges(file: string): readonly Exchange[] {
  if (fixtures === undefined) return [];
  return exchangesIn(fixtures, file).map((one) => ({
    name: textOf(one["id"]),
    answer: Buffer.from(textOf(objectOf(one["response"])["text"])),
  }));
}

/** The answer as a caller of this language gets it. */
function answerFor(
  caller: ClientDialectId,
  { operation, body }: { readonly operation: Operation; readonly body: JsonView },
  { answer }: Exchange,
): Buffer {
  const address = caller === "gemini" ? { model: "own-1", variant: "batch" } : {};
  const lane = openLane({
    caller,
    upstream: "gemini",
    issuer: "google",
    streamed: false,
    body,
    operation,
    address,
  });
  const read = lane.readUnary?.(JSON.parse(answer.toString()), answer);
  if (read === undefined || !("body" in read)) throw new Error(read?.message ?? "no such lane");
  return Buffer.from(read.body);
}

const counters: readonly (readonly [ClientDialectId, JsonView, string])[] = [
  ["openai-responses", { model: "own-1", input: "hi" }, "input_tokens"],
  ["anthropic-messages", { model: "own-1", messages: [{ role: "user", content: "hi" }] }, "input_tokens"],
  ["gemini", { contents: [{ role: "user", parts: [{ text: "hi" }] }] }, "totalTokens"],
  [
    "bedrock-converse",
    { input: { converse: { messages: [{ role: "user", content: [{ text: "hi" }] }] } } },
    "inputTokens",
  ],
];

describe.skipIf(fixtures === undefined)("recorded counts of tokens", () => {
  const counts = exchanges("count-tokens");

  it.each(counters.filter(([caller]) => Object.hasOwn(dialects, caller)))(
    "are the same to %s",
    (caller, asked, field) => {
      expect(counts.length).toBe(2);
      for (const each of counts) {
        const said = objectOf(
          JSON.parse(answerFor(caller, { operation: "count-tokens", body: asked }, each).toString()),
        );
        expect(said[field], each.name).toBe(objectOf(JSON.parse(each.answer.toString()))["totalTokens"]);
      }
    },
  );
});

/** OpenAI's clients unpack these themselves: little-endian single-precision numbers. */
function unpacked(base64: string): readonly number[] {
  const bytes = Buffer.from(base64, "base64");
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}

describe.skipIf(fixtures === undefined)("recorded vectors", () => {
  const recorded = exchanges("gemini-embed").map((each) => {
    const embeddings = objectsOf(objectOf(JSON.parse(each.answer.toString()))["embeddings"]);
    return { each, vectors: embeddings.map(({ values }) => values as readonly number[]) };
  });

  it("reach OpenAI's clients as numbers and packed", () => {
    expect(recorded.length).toBe(3);
    for (const { each, vectors } of recorded) {
      const input = vectors.map((_, at) => `text ${at}`);
      for (const encoding of ["float", "base64"]) {
        const asked = { model: "own-1", input, encoding_format: encoding };
        const said = objectOf(
          JSON.parse(answerFor("openai-chat", { operation: "embed", body: asked }, each).toString()),
        );
        const data = objectsOf(said["data"]);
        expect(data.map(({ index }) => index)).toEqual(vectors.map((_, at) => at));
        const got = data.map(({ embedding }) => (typeof embedding === "string" ? unpacked(embedding) : embedding));
        const expected =
          encoding === "float" ? vectors : vectors.map((numbers) => numbers.map((value) => Math.fround(value)));
        expect(got, each.name).toEqual(expected);
      }
    }
  });

  it.skipIf(!Object.hasOwn(dialects, "gemini"))("reach Gemini's clients byte for byte", () => {
    for (const { each, vectors } of recorded) {
      const requests = vectors.map(() => ({ model: "models/own-1", content: { parts: [{ text: "hi" }] } }));
      expect(answerFor("gemini", { operation: "embed", body: { requests } }, each).equals(each.answer), each.name).toBe(
        true,
      );
    }
  });
});

it.skipIf(fixtures === undefined)("leaves out of all recorded exchanges only two that no operation is for", () => {
  const rest = fixtures === undefined ? [] : exchangesIn(fixtures, "models");
  const urls = rest.map((one) => textOf(objectOf(one["request"])["url"]));
  expect(urls.every((url) => /:computeTokens$|\/models$/u.test(url.split("?", 1)[0] ?? ""))).toBe(true);
  expect(urls.length).toBe(2);
});
