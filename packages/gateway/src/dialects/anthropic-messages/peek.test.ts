import { describe, expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import { editFields, scanFields } from "#wire/json-splice";
import type { EncodeTarget } from "#dialects/dialect";
import { encodeFailure } from "./encode-failure.ts";
import { peek, relayEdits } from "./peek.ts";

const target: EncodeTarget = { model: "claude-opus-5-5", issuer: "anthropic", quirks: plainChatQuirks, streamed: true };

function scanned(text: string): {
  body: Uint8Array;
  scan: Exclude<ReturnType<typeof scanFields>, { problem: string }>;
} {
  const body = Buffer.from(text);
  const scan = scanFields(body, { maxDepth: 64 });
  if ("problem" in scan) throw new Error(scan.problem);
  return { body, scan };
}

function relayed(text: string, issuer = "anthropic"): string {
  const { body, scan } = scanned(text);
  const { edits, usageAdded } = relayEdits(scan, body, { ...target, issuer });
  expect(usageAdded).toBe(false);
  return Buffer.from(editFields(body, scan, edits)).toString();
}

describe("peek of Messages", () => {
  it("reads model, chain, stream and the gateway's options", () => {
    const { body, scan } = scanned('{"model":["a","b"],"stream":true,"hedgerow":{"metadata":true},"messages":[]}');
    expect(peek(body, scan)).toMatchObject({
      kind: "peeked",
      model: "a",
      streamed: true,
      options: { chain: ["a", "b"], metadata: true },
    });
  });

  it("refuses a repeated field that two parsers could read differently", () => {
    const { body, scan } = scanned('{"model":"a","max_tokens":1,"max_tokens":2}');
    expect(peek(body, scan)).toMatchObject({ kind: "refused", failure: { param: "max_tokens" } });
  });
});

describe("a conversation the provider is to hold", () => {
  it.each(['{"type":"create"}', '{"type":"continue","previous_message_id":"msg_1"}'])("is refused: %s", (thread) => {
    const { body, scan } = scanned(`{"model":"a","max_tokens":1,"messages":[],"thread":${thread}}`);
    const peeked = peek(body, scan);
    expect(peeked).toMatchObject({ kind: "refused", failure: { kind: "invalid_request", param: "thread" } });
    if (peeked.kind !== "refused") return;
    const { body: encoded } = encodeFailure(peeked.failure, { requestId: "req_1", retryable: false, attempts: [] });
    expect(JSON.parse(Buffer.from(encoded).toString())).toMatchObject({
      error: { type: "invalid_request_error", details: { error_code: "thread_unsupported_request" } },
    });
  });

  it("is not asked for by null", () => {
    const { body, scan } = scanned('{"model":"a","max_tokens":1,"messages":[],"thread":null}');
    expect(peek(body, scan)).toMatchObject({ kind: "peeked" });
  });
});

describe("relayEdits of Messages", () => {
  it("changes the model, takes the gateway's fields out, and leaves every other byte", () => {
    expect(
      relayed(
        '{ "model" : "mine", "hedgerow":{"metadata":true},"max_tokens": 1e2 ,"x":"\\u00e9",  "fallbacks":["b"], "n":1.0}',
      ),
    ).toBe('{ "model" : "claude-opus-5-5", "max_tokens": 1e2 ,"x":"\\u00e9",  "n":1.0}');
  });

  it("leaves messages alone where no seal was tagged by us", () => {
    const messages = '[ {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"c2ln"}]} ]';
    expect(relayed(`{"model":"m","messages":${messages}}`)).toContain(messages);
    const mention = '[ {"role":"user","content":"what is hedgerow: a hedge?"} ]';
    expect(relayed(`{"model":"m","messages":${mention}}`)).toContain(mention);
  });

  it("takes another vendor's thoughts out and gives the target's own their seal back", () => {
    const thought = (signature: string): object => ({ type: "thinking", thinking: "t", signature });
    const text = JSON.stringify({
      model: "m",
      messages: [
        { role: "user", content: "q" },
        { role: "assistant", content: [thought("hedgerow:google:R09P"), { type: "text", text: "a" }] },
        { role: "user", content: "q" },
        { role: "assistant", content: [{ type: "redacted_thinking", data: "hedgerow:google:UkVE" }] },
        { role: "user", content: "q" },
        { role: "assistant", content: [thought("b3du"), thought("hedgerow:deepseek:")] },
      ],
    });
    expect(JSON.parse(relayed(text))).toMatchObject({
      messages: [
        { content: "q" },
        { content: [{ type: "text" }] },
        { content: "q" },
        { content: "q" },
        { content: [{ signature: "b3du" }] },
      ],
    });
    expect(JSON.parse(relayed(text, "google"))).toMatchObject({
      messages: [
        {},
        { content: [{ signature: "R09P" }, { type: "text" }] },
        {},
        { content: [{ data: "UkVE" }] },
        {},
        { content: [{ signature: "b3du" }] },
      ],
    });
  });
});
