import { describe, expect, it } from "vitest";
import { isSpoken, upstreamDialects } from "#dialects/registry";
import { playStream, playWhole, type Heard } from "./every-lane.ts";
import { everyRecording, ownRecordings, type AnyRecording } from "./every-recording.ts";
import { readEventFrames } from "./languages/event-frames.ts";
import { chunksOf } from "./languages/gemini.ts";
import { decoding } from "./open-lane.ts";
import { findFixtures } from "./recordings.ts";
import { readSse } from "./sse-messages.ts";
import { typeFaults, type TypedJson } from "./vendor-types.ts";

/** Every event of a stream, as its type in the official client has it. */
function eventsIn({ client, bytes }: Heard): readonly unknown[] {
  if (client.dialect === "bedrock-converse") return readEventFrames(bytes).map(({ type, json }) => ({ [type]: json }));
  if (client.dialect === "gemini") return chunksOf(bytes.toString());
  // Anthropic documents pings, and its types leave them out.
  return readSse(bytes.toString()).flatMap(({ event, data }) =>
    event !== "ping" && data?.startsWith("{") === true ? [JSON.parse(data) as unknown] : [],
  );
}

function answersOf(recording: AnyRecording): readonly TypedJson[] {
  const { name, dialect, streamed, bytes } = recording;
  const played = streamed ? playStream(recording, [bytes]) : undefined;
  const events = played?.events ?? upstreamDialects[dialect].decodeAnswer(bytes, decoding);
  if (events.at(-1)?.kind !== "end") return [];
  const translated = (heard: readonly Heard[]): readonly Heard[] => heard.filter(({ isRelay }) => !isRelay);
  return [
    ...translated(played?.heard ?? []).flatMap((each) =>
      eventsIn(each).map((json): TypedJson => ({ dialect: each.client.dialect, kind: "event", json, name })),
    ),
    ...translated(playWhole(recording, events)).map(({ client, bytes: written }): TypedJson => {
      return { dialect: client.dialect, kind: "whole", json: JSON.parse(written.toString()), name };
    }),
  ];
}

const fixtures = findFixtures("answers against the vendors' own types");
const recorded = fixtures === undefined ? [] : everyRecording(fixtures);
const all = [...ownRecordings(), ...recorded].filter(({ dialect }) => isSpoken(dialect));

describe("answers against the types of the vendors' own clients", () => {
  it(
    "are told apart by the compiler: a wrong word, a missing field and a wrong kind are found",
    { timeout: 60_000 },
    () => {
      const whole = (stopReason: unknown, more: object = { metrics: { latencyMs: 1 } }): TypedJson => {
        const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
        const output = { message: { role: "assistant", content: [{ text: "x" }] } };
        return {
          dialect: "bedrock-converse",
          kind: "whole",
          json: { output, stopReason, usage, ...more },
          name: "made",
        };
      };
      expect(typeFaults([whole("end_turn")])).toEqual([]);
      expect(typeFaults([whole("end_of_turn"), whole(7), whole("end_turn", {})])).toHaveLength(3);
    },
  );

  it("fit, each event of a stream and each whole answer", { timeout: 120_000 }, () => {
    const answers = all.flatMap(answersOf);
    expect(answers.length).toBeGreaterThan(fixtures === undefined ? 500 : 100_000);
    expect(typeFaults(answers)).toEqual([]);
  });
});
