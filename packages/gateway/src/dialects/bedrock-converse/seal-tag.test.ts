import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerEvent } from "#domain/answer";
import { decodeRequest } from "./decode-request.ts";
import { encodeAnswer } from "./encode-answer.ts";
import { blobOf, textOf } from "./seal-tag.ts";

describe("seals", () => {
  it.each(["anthropic", "xai"])("of %s say in the next turn who can read them", (issuer) => {
    const events: AnswerEvent[] = [
      { kind: "start", id: "a", model: "m" },
      { kind: "reasoning-start", block: 0 },
      { kind: "reasoning-delta", block: 0, text: "hm" },
      { kind: "reasoning-signature", block: 0, signature: "c2ln" },
      { kind: "reasoning-end", block: 0 },
      { kind: "reasoning-start", block: 1, redacted: "sealed" },
      { kind: "reasoning-end", block: 1 },
      { kind: "finish", finish: { reason: "stop" } },
      { kind: "end" },
    ];
    const bytes = encodeAnswer(events, { fallbackId: "r", model: "m", createdAtS: 0, includeUsage: true, issuer });
    const { output } = JSON.parse(Buffer.from(bytes ?? "").toString()) as { output: { message: unknown } };
    const decoded = decodeRequest({ messages: [{ role: "user", content: [{ text: "q" }] }, output.message] });
    if (decoded.kind !== "decoded") throw new Error(decoded.failure.message);
    expect(decoded.request.turns[1]?.parts).toEqual([
      { kind: "reasoning", text: "hm", seal: { issuer, form: "signature", value: "c2ln" } },
      { kind: "reasoning", text: "", seal: { issuer, form: "redacted", value: "sealed" } },
    ]);
  });

  it("keep any bytes, whether or not they are a text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const blob = Buffer.from(bytes).toString("base64");
          expect(blobOf(textOf(blob))).toBe(blob);
        },
      ),
    );
    expect(textOf(Buffer.from("EmwK").toString("base64"))).toBe("EmwK");
    expect(blobOf(textOf(Buffer.from("blob:x").toString("base64")))).toBe(Buffer.from("blob:x").toString("base64"));
  });
});
