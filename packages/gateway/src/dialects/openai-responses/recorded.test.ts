import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import { openaiResponses } from "#dialects/openai-responses/index";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";

interface Recording {
  readonly id: string;
  readonly request: { readonly json: Readonly<Record<string, unknown>> };
  readonly response: { readonly status: number; readonly text: string };
}

const root = process.env["HEDGEROW_SHARED"] ?? join(import.meta.dirname, "../../../../../../shared");
const file = join(root, "fixtures/normalised/openai-responses.jsonl.gz");
const vendors = join(root, "fixtures/vercel__ai/packages");
const captures = join(root, "fixtures/client-captures");
const isThere = [file, vendors, captures].every((path) => existsSync(path));
if (!isThere)
  console.info(`skipped: no recordings of openai-responses under ${root}; set HEDGEROW_SHARED to replay them`);

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
  const decoder = openaiResponses.streamDecoder(options, (frame) => {
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

interface Wire {
  readonly type: string;
  readonly response?: {
    readonly output?: readonly Readonly<Record<string, unknown>>[];
    readonly usage?: Readonly<Record<string, number>>;
  };
}

function wireOf(text: string): readonly Wire[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice("data: ".length)) as Wire);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Text, thoughts and arguments, put together. */
function contentOf(events: readonly AnswerEvent[]): readonly string[] {
  const said = new Map<number, string>();
  const add = (block: number, text: string): unknown => said.set(block, (said.get(block) ?? "") + text);
  for (const event of events) {
    if (event.kind === "text-delta" || event.kind === "reasoning-delta") add(event.block, event.text);
    if (event.kind === "tool-start") add(event.block, `${event.id} ${event.name} `);
    if (event.kind === "tool-delta") add(event.block, event.json);
  }
  return [...said.values()];
}

/** The same of a whole response, which every stream's last event repeats. */
function contentOfOutput(output: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  return output.flatMap((item) => {
    const list = (name: string): readonly { readonly text: string }[] => {
      return (item[name] ?? []) as readonly { readonly text: string }[];
    };
    if (item["type"] === "message") return list("content").map(({ text }) => text);
    if (item["type"] === "function_call") {
      return [`${String(item["call_id"])} ${String(item["name"])} ${String(item["arguments"])}`];
    }
    const thought = list("summary")
      .map(({ text }) => text)
      .join("\n\n");
    return item["type"] === "reasoning" && thought !== "" ? [thought] : [];
  });
}

describe.skipIf(!isThere)("recorded Responses exchanges with real providers", () => {
  const all = isThere
    ? gunzipSync(readFileSync(file))
        .toString("utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Recording)
        .filter(({ response }) => response.status === 200)
    : [];
  const streams = all.filter(({ response }) => /^(?:event|data):/u.test(response.text));
  const answers = all.filter(({ response }) => response.text.startsWith("{"));

  it("are there in number", () => {
    expect(streams.length).toBeGreaterThan(30);
    expect(answers.length).toBeGreaterThan(30);
  });

  it("decode to what the last event repeats, the same for every split, relayed byte for byte", () => {
    for (const { id, response } of streams) {
      const whole = replay(response.text, 0);
      expect(breachOf(whole.events), id).toBeUndefined();
      expect(whole.events.at(-1), id).toEqual({ kind: "end" });
      expect(whole.raw, id).toBe(response.text);
      const last = wireOf(response.text).at(-1)?.response;
      expect(contentOf(whole.events), id).toEqual(contentOfOutput(last?.output ?? []));
      const usage = whole.events.find((event) => event.kind === "usage")?.usage;
      expect((usage?.inputUncached ?? 0) + (usage?.cacheRead ?? 0), id).toBe(last?.usage?.["input_tokens"]);
      expect((usage?.output ?? 0) + (usage?.reasoning ?? 0), id).toBe(last?.usage?.["output_tokens"]);
      for (const seed of [1, 2, 3]) expect(replay(response.text, seed).events, id).toEqual(whole.events);
    }
  });

  it("never give a truncated stream a clean end", () => {
    for (const { id, response } of streams) {
      const last = response.text.lastIndexOf("data: {");
      for (const part of [0.1, 0.5, 0.9, 1]) {
        const { events } = replay(response.text.slice(0, Math.floor((last + 7) * part)), 5);
        expect(events.at(-1), id).toMatchObject({ kind: "failed", failure: { kind: "truncated_response" } });
      }
    }
  });

  it("decode whole answers", () => {
    for (const { id, response } of answers) {
      const events = openaiResponses.decodeAnswer(Buffer.from(response.text), options);
      expect(breachOf(events), `${id} ${JSON.stringify(events.at(-1))}`).toBeUndefined();
      expect(events.at(-1), id).toEqual({ kind: "end" });
      const { output } = JSON.parse(response.text) as { readonly output: readonly Readonly<Record<string, unknown>>[] };
      expect(contentOf(events), id).toEqual(contentOfOutput(output));
    }
  });

  it("decode requests, and encode them for OpenAI with nothing lost", () => {
    for (const { id, request } of all) {
      const decoded = openaiResponses.decodeRequest(request.json, {});
      expect(decoded.kind, `${id} ${JSON.stringify(decoded)}`.slice(0, 500)).toBe("decoded");
      if (decoded.kind !== "decoded") continue;
      const target = { model: "gpt-5", issuer: "openai", quirks: plainChatQuirks, streamed: false };
      const encoded = openaiResponses.encodeRequest(decoded.request, target);
      expect(encoded.kind === "encoded" && encoded.warnings, id).toEqual([]);
      const items = (body: unknown): unknown => (body as { readonly input: readonly unknown[] }).input.length;
      const sent = encoded.kind === "encoded" ? JSON.parse(Buffer.from(encoded.body).toString()) : {};
      expect(items(sent), id).toBe(items(request.json));
    }
  });

  it("are understood from every vendor whose chunks were collected", () => {
    let seen = 0;
    for (const vendor of readdirSync(vendors)) {
      const folders = ["src/responses/__fixtures__", "src/__fixtures__"].map((path) => join(vendors, vendor, path));
      for (const folder of folders.filter((path) => existsSync(path))) {
        for (const name of readdirSync(folder).filter((each) => each.endsWith(".chunks.txt"))) {
          const chunks = readFileSync(join(folder, name), "utf8")
            .split("\n")
            .filter((line) => line.startsWith("{"));
          const isCollectedWhole = chunks.every((chunk) => isJson(chunk));
          if (chunks[0]?.includes('"response.created"') !== true || !isCollectedWhole) continue;
          seen += 1;
          const { events } = replay(chunks.map((chunk) => `data: ${chunk}\n\n`).join(""), 0);
          expect(breachOf(events), `${vendor} ${name} ${JSON.stringify(events.at(-1))}`).toBeUndefined();
          const isWhole = chunks.some((chunk) => /"type": ?"response\.(?:completed|incomplete)"/u.test(chunk));
          expect(events.at(-1)?.kind, `${vendor} ${name}`).toBe(isWhole ? "end" : "failed");
        }
      }
    }
    expect(seen).toBeGreaterThan(20);
  });

  it("take every captured client's request", () => {
    let seen = 0;
    for (const name of ["cli-flows.jsonl", "sdk-flows.jsonl"]) {
      for (const line of readFileSync(join(captures, name), "utf8").trim().split("\n")) {
        const { url, body, client } = JSON.parse(line) as { url: string; body: unknown; client: string };
        if (!url.includes("/responses")) continue;
        seen += 1;
        const json: unknown = typeof body === "string" ? JSON.parse(body) : body;
        expect(openaiResponses.decodeRequest(json, {}).kind, `${client} ${url}`).toBe("decoded");
      }
    }
    expect(seen).toBeGreaterThan(8);
  });
});
