import { describe, expect, it } from "vitest";
import { chatStreamFaults } from "./chat-grammar.ts";
import { meaningOfChatStream } from "./chat-meaning.ts";
import { randomPieces, singleBytes, twoPieces } from "./cuts.ts";
import { otherDialect, replay } from "./in-memory-lanes.ts";
import { objectOf, objectsOf } from "./json-view.ts";
import { expectedMeaning, type Meaning } from "./meaning.ts";
import { messagesStreamFaults } from "./messages-grammar.ts";
import { meaningOfMessagesStream } from "./messages-meaning.ts";
import { accumulate } from "./official-sdks.ts";
import { findFixtures, ownStreams, recordedStreams, type Recording } from "./recordings.ts";
import { readSse } from "./sse-messages.ts";

const meaningOf = { "openai-chat": meaningOfChatStream, "anthropic-messages": meaningOfMessagesStream } as const;

/** Streams no client could read, which the decoder must refuse, and what makes them so. */
const refused: Readonly<Record<string, RegExp>> = {
  "anthropic spliced-message-start.chunks.txt": /second message_start/,
};

/** Streams whose relay is repaired on purpose: the official SDK would fail on what the provider sent twice. */
const repaired: ReadonlySet<string> = new Set(["anthropic duplicate-message-start.chunks.txt"]);

/** Larger streams are cut at random only: each cut is one whole replay. */
const mostBytesForEveryCut = 2_500;

/** Language without the frames that are there only because usage was asked for. */
function withoutUsageFrames(text: string): string {
  const kept = readSse(text).filter(({ data }) => {
    if (data === undefined || !data.startsWith("{")) return true;
    const chunk = objectOf(JSON.parse(data));
    const hasUsage = typeof chunk["usage"] === "object" && chunk["usage"] !== null;
    return !(Array.isArray(chunk["choices"]) && objectsOf(chunk["choices"]).length === 0 && hasUsage);
  });
  return kept.map(({ raw }) => raw).join("");
}

function faultsOf(dialect: Recording["dialect"], text: string, usageAsked: boolean): readonly string[] {
  return dialect === "openai-chat" ? chatStreamFaults(text, { usageAsked }) : messagesStreamFaults(text);
}

/** OpenAI's accumulator keeps only the fields it knows; Anthropic's repairs half a tool call's arguments. */
function asOfficialSdk({ text, refusal, tools, usage, finish }: Meaning, expected: Meaning): Partial<Meaning> {
  const isWhole = !expected.tools.some((tool) => "broken" in objectOf(tool.arguments));
  return { text, refusal, usage, finish, ...(isWhole ? { tools } : {}) };
}

async function checkStream({ name, dialect, bytes }: Recording): Promise<void> {
  const text = bytes.toString("utf8");
  const whole = replay(dialect, [bytes]);
  if (refused[name] !== undefined) {
    expect(whole.failed?.message).toMatch(refused[name]);
    return;
  }
  expect(whole.failed).toBeUndefined();
  if (!repaired.has(name)) {
    expect(whole.relay).toBe(text);
    const unasked = replay(dialect, [bytes], false);
    expect(unasked.relay).toBe(dialect === "openai-chat" ? withoutUsageFrames(text) : text);
    expect(faultsOf(otherDialect[dialect], unasked.translation, false)).toEqual([]);
  }

  const other = otherDialect[dialect];
  expect(faultsOf(other, whole.translation, true)).toEqual([]);
  const expected = expectedMeaning(meaningOf[dialect](text), dialect);
  expect(meaningOf[other](whole.translation)).toEqual(expected);
  const accumulated = await accumulate(other, whole.translation);
  expect(asOfficialSdk(accumulated, expected)).toEqual(asOfficialSdk(expected, expected));
}

/** Wherever the network cuts the stream, both lanes give the same bytes; returns how many ways were tried. */
function checkCuts({ dialect, bytes }: Recording, random: number): number {
  const whole = replay(dialect, [bytes]);
  let ways = 0;
  const same = (pieces: Iterable<Uint8Array>, how: string): void => {
    const again = replay(dialect, pieces);
    ways += 1;
    // Comparing strings first: an assertion on each of 100,000 replays costs more than the replay.
    if (again.relay === whole.relay && again.translation === whole.translation) return;
    expect({ how, ...again }).toEqual({ how, ...whole });
  };
  same(singleBytes(bytes), "single bytes");
  for (let seed = 0; seed < random; seed += 1) same(randomPieces(bytes, seed), `random, seed ${seed}`);
  if (bytes.length > mostBytesForEveryCut) return ways;
  for (const pieces of twoPieces(bytes)) same(pieces, `two pieces, the first of ${pieces[0]?.length}`);
  return ways;
}

/** Wherever a stream ends, what was handed on is made of whole messages: the next thing written is read on its own. */
function checkPrefixes({ dialect, bytes }: Recording): void {
  for (let at = 0; at < bytes.length; at += 1) {
    const { relay, translation } = replay(dialect, [bytes.subarray(0, at)]);
    for (const text of [relay, translation]) {
      const messages = readSse(text).map(({ raw }) => raw);
      if (messages.join("") !== text) expect(text, `cut at ${at}`).toBe(messages.join(""));
    }
  }
}

function suite(streams: readonly Recording[]): void {
  it.each(streams.map((stream) => [stream.name, stream] as const))(
    "%s: relayed byte for byte, translated with the same meaning, accepted by the official SDK",
    (_name, stream) => checkStream(stream),
  );

  it("gives the same bytes wherever the network cuts a stream", { timeout: 120_000 }, () => {
    let ways = 0;
    for (const stream of streams) ways += checkCuts(stream, 8);
    console.info(`${streams.length} streams, ${ways} ways of cutting them`);
    expect(ways).toBeGreaterThanOrEqual(streams.length * 9);
  });

  it("hands on whole messages only, wherever a stream ends", { timeout: 120_000 }, () => {
    for (const stream of streams) if (stream.bytes.length <= mostBytesForEveryCut) checkPrefixes(stream);
  });
}

describe("own streams of both languages", () => {
  suite(ownStreams());
});

const fixtures = findFixtures("replay of recorded streams");
describe.skipIf(fixtures === undefined)("recorded streams of real providers", () => {
  const streams = fixtures === undefined ? [] : recordedStreams(fixtures);

  it("are there in number", () => {
    expect(streams.filter(({ dialect }) => dialect === "openai-chat").length).toBeGreaterThan(150);
    expect(streams.filter(({ dialect }) => dialect === "anthropic-messages").length).toBeGreaterThan(70);
  });

  suite(streams);
});
