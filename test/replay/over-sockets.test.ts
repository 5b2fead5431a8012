import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FirstLanguage } from "../world/first-languages.ts";
import { startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import { chatStreamFaults } from "./chat-grammar.ts";
import { meaningOfChatStream } from "./chat-meaning.ts";
import { otherDialect, replay } from "./in-memory-lanes.ts";
import { messagesStreamFaults } from "./messages-grammar.ts";
import { meaningOfMessagesStream } from "./messages-meaning.ts";
import { expectedMeaning, type Meaning } from "./meaning.ts";
import { findFixtures, ownStreams, recordedStreams, type Recording } from "./recordings.ts";

const fixtures = findFixtures("replay of recorded streams over sockets");
const streams = [...ownStreams(), ...(fixtures === undefined ? [] : recordedStreams(fixtures))];
const readable = streams.filter(({ dialect, bytes }) => replay(dialect, [bytes]).ended);
const meaningOf = { "openai-chat": meaningOfChatStream, "anthropic-messages": meaningOfMessagesStream } as const;
const paths = { "openai-chat": "/v1/chat/completions", "anthropic-messages": "/v1/messages" } as const;

/** A provider that answers the question `stream N` with recording N, in writes of a size that hits no frame border. */
function player(index: string): { status: number; headers: Record<string, string>; body: string; slice: number } {
  const bytes = readable[Number(index)]?.bytes ?? Buffer.alloc(0);
  const headers = { "content-type": "text/event-stream" };
  return { status: 200, headers, body: bytes.toString("utf8"), slice: Math.max(61, Math.ceil(bytes.length / 40)) };
}

/** Server tools alone: a caller of the other language would get nothing of it. */
function isSilent({ text, refusal, reasoning, seals, tools }: Meaning): boolean {
  return text + refusal + reasoning === "" && seals.length + tools.length === 0;
}

describe("every readable stream through a gateway over sockets", () => {
  let upstream: Upstream;
  let gateway: TestGateway;

  beforeAll(async () => {
    upstream = await startUpstream(({ lastUserText }) => player(lastUserText.replace("stream ", "")));
    const origin = upstream.url;
    gateway = await startGateway(
      [
        sampleProvider("chat", { origin, vendor: "acme" }),
        sampleProvider("messages", { origin, vendor: "anthropic", dialect: "anthropic-messages" }),
      ],
      [sampleRoute("openai-chat", ["chat/own-1"]), sampleRoute("anthropic-messages", ["messages/own-1"])],
    );
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function ask(caller: FirstLanguage, { dialect }: Recording, index: number): Promise<string> {
    const reply = await fetch(`${gateway.url}${paths[caller]}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: dialect,
        stream: true,
        ...(caller === "openai-chat" ? { stream_options: { include_usage: true } } : { max_tokens: 1000 }),
        messages: [{ role: "user", content: `stream ${index}` }],
      }),
    });
    expect(reply.status).toBe(200);
    return reply.text();
  }

  it("gives callers of the provider's language its very bytes", { timeout: 60_000 }, async () => {
    for (const [index, stream] of readable.entries()) {
      const bytes = await ask(stream.dialect, stream, index);
      expect(bytes, stream.name).toBe(replay(stream.dialect, [stream.bytes]).relay);
    }
  });

  it("gives callers of the other language a well-formed answer of the same meaning", { timeout: 60_000 }, async () => {
    for (const [index, stream] of readable.entries()) {
      const other = otherDialect[stream.dialect];
      const text = await ask(other, stream, index);
      const faults =
        other === "openai-chat" ? chatStreamFaults(text, { usageAsked: true }) : messagesStreamFaults(text);
      expect(faults, stream.name).toEqual([]);
      const said = meaningOf[stream.dialect](stream.bytes.toString("utf8"));
      expect(meaningOf[other](text), stream.name).toEqual(expectedMeaning(said, stream.dialect));
    }
  });

  it("records each call once, with the provider's usage, and asks again only where an answer says nothing", () => {
    expect(gateway.records).toHaveLength(readable.length * 2);
    for (const [at, record] of gateway.records.entries()) {
      const stream = readable[at % readable.length];
      if (stream === undefined) throw new Error("a record of no stream");
      const said = meaningOf[stream.dialect](stream.bytes.toString("utf8"));
      const isTranslated = record.dialect !== stream.dialect;
      const isEmpty = isTranslated && said.finish !== "refusal" && isSilent(said);
      const outcomes = Array.from(record.attempts, ({ outcome }) => outcome);
      expect(outcomes, stream.name).toEqual(isEmpty ? ["answered", "answered"] : ["answered"]);
      expect(record.decision, stream.name).toBe(isEmpty ? "recovered" : "answered");
      expect(record.usage?.estimated ?? true, stream.name).toBe(said.usage === undefined);
    }
  });
});
