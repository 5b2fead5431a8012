import { describe, expect, it } from "vitest";
import { dialects, isSpoken, upstreamDialects } from "#dialects/registry";
import type { DialectId } from "#domain/call";
import { processMemory } from "#pipeline/process-memory";
import { sampleTraits } from "../world/sample-snapshot.ts";
import { everyRecording, ownRecordings, type AnyRecording } from "./every-recording.ts";
import { firstTurn, type FirstTurn } from "./histories/first-turn.ts";
import { keepers } from "./histories/index.ts";
import type { Keeper } from "./histories/keeper.ts";
import { readHistory, turnsOf } from "./histories/read-history.ts";
import { objectOf, type JsonView } from "./json-view.ts";
import { languages } from "./languages/index.ts";
import { openLane, type Asking } from "./open-lane.ts";
import { findFixtures } from "./recordings.ts";

const fixtures = findFixtures("replay of recorded histories");
const recorded = fixtures === undefined ? [] : everyRecording(fixtures);
const recordings = [...ownRecordings(), ...recorded].filter(({ dialect }) => isSpoken(dialect));

/**
 * Streams that the official client of their own language refuses when they are relayed, byte for byte, as their provider
 * wrote them.
 */
const unreadable =
  /^(?:05480|05482)-|mistral|own chat-tools-all-index-zero|anthropic-fallback-tool-call|github-copilot-id-rotation|openai-apply-patch|duplicate-message/u;

/** Tools that the provider ran itself, and what only its own language can say: no other provider can go on from it. */
function isOwnAlone({ bytes }: AnyRecording): boolean {
  return /"(?:functionResponse|server_tool_use|tool_search_call|tool_search_output|compaction|program|mcp_tool_use)"/u.test(
    bytes.toString(),
  );
}

/** Seals of other vendors stand bare in a relay of another's language: nobody can tell whose they are. */
const othersSeals = /^xai |stream-a-refusal/u;

/** Of answers without anything sealed, which differ in words alone, one in so many is replayed. */
const step = 4;

function isSealed({ known }: FirstTurn): boolean {
  return [...known.calls, ...known.thoughts].some(({ seal }) => seal !== "");
}

let turns: Promise<readonly FirstTurn[]> | undefined;

/** Read once for all clients. */
function firstTurns(): Promise<readonly FirstTurn[]> {
  turns ??= readTurns();
  return turns;
}

async function readTurns(): Promise<readonly FirstTurn[]> {
  const read: FirstTurn[] = [];
  for (const [index, recording] of recordings.entries()) {
    const turn = unreadable.test(recording.name) ? undefined : await firstTurn(recording);
    if (turn !== undefined && (isSealed(turn) || index % step === 0)) read.push(turn);
  }
  return read;
}

interface SecondTurn {
  /** What the client stored of the answer. */
  readonly kept: readonly JsonView[];
  readonly asking: Omit<Asking, "body">;
  readonly body: JsonView;
}

/** The answer as a client gets it, stored by its SDK, and the request with which it goes on. */
async function secondTurn(turn: FirstTurn, keeper: Keeper): Promise<SecondTurn> {
  const { recording, frames, events, said, quirks, issuer } = turn;
  const { streamed, dialect } = recording;
  const memory = processMemory(Date.now);
  const first = keeper.ask([...new Set(said.tools.map(({ name }) => name))], streamed);
  const asking = {
    caller: keeper.dialect,
    upstream: dialect,
    issuer,
    streamed,
    quirks,
    memory,
    ...(first.address === undefined ? {} : { address: first.address }),
  };
  const lane = openLane({ ...asking, body: first.body });
  const bytes = Buffer.from(
    streamed
      ? Buffer.concat(frames.map((frame) => lane.renderFrame(frame)))
      : (lane.renderAnswer(recording.bytes, events) ?? []),
  );
  lane.thoughts?.keep(memory, "anonymous");
  const language = languages[keeper.dialect];
  const heard = streamed ? language.readStream(bytes) : language.readWhole(bytes);
  const outcomes = heard.tools.map(({ id, name }) => ({ id, name, text: "42" }));
  const kept = await keeper.keep(bytes, streamed);
  return { asking, kept, body: await keeper.goOn(first.body, kept, outcomes) };
}

/** What a caller of this client's language can bring back. */
function expectedBack(
  { known, recording }: FirstTurn,
  title: string,
  { asking, kept }: SecondTurn,
): FirstTurn["known"] {
  const isForgetful = title.includes("without a place");
  const isRelay = asking.caller === recording.dialect;
  // Nobody remembers for callers who get the provider's own bytes, nor where no call leads back to the thought.
  const isForgotten = isForgetful && (isRelay || known.calls.length === 0);
  const calls = isForgetful && isRelay ? known.calls.map((call) => ({ ...call, seal: "" })) : known.calls;
  // OpenAI's stream helper keeps the last piece of what it does not know, of a relay as it is, else made whole again.
  const isHelped = asking.caller === "openai-chat" && asking.streamed;
  const last = isHelped && known.calls.length === 0 ? known.thoughts.slice(-1) : known.thoughts;
  const thoughts = isRelay && asking.caller === "openai-chat" ? readHistory(asking.caller, kept).thoughts : last;
  return { ...known, calls, ...(isForgotten ? { thoughts: [], beginsThinking: false } : { thoughts }) };
}

/** One failing other target: all of its languages, and a model known to be another vendor's. */
function expectNothingCarried(turn: FirstTurn, { asking, body }: SecondTurn, title: string): void {
  const { known, recording } = turn;
  const seals = [...known.calls, ...known.thoughts].map(({ seal }) => seal);
  const secrets = [...seals, ...known.thoughts.map(({ text }) => JSON.stringify(text).slice(1, 60))];
  for (const other of Object.keys(upstreamDialects) as readonly DialectId[]) {
    // Nobody but Google speaks its language, and its clients' bare signatures are always Google's.
    if (other === "gemini" && asking.caller === "gemini") continue;
    const target = { upstream: other, issuer: "globex", traits: sampleTraits("globex/other", 100_000) };
    const sent = Buffer.concat(openLane({ ...asking, ...target, body }).body).toString();
    const leaked = secrets.find((secret) => secret.length > 20 && sent.includes(secret));
    expect(leaked, `${recording.name} of ${title} to ${other}`).toBeUndefined();
    // The gateway's own marks are no provider's business.
    expect(/hedgerow:|aGVkZ2Vyb3c6/u.test(sent), `a mark in ${sent}`).toBe(false);
    const { calls, answered } = readHistory(other, turnsOf(objectOf(JSON.parse(sent))));
    expect(calls.map(({ name }) => name)).toEqual(known.calls.map(({ name }) => name));
    const ids = calls.map(({ id, name }) => (id === "" ? name : id));
    expect(answered, `results of ${title} to ${other}`).toEqual(ids);
  }
}

describe.each(keepers)("a conversation kept by %s", (title, keeper) => {
  it(
    "brings ids, arguments, seals and thoughts back to their provider exactly, and none of the sealed to another",
    { timeout: 120_000 },
    async () => {
      const counts = { turns: 0, sealed: 0, calls: 0 };
      for (const turn of await firstTurns()) {
        const { recording } = turn;
        const isArray = recording.dialect === "gemini" && recording.bytes.toString().startsWith("[");
        // The official client asks for no array.
        if (isArray && keeper.dialect === "gemini") continue;
        const second = await secondTurn(turn, keeper);
        const sent = Buffer.concat(openLane({ ...second.asking, body: second.body }).body).toString();
        const found = readHistory(recording.dialect, turnsOf(objectOf(JSON.parse(sent))));
        counts.turns += 1;
        counts.calls += found.calls.length;
        counts.sealed += [...found.calls, ...found.thoughts].filter(({ seal }) => seal !== "").length;
        if (isOwnAlone(recording)) continue;
        const back = expectedBack(turn, title, second);
        // Empty texts in front of a thought are no loss.
        const expected = { ...back, beginsThinking: back.beginsThinking || found.beginsThinking };
        expect(found, `${recording.name}: ${sent}`).toEqual(expected);
        if (!othersSeals.test(recording.name)) expectNothingCarried(turn, second, title);
      }
      console.info(`${title}: ${counts.turns} answers, ${counts.calls} calls, ${counts.sealed} seals brought back`);
      const [calls, sealed] = fixtures === undefined ? [10, 5] : [200, 75];
      expect(counts.calls).toBeGreaterThan(calls);
      expect(counts.sealed).toBeGreaterThan(sealed);
    },
  );
});

it("knows a client of every language that clients speak", () => {
  const known = new Set(keepers.map(([, { dialect }]) => dialect as string));
  expect(Object.keys(dialects).filter((id) => !known.has(id))).toEqual([]);
});
