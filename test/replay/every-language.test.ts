import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import { dialects, isSpoken, upstreamDialects } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import { findKind } from "#providers/kinds";
import { checkHeard } from "./check-heard.ts";
import { playStream, playWhole, type Heard } from "./every-lane.ts";
import { everyRecording, ownRecordings, type AnyRecording } from "./every-recording.ts";
import { clients, languages } from "./languages/index.ts";
import { decoding } from "./open-lane.ts";
import { findFixtures } from "./recordings.ts";
import type { Said } from "./said.ts";

/** Answers nobody could read, which the decoder must refuse, and what makes them so. */
const refused: Readonly<Record<string, RegExp>> = {
  "anthropic spliced-message-start.chunks.txt": /second message_start/,
  "openai openai-error.1.chunks.txt": /insufficient_quota/,
  "05341-d5685d5d gemini": /NOT_FOUND/,
  // Its body was not recorded.
  "05363-9392b9ee gemini": /stream ended|is not complete|ended before/,
};

/** Streams whose relay is repaired on purpose: the official SDK would fail on what the provider sent twice. */
const repaired: ReadonlySet<string> = new Set(["anthropic duplicate-message-start.chunks.txt"]);

async function checkStream(recording: AnyRecording): Promise<void> {
  const { name, dialect, bytes } = recording;
  const { heard, events } = playStream(recording, [bytes]);
  if (isRefused(name, events)) return;
  expect(breachOf(events)).toBeUndefined();
  const said = languages[dialect].readStream(bytes);
  for (const each of heard) {
    if (each.isRelay) {
      if (!repaired.has(name)) expect(each.bytes.equals(bytes), `${each.title}: relayed byte for byte`).toBe(true);
      continue;
    }
    const { client } = each;
    const [faults, got] = [client.streamFaults(each.bytes), client.readStream(each.bytes)];
    checkHeard(each, said, { faults, got, kept: await client.accumulate(each.bytes) });
  }
  // The same answer in one piece says the same.
  for (const each of playWhole(recording, events)) await checkWhole(each, said);
}

async function checkWhole(each: Heard, said: Said): Promise<void> {
  const { client, bytes } = each;
  const [faults, got] = [client.wholeFaults(bytes), client.readWhole(bytes)];
  checkHeard(each, said, { faults, got, kept: await client.receive(bytes) });
}

async function checkAnswer(recording: AnyRecording): Promise<void> {
  const { name, dialect, bytes } = recording;
  const events = upstreamDialects[dialect].decodeAnswer(bytes, decoding);
  if (isRefused(name, events)) return;
  expect(breachOf(events)).toBeUndefined();
  const said = languages[dialect].readWhole(bytes);
  for (const each of playWhole(recording, events, bytes)) {
    if (each.isRelay) expect(each.bytes.equals(bytes), `${each.title}: relayed byte for byte`).toBe(true);
    else await checkWhole(each, said);
  }
}

function isRefused(name: string, events: readonly AnswerEvent[]): boolean {
  const last = events.at(-1);
  const why = refused[name];
  if (why === undefined) expect(last).toEqual({ kind: "end" });
  else expect(last).toMatchObject({ kind: "failed", failure: { message: expect.stringMatching(why) as string } });
  return why !== undefined;
}

const fixtures = findFixtures("replay of every recording through every client's language");
const recorded = fixtures === undefined ? [] : everyRecording(fixtures);
const all = [...ownRecordings(), ...recorded].filter(({ dialect }) => isSpoken(dialect));
const seed = Number(process.env["HEDGEROW_SEED"] ?? Date.now() % 2 ** 31);
const streams = all.filter(({ streamed }) => streamed);

it("knows every language that clients speak", () => {
  const known = new Set(clients.map(([, { dialect }]) => dialect as string));
  expect(Object.keys(dialects).filter((id) => !known.has(id))).toEqual([]);
});

describe("every recording of a provider, heard by every client", () => {
  it.skipIf(fixtures === undefined)("are there in number", () => {
    const counts = Object.entries(Object.groupBy(all, ({ dialect }) => dialect));
    console.info(
      counts.map(([dialect, list]) => `${dialect} ${list.length}`).join(", "),
      `through ${clients.length} clients`,
    );
    expect(all.length).toBeGreaterThan(950);
    // Of 733 exchanges, seven answers have no events: `unary-answers.test.ts` has them.
    expect(all.filter(({ name }) => /^\d{5}-/u.test(name)).length).toBe(733 - 7);
  });

  it.each(streams.map((stream) => [stream.name, stream] as const))(
    "%s: says the same in every language, streamed and whole, accepted by the official SDKs",
    (_name, stream) => checkStream(stream),
  );

  it.each(all.filter(({ streamed }) => !streamed).map((answer) => [answer.name, answer] as const))(
    "%s: says the same in every language, accepted by the official SDKs",
    (_name, answer) => checkAnswer(answer),
  );

  it("gives every client the same bytes wherever the network cuts a stream", { timeout: 120_000 }, () => {
    console.info(`${streams.length} streams cut at random; HEDGEROW_SEED=${seed} repeats it`);
    const sizes = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3000 }));
    const ways = fc.sample(fc.array(sizes, { minLength: 1, maxLength: 40 }), { seed, numRuns: streams.length * 2 });
    for (const [index, stream] of streams.entries()) {
      const whole = playStream(stream, [stream.bytes]);
      for (const way of ways.slice(index * 2, index * 2 + 2)) {
        const cut = playStream(stream, piecesOf(stream.bytes, way));
        for (const [at, { title, bytes }] of cut.heard.entries()) {
          if (whole.heard[at]?.bytes.equals(bytes) !== true) {
            expect.fail(`${stream.name} to ${title}, in pieces of ${way.join(", ")} bytes`);
          }
        }
      }
    }
  });
});

/** Cut somewhere: at random, and right before what the last frame holds. */
function* cutsOf(bytes: Buffer, random: readonly number[]): Generator<Buffer> {
  for (const part of random) yield bytes.subarray(0, Math.floor(bytes.length * part));
  yield bytes.subarray(0, bytes.length - 3);
}

it("completes a stream for no client where it was cut before its end", { timeout: 60_000 }, () => {
  const parts = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { seed, numRuns: streams.length * 2 });
  let failed = 0;
  for (const [index, stream] of streams.entries()) {
    for (const bytes of cutsOf(stream.bytes, parts.slice(index * 2, index * 2 + 2))) {
      const { heard, events } = playStream(stream, [bytes]);
      if (events.at(-1)?.kind !== "failed") continue;
      failed += 1;
      for (const { title, client, isRelay, bytes: told } of heard) {
        // A relay of a whole frame is the provider's own word, and may hold its finish before what completes it.
        if (!isRelay && client.completion.test(told.toString("latin1"))) {
          expect.fail(`${stream.name} cut after ${bytes.length} bytes is complete to ${title}`);
        }
      }
    }
  }
  expect(failed).toBeGreaterThan(streams.length);
});

const unwrapping = findKind("bedrock")?.unwrap?.("anthropic-messages");

it.skipIf(fixtures === undefined || unwrapping === undefined)(
  "reads what Bedrock wraps in its own frames, wherever they are cut",
  () => {
    const wrapped = streams.filter(({ wire }) => wire !== undefined);
    expect(wrapped.length).toBe(10);
    for (const { name, bytes, wire = Buffer.alloc(0) } of wrapped) {
      for (const size of [wire.length, 1, 7, 500]) {
        const got: Buffer[] = [];
        const fail = (what: unknown): never => expect.fail(`${name}: ${JSON.stringify(what)}`);
        const opened = unwrapping?.open({
          maxFrameBytes: decoding.maxEventBytes,
          onBytes: (piece) => got.push(Buffer.from(piece)),
          onComplaint: fail,
          onBroken: fail,
        });
        for (const piece of piecesOf(wire, [size])) opened?.push(piece);
        opened?.end();
        expect(languages["anthropic-messages"].readStream(Buffer.concat(got)), name).toEqual(
          languages["anthropic-messages"].readStream(bytes),
        );
      }
    }
  },
);

/** Pieces of these sizes, over and over. */
function* piecesOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
