import { describe, expect, it } from "vitest";
import { upstreamDialects } from "#dialects/registry";
import type { AnswerFrame } from "#dialects/dialect";
import { failure } from "#domain/failure";
import { plainChatQuirks } from "#domain/quirks";
import { findKind } from "#providers/kinds";
import { everyRecording } from "./every-recording.ts";
import { findFixtures } from "./recordings.ts";

const maxFrameBytes = 1 << 24;
const classify = (complaint: unknown) => failure("upstream_failed", JSON.stringify(complaint));

/** The bytes in pieces of these sizes, again and again. */
function pieces(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

const splits = [[1 << 24], [1], [11, 3, 250], [4096, 17]];

function unwrapped(chunks: readonly Buffer[]): Buffer {
  const said: Buffer[] = [];
  const unwrapping = findKind("bedrock")
    ?.unwrap?.("anthropic-messages")
    ?.open({
      maxFrameBytes,
      onBytes: (bytes) => said.push(Buffer.from(bytes)),
      onComplaint: (complaint) => expect.unreachable(JSON.stringify(complaint)),
      onBroken: (why) => expect.unreachable(why),
    });
  for (const chunk of chunks) unwrapping?.push(chunk);
  unwrapping?.end();
  return Buffer.concat(said);
}

function frames(chunks: readonly Buffer[]): readonly AnswerFrame[] {
  const seen: AnswerFrame[] = [];
  const options = { classify, quirks: plainChatQuirks, maxEventBytes: maxFrameBytes };
  const decoder = upstreamDialects["bedrock-converse"].streamDecoder(options, (frame) => seen.push(frame));
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return seen;
}

const root = findFixtures("replay of recorded frames of Bedrock");

describe.skipIf(root === undefined)("recorded streams of Bedrock", () => {
  const recordings = root === undefined ? [] : everyRecording(root);
  const invoked = recordings.filter(({ wire }) => wire !== undefined);
  const converse = recordings.filter(({ dialect, streamed, name }) => {
    return dialect === "bedrock-converse" && streamed && name.endsWith(".hex");
  });

  it("are there in number", () => {
    expect(invoked.length).toBeGreaterThanOrEqual(10);
    expect(converse.length).toBeGreaterThanOrEqual(2);
  });

  it.each(invoked)("$name: the frames come off, however they are split", ({ wire, bytes }) => {
    for (const sizes of splits) {
      expect(unwrapped(pieces(wire ?? Buffer.alloc(0), sizes)).equals(bytes)).toBe(true);
    }
  });

  it.each(converse)("$name: is whole, relayed byte for byte, and the same however it is split", ({ bytes }) => {
    const expected = frames([bytes]).flatMap(({ events }) => events);
    expect(expected.at(-1)).toEqual({ kind: "end" });
    expect(expected.find(({ kind }) => kind === "usage")).toBeDefined();
    for (const sizes of splits) {
      const seen = frames(pieces(bytes, sizes));
      expect(seen.flatMap(({ events }) => events)).toEqual(expected);
      expect(Buffer.concat(seen.map(({ raw }) => raw)).equals(bytes)).toBe(true);
      expect(seen.filter(({ terminal }) => terminal)).toEqual([seen.at(-1)]);
    }
  });

  it.each(converse)("$name: cut before its stop it has failed, in a hundred places", ({ bytes }) => {
    const end = bytes.indexOf("messageStop");
    const step = Math.ceil(end / 97);
    for (let cut = 0; cut < end; cut += step) {
      const last = frames([bytes.subarray(0, cut)])
        .at(-1)
        ?.events.at(-1);
      expect(last, `cut at ${cut}`).toMatchObject({ kind: "failed", failure: { kind: "truncated_response" } });
    }
  });
});
