import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import type { Part, Turn } from "#domain/request";
import { decodeAnswer, streamDecoder } from "./decode-answer.ts";
import { decodeRequest } from "./decode-request.ts";
import { streamEncoder } from "./encode-answer.ts";
import { encodeRequest } from "./encode-request.ts";

const shared = process.env["HEDGEROW_SHARED"] ?? resolve(import.meta.dirname, "../../../../../../shared");
const recordings = join(shared, "fixtures/normalised/anthropic-messages.jsonl.gz");
const chunks = join(shared, "fixtures/vercel__ai/packages/anthropic/src/__fixtures__");
const present = existsSync(recordings) && existsSync(chunks);
if (!present) console.log(`recordings of real providers were not found under ${shared}: their replay is skipped`);

const decoding = {
  classify: (complaint: unknown) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 4 * 1024 * 1024,
};

interface Recording {
  readonly id: string;
  readonly request: { readonly json: { readonly stream?: boolean } };
  readonly response: { readonly status: number; readonly text: string };
}

function replayed(
  text: string,
  cuts: readonly number[],
): { readonly events: readonly AnswerEvent[]; readonly raw: string } {
  const bytes = Buffer.from(text);
  const events: AnswerEvent[] = [];
  const raw: Buffer[] = [];
  const decoder = streamDecoder(decoding, (frame) => {
    events.push(...frame.events);
    raw.push(Buffer.from(frame.raw));
  });
  let from = 0;
  for (const cut of cuts.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    decoder.push(bytes.subarray(from, cut));
    from = cut;
  }
  decoder.push(bytes.subarray(from));
  decoder.end();
  return { events, raw: Buffer.concat(raw).toString() };
}

/** Text, thoughts and arguments, put together. */
function contentOf(events: readonly AnswerEvent[]): readonly string[] {
  const said = new Map<number, string>();
  for (const event of events) {
    if (event.kind === "text-delta" || event.kind === "reasoning-delta")
      said.set(event.block, (said.get(event.block) ?? "") + event.text);
    if (event.kind === "tool-start") said.set(event.block, `${event.id} ${event.name} `);
    if (event.kind === "tool-delta") said.set(event.block, (said.get(event.block) ?? "") + event.json);
  }
  return [...said.values()];
}

const anyCuts = fc.array(fc.nat(10_000_000), { maxLength: 30 });

describe.skipIf(!present)("recorded Messages traffic", () => {
  const lines = present
    ? gunzipSync(readFileSync(recordings))
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
  const recorded = lines.map((line) => JSON.parse(line) as Recording);

  it.each(recorded.filter((one) => one.request.json.stream === true).map((one) => [one.id, one] as const))(
    "replays the stream %s cut anywhere",
    (_id, { response }) => {
      const whole = replayed(response.text, []);
      expect(whole.events.at(-1)).toEqual({ kind: "end" });
      expect(whole.raw).toBe(response.text);
      expect(whole.events.filter((event) => event.kind === "finish")).toHaveLength(1);
      fc.assert(
        fc.property(anyCuts, (cuts) => {
          expect(replayed(response.text, cuts)).toEqual(whole);
        }),
        { numRuns: 5 },
      );
      const encoder = streamEncoder({
        fallbackId: "r",
        model: "m",
        createdAtS: 0,
        includeUsage: true,
        issuer: "anthropic",
      });
      const written = whole.events.map((event) => encoder.encode(event)).join("");
      expect(contentOf(replayed(written, []).events)).toEqual(contentOf(whole.events));
    },
  );

  it.each(recorded.filter((one) => one.request.json.stream !== true).map((one) => [one.id, one] as const))(
    "reads the whole answer %s",
    (_id, { response }) => {
      const events = decodeAnswer(Buffer.from(response.text), decoding);
      expect(events.at(-1)).toEqual({ kind: "end" });
      expect(contentOf(events).length).toBeGreaterThan(0);
    },
  );

  it.each(recorded.map((one) => [one.id, one] as const))("reads and writes the request %s", (_id, { request }) => {
    const decoded = decodeRequest(request.json);
    expect(decoded.kind).toBe("decoded");
    if (decoded.kind !== "decoded") return;
    const model = decoded.request.model;
    const encoded = encodeRequest(decoded.request, {
      model,
      issuer: "anthropic",
      quirks: plainChatQuirks,
      streamed: decoded.request.streamed,
    });
    expect(encoded.kind).toBe("encoded");
    if (encoded.kind !== "encoded") return;
    const again = decodeRequest(JSON.parse(Buffer.from(encoded.body).toString()));
    const parts = (turns: readonly Turn[]): readonly Part[] =>
      turns.flatMap((turn) => turn.parts).filter((part) => part.kind !== "text" || part.text.trim() !== "");
    expect(again.kind === "decoded" && parts(again.request.turns)).toHaveLength(parts(decoded.request.turns).length);
  });

  const captures = ["sdk-flows.jsonl", "cli-flows.jsonl"].flatMap((name) => {
    const file = join(shared, "fixtures/client-captures", name);
    return existsSync(file)
      ? readFileSync(file, "utf8")
          .split("\n")
          .filter((line) => line !== "")
      : [];
  });
  const asked = captures
    .map((line) => JSON.parse(line) as { client: string; url: string; body: unknown })
    .filter(({ url }) => /^\/v1\/messages(?:\?|$)/u.test(url));

  it.each(asked.map((one, index) => [`${index} ${one.client}`, one.body] as const))(
    "understands what the real client %s sends",
    (_client, body) => {
      expect(decodeRequest(body)).toMatchObject({ kind: "decoded" });
    },
  );

  const files = present ? readdirSync(chunks).filter((name) => name.endsWith(".chunks.txt")) : [];
  it.each(files)("replays the stream of %s", (name) => {
    const text = readFileSync(join(chunks, name), "utf8")
      .split("\n")
      .filter((line) => line.startsWith('{"type":'))
      .map((line) => `data: ${line}\n\n`)
      .join("");
    const { events } = replayed(text, []);
    const last = events.at(-1);
    if (name.startsWith("spliced"))
      expect(last).toMatchObject({ kind: "failed", failure: { kind: "bad_upstream_response" } });
    else expect(last).toEqual({ kind: "end" });
    expect(events.filter((event) => event.kind === "end" || event.kind === "failed")).toHaveLength(1);
  });
});
