import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { completionTokens, promptTokens } from "#domain/usage";
import { decodeCount } from "./count-tokens.ts";
import { decodeEmbed } from "./embed-contents.ts";
import { geminiUpstream } from "./upstream.ts";

interface Recording {
  readonly id: string;
  readonly request: { readonly url: string; readonly json: Readonly<Record<string, unknown>> };
  readonly response: { readonly status: number; readonly text: string };
}

const root = join(process.env["HEDGEROW_SHARED"] ?? join(import.meta.dirname, "../../../../../../shared"), "fixtures");
const normalised = join(root, "normalised");
const isThere = existsSync(join(normalised, "gemini.jsonl.gz"));
if (!isThere) console.info(`skipped: no recordings of gemini under ${root}; set HEDGEROW_SHARED to replay them`);

function recordings(file: string): readonly Recording[] {
  if (!isThere) return [];
  const lines = gunzipSync(readFileSync(join(normalised, file))).toString("utf8");
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Recording);
}

const options = {
  classify: (complaint: unknown) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 1 << 22,
};

/** A small linear congruential generator: the same cuts in every run. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

function replay(text: string, seed: number): { events: AnswerEvent[]; raw: string } {
  const bytes = Buffer.from(text);
  const events: AnswerEvent[] = [];
  const raw: Uint8Array[] = [];
  const decoder = geminiUpstream.streamDecoder(options, (frame) => {
    expect(frame.terminal).toBe(frame.events.at(-1)?.kind === "end");
    events.push(...frame.events);
    raw.push(frame.raw);
  });
  const below = randoms(seed);
  for (let at = 0; at < bytes.length;) {
    const next = seed === 0 ? bytes.length : Math.min(bytes.length, at + 1 + below(400));
    decoder.push(bytes.subarray(at, next));
    at = next;
  }
  decoder.end();
  return { events, raw: Buffer.concat(raw).toString("utf8") };
}

interface WirePart {
  readonly text?: string;
  readonly thought?: boolean;
  readonly thoughtSignature?: string;
  readonly functionCall?: {
    readonly name?: string;
    readonly args?: object;
    readonly partialArgs?: object;
  };
}

interface Chunk {
  readonly candidates?: readonly {
    readonly content?: { readonly parts?: readonly WirePart[] };
    readonly finishReason?: string;
  }[];
  readonly usageMetadata?: Readonly<Record<string, number>>;
}

/** The chunks of an answer in any of its three framings, read in the plainest way there is. */
function chunksOf(text: string): readonly Chunk[] {
  if (!text.startsWith("data:")) {
    const parsed = JSON.parse(text) as Chunk | readonly Chunk[];
    return Array.isArray(parsed) ? (parsed as readonly Chunk[]) : [parsed as Chunk];
  }
  return text
    .split(/\r?\n/u)
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice("data: ".length)) as Chunk);
}

function said(chunks: readonly Chunk[]): readonly unknown[] {
  const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
  const text = (thought: boolean): string =>
    parts
      .flatMap((part) => (part.text !== undefined && (part.thought ?? false) === thought ? [part.text] : []))
      .join("");
  const calls = parts.flatMap(({ functionCall }) => (functionCall?.name === undefined ? [] : [functionCall]));
  const isWhole = parts.every(({ functionCall }) => functionCall?.partialArgs === undefined);
  return [
    text(false),
    text(true),
    calls.map(({ name }) => name),
    isWhole ? calls.map(({ args }) => args ?? {}) : "in pieces",
    parts.flatMap(({ thoughtSignature }) => thoughtSignature ?? []),
  ];
}

function heard(events: readonly AnswerEvent[], inPieces: boolean): readonly unknown[] {
  const text = (kind: "text-delta" | "reasoning-delta"): string =>
    events.flatMap((event) => (event.kind === kind ? [event.text] : [])).join("");
  const calls = events.filter((event) => event.kind === "tool-start");
  const args = calls.map(({ block }) =>
    events.flatMap((event) => (event.kind === "tool-delta" && event.block === block ? [event.json] : [])).join(""),
  );
  return [
    text("text-delta"),
    text("reasoning-delta"),
    calls.map(({ name }) => name),
    inPieces ? "in pieces" : args.map((json) => JSON.parse(json === "" ? "{}" : json) as unknown),
    events.flatMap((event) => ("signature" in event ? [event.signature] : [])),
  ];
}

function expectWhole(events: readonly AnswerEvent[], chunks: readonly Chunk[]): void {
  expect(breachOf(events)).toBeUndefined();
  expect(events.at(-1)).toEqual({ kind: "end" });
  const wire = said(chunks);
  expect(heard(events, wire.includes("in pieces"))).toEqual(wire);
  const usage = events.findLast((event) => event.kind === "usage")?.usage;
  const counted = chunks.findLast(({ usageMetadata }) => usageMetadata !== undefined)?.usageMetadata;
  if (usage === undefined || counted === undefined) expect(usage).toEqual(counted);
  else expect(promptTokens(usage) + completionTokens(usage)).toBe(counted["totalTokenCount"]);
}

describe.skipIf(!isThere)("recorded Gemini exchanges with real providers", () => {
  const all = recordings("gemini.jsonl.gz").filter(({ response }) => response.status === 200 && response.text !== "");
  const streams = all.filter(({ response }) => /^(?:data:|\[)/u.test(response.text));

  it("are there in number, in all framings", () => {
    expect(all.length).toBeGreaterThan(200);
    expect(streams.filter(({ response }) => response.text.startsWith("[")).length).toBeGreaterThan(10);
  });

  it("say in events what they say, however the bytes are cut", () => {
    for (const { id, response } of streams) {
      const whole = replay(response.text, 0);
      expectWhole(whole.events, chunksOf(response.text));
      expect(whole.raw, id).toBe(response.text);
      for (const seed of [1, 2, 3]) {
        const cut = replay(response.text, seed);
        expect(cut, id).toEqual(whole);
      }
    }
  });

  it("say it in one piece too", () => {
    for (const { response } of all) {
      if (response.text.startsWith("data:")) continue;
      expectWhole(geminiUpstream.decodeAnswer(Buffer.from(response.text), options), chunksOf(response.text));
    }
  });

  it("call tools whatever the word for their finish", () => {
    const ends = all.flatMap(({ response }) => {
      const { events } = replay(response.text, 0);
      const finish = events.find((event) => event.kind === "finish")?.finish;
      // What a server of the provider's own answered is not for the caller to run.
      const isAnswered = response.text.includes('"functionResponse"');
      return events.some((event) => event.kind === "tool-start") ? [`${isAnswered} ${finish?.reason}`] : [];
    });
    expect(ends.length).toBeGreaterThan(60);
    expect(new Set(ends)).toEqual(new Set(["false tools", "true stop"]));
  });
});

describe.skipIf(!isThere)("recorded counts and embeddings", () => {
  it("are read", () => {
    for (const { response } of recordings("count-tokens.jsonl.gz").filter(({ request }) =>
      request.url.includes("gemini"),
    )) {
      expect(decodeCount(JSON.parse(response.text))).toBe(
        (JSON.parse(response.text) as { totalTokens: number }).totalTokens,
      );
    }
    const embeddings = recordings("gemini-embed.jsonl.gz");
    expect(embeddings.length).toBeGreaterThan(0);
    for (const { request, response } of embeddings) {
      const answer = decodeEmbed(JSON.parse(response.text));
      expect("vectors" in answer && answer.vectors.length).toBe((request.json["requests"] as unknown[]).length);
    }
  });
});

describe.skipIf(!isThere)("payloads of streams kept one a line", () => {
  const files = isThere ? globSync("vercel__ai/packages/google*/**/*.chunks.txt", { cwd: root }).toSorted() : [];

  it.each(files)("%s is a whole answer", (file) => {
    const lines = readFileSync(join(root, file), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
    if (!lines[0]?.includes('"candidates"')) return;
    const text = lines.map((line) => `data: ${line}\r\n\r\n`).join("");
    expectWhole(replay(text, 7).events, chunksOf(text));
  });
});
