import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { breachOf } from "#dialects/answer-grammar";
import { openaiChat } from "#dialects/openai-chat/index";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";

interface Recording {
  readonly id: string;
  readonly request: { readonly json: Readonly<Record<string, unknown>> };
  readonly response: { readonly status: number; readonly text: string };
}

const root = process.env["HEDGEROW_SHARED"] ?? join(import.meta.dirname, "../../../../../../shared");
const file = join(root, "fixtures/normalised/openai-chat.jsonl.gz");
const isThere = existsSync(file);
if (!isThere) console.info(`skipped: no recordings of openai-chat at ${file}; set HEDGEROW_SHARED to replay them`);

function recordings(): Recording[] {
  const lines = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Recording);
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
  let raw = "";
  const decoder = openaiChat.streamDecoder(options, (frame) => {
    events.push(...frame.events);
    raw += Buffer.from(frame.raw).toString("latin1");
  });
  const below = randoms(seed);
  for (let at = 0; at < bytes.length;) {
    const next = seed === 0 ? bytes.length : Math.min(bytes.length, at + 1 + below(400));
    decoder.push(bytes.subarray(at, next));
    at = next;
  }
  decoder.end();
  return { events, raw: Buffer.from(raw, "latin1").toString("utf8") };
}

describe.skipIf(!isThere)("recorded exchanges with real providers", () => {
  const all = isThere ? recordings().filter(({ response }) => response.status === 200) : [];
  const streams = all.filter(({ response }) => /^(?:data|:)/u.test(response.text));
  const answers = all.filter(({ response }) => response.text.startsWith("{"));

  it("are there in number", () => {
    expect(streams.length).toBeGreaterThan(100);
    expect(answers.length).toBeGreaterThan(100);
  });

  it("decode to a whole answer with usage and nothing foreign, the same for every split, relayed byte for byte", () => {
    for (const { id, request, response } of streams) {
      const whole = replay(response.text, 0);
      expect(breachOf(whole.events), id).toBeUndefined();
      expect(whole.events.at(-1), id).toEqual({ kind: "end" });
      expect(
        whole.events.some((event) => event.kind === "foreign"),
        id,
      ).toBe(false);
      if (request.json["stream_options"] !== undefined)
        expect(
          whole.events.some((event) => event.kind === "usage"),
          id,
        ).toBe(true);
      expect(response.text.startsWith(whole.raw), id).toBe(true);
      for (const seed of [1, 2, 3]) expect(replay(response.text, seed).events, id).toEqual(whole.events);
    }
  });

  it("give a truncated stream no clean end, wherever it is cut before its finish", () => {
    for (const { id, response } of streams.slice(0, 40)) {
      const finish = response.text.search(/"finish_reason": ?"/u);
      for (const part of [0.1, 0.5, 0.9]) {
        const { events } = replay(response.text.slice(0, Math.floor(finish * part)), 5);
        expect(events.at(-1)?.kind, id).toBe("failed");
      }
    }
  });

  it("decode whole answers", () => {
    for (const { id, response } of answers) {
      const events = openaiChat.decodeAnswer(Buffer.from(response.text), options);
      expect(breachOf(events), `${id} ${JSON.stringify(events.at(-1))}`).toBeUndefined();
      expect(events.at(-1), id).toEqual({ kind: "end" });
    }
  });

  it("decode requests", () => {
    for (const { id, request } of all) {
      const decoded = openaiChat.decodeRequest(request.json, {});
      expect(decoded.kind, `${id} ${JSON.stringify(decoded)}`.slice(0, 500)).toBe("decoded");
    }
  });
});
