import Anthropic from "@anthropic-ai/sdk";
import { ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { GoogleGenAI } from "@google/genai";
import { createServer, type Server } from "node:http";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dialects } from "#dialects/registry";
import type { LateMembers } from "#dialects/dialect";
import type { AnswerEvent } from "#domain/answer";
import type { ClientDialectId } from "#domain/call";
import { failure } from "#domain/failure";
import { emptyUsage } from "#domain/usage";
import { amazonClient } from "../e2e/amazon-client.ts";
import { decoding, openLane } from "../replay/open-lane.ts";

const late: LateMembers = { confidence_score: 0.91, confidence: { score: 0.91, decision: "accepted" } };
const ids = Object.keys(dialects) as ClientDialectId[];

const said: readonly AnswerEvent[] = [
  { kind: "start", id: "a_1", model: "m", createdAtS: 1 },
  { kind: "text-start", block: 0 },
  { kind: "text-delta", block: 0, text: "h}i" },
  { kind: "text-end", block: 0 },
  { kind: "finish", finish: { reason: "stop" } },
  { kind: "usage", usage: { ...emptyUsage, inputUncached: 1, output: 1 } },
];

/** A stream as a gated one is: silence filled before its first event, and what is known late at its end. */
function gatedStream(id: ClientDialectId): Buffer {
  const dialect = dialects[id];
  const encoder = dialect.streamEncoder({
    fallbackId: "req_1",
    model: "m",
    createdAtS: 1,
    includeUsage: false,
    issuer: "x",
  });
  const beat = Buffer.from(dialect.heartbeat);
  const body = said.map((event) => Buffer.from(encoder.encode(event)));
  const last = dialect.attachFacts(Buffer.from(encoder.encode({ kind: "end" })), late);
  return Buffer.concat([beat, beat, ...body.flatMap((piece) => [piece, beat]), last]);
}

let server: Server;
let url = "";

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    const path = request.url ?? "";
    const id = ids.find((each) => pathSigns[each].test(path)) ?? "openai-chat";
    const type = dialects[id].streamContentType?.(undefined) ?? "text/event-stream";
    response.writeHead(200, { "content-type": type, "x-hedgerow-confidence": "0.91" });
    response.end(gatedStream(id));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const pathSigns: Readonly<Record<ClientDialectId, RegExp>> = {
  "openai-chat": /chat\/completions/u,
  "openai-responses": /responses/u,
  "anthropic-messages": /messages/u,
  gemini: /GenerateContent/u,
  "bedrock-converse": /converse-stream/u,
};
const messages = [{ role: "user" as const, content: "hi" }];

describe("the confidence of a stream that was held", () => {
  it("arrives with OpenAI's SDK in the last chunk, and does not disturb what its helper puts together", async () => {
    const client = new OpenAI({ apiKey: "k", baseURL: url, maxRetries: 0 });
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({ model: "m", messages, stream: true })) {
      chunks.push(chunk);
    }
    expect(chunks.at(-1)).toMatchObject(late);
    const whole = await client.chat.completions.stream({ model: "m", messages }).finalChatCompletion();
    expect(whole).toMatchObject({ choices: [{ message: { content: "h}i" }, finish_reason: "stop" }] });
  });

  it("arrives with OpenAI's SDK for Responses, in the event and in the response", async () => {
    const client = new OpenAI({ apiKey: "k", baseURL: url, maxRetries: 0 });
    const stream = client.responses.stream({ model: "m", input: "hi" });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: "response.completed", ...late, response: late });
    expect(await stream.finalResponse()).toMatchObject({ ...late, output_text: "h}i" });
  });

  it("arrives with Anthropic's SDK", async () => {
    const client = new Anthropic({ apiKey: "k", baseURL: url, maxRetries: 0 });
    const stream = client.messages.stream({ model: "m", max_tokens: 9, messages });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: "message_stop", ...late });
    expect(await stream.finalMessage()).toMatchObject({ content: [{ text: "h}i" }], stop_reason: "end_turn" });
  });

  it("disturbs Google's SDK no more than it arrives with it: it hands on what it knows, and the header", async () => {
    const { models } = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: url } });
    let text = "";
    let header: string | undefined;
    for await (const chunk of await models.generateContentStream({ model: "m", contents: "hi" })) {
      text += chunk.text ?? "";
      header = chunk.sdkHttpResponse?.headers?.["x-hedgerow-confidence"] ?? header;
    }
    expect([text, header]).toEqual(["h}i", "0.91"]);
  });

  it("disturbs Amazon's SDK as little", async () => {
    const client = amazonClient(url);
    const asked = new ConverseStreamCommand({ modelId: "m", messages: [{ role: "user", content: [{ text: "hi" }] }] });
    const { stream } = await client.send(asked);
    const events = [];
    for await (const event of stream ?? []) events.push(event);
    expect(events.map((event) => event.contentBlockDelta?.delta?.text ?? "").join("")).toBe("h}i");
    expect(events.at(-1)?.metadata?.usage?.outputTokens).toBe(1);
  });
});

describe("attachFacts", () => {
  it.each(ids)("changes nothing of %s where there is nothing to attach", (id) => {
    const encoder = dialects[id].streamEncoder({
      fallbackId: "req_1",
      model: "m",
      createdAtS: 1,
      includeUsage: true,
      issuer: "x",
    });
    for (const event of said) encoder.encode(event);
    const last = Buffer.from(encoder.encode({ kind: "end" }));
    expect(Buffer.from(dialects[id].attachFacts(last, {})).equals(last)).toBe(true);
  });

  it.each([
    'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","n":1.0 },"sequence_number":9}\n\n',
    'event: response.completed\r\ndata: { "response": {"n":1.0}, "type":"response.completed" }\r\n\r\n',
    'data: {"type":"a","response":{"x":1}}\n\ndata: {"type":"b","response":{"text":"\\ndata: {"}}\n\ndata: [DONE]\n\n',
  ])("keeps every other byte of a response's last event: %j", (terminal) => {
    const attached = Buffer.from(
      dialects["openai-responses"].attachFacts(Buffer.from(terminal), { ...late, hedgerow: { a: 1 } }),
    ).toString();
    const members = JSON.stringify(late).slice(1, -1);
    expect(attached.split(members)).toHaveLength(3);
    expect(attached.split('"hedgerow":{"a":1}')).toHaveLength(2);
    expect(
      attached.replace(`"hedgerow":{"a":1},`, "").replace(`,"hedgerow":{"a":1}`, "").replaceAll(`,${members}`, ""),
    ).toBe(terminal);
  });

  it("leaves alone a response's event without a response", () => {
    const odd = Buffer.from("data: [DONE]\n\n");
    expect(dialects["openai-responses"].attachFacts(odd, late)).toBe(odd);
  });
});

/** What a caller of chat gets piece by piece of a stream that something is attached to. */
function relayed(stream: string, attaches: boolean): readonly string[] {
  const lane = openLane({
    caller: "openai-chat",
    upstream: "openai-chat",
    issuer: "x",
    streamed: true,
    body: { model: "m", messages, stream: true },
    ...(attaches ? { attaches: true } : {}),
  });
  const pieces: string[] = [];
  const decoder = lane.upstream.streamDecoder(decoding, (frame) => {
    const bytes = lane.renderFrame(frame);
    const last = frame.terminal && attaches ? dialects["openai-chat"].attachFacts(bytes, late) : bytes;
    pieces.push(Buffer.from(last).toString());
  });
  decoder.push(Buffer.from(stream));
  decoder.end();
  return pieces;
}

const chunk = (choice: object | undefined, more: object = {}): string =>
  `data: ${JSON.stringify({ id: "c", choices: choice === undefined ? [] : [{ index: 0, ...choice }], ...more })}\n\n`;
const text = chunk({ delta: { content: 'x "finish_reason":"stop"' }, finish_reason: null });
const empty = chunk({ delta: { content: "y" }, finish_reason: "" });
const finish = chunk({ delta: {}, finish_reason: "stop" });
const usage = chunk(undefined, { usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } });
const done = "data: [DONE]\n\n";

describe("a chat's last chunk", () => {
  it("waits for the end where something is attached, so that no caller gets a chunk without a choice for it", () => {
    const pieces = relayed(text + empty + finish + usage + done, true);
    // Usage was asked for by us alone.
    expect(pieces.slice(0, 4)).toEqual([text, empty, "", ""]);
    expect(pieces[4]).toBe(`${finish.slice(0, -3)},${JSON.stringify(late).slice(1, -1)}}\n\n${done}`);
  });

  it("is passed on at once where nothing is", () => {
    expect(relayed(text + finish + usage + done, false)).toEqual([text, finish, "", done]);
  });

  it("is not kept behind more than a few others", () => {
    const long = chunk(undefined, { usage: null, padding: "p".repeat(40_000) });
    const pieces = relayed(text + finish + long + long + done, true);
    expect(pieces.slice(0, 4)).toEqual([text, "", "", finish + long + long]);
    expect(pieces[4]).toContain('"choices":[],"confidence_score":0.91');
  });

  it("never leaves of a stream that breaks behind it", () => {
    const pieces = relayed(`${text}${finish}data: {"error":{"message":"broken"}}\n\n`, true);
    expect(pieces.join("")).not.toContain('"finish_reason":"stop"}]');
  });
});

describe("failures of calls that nobody was sure of", () => {
  it.each(ids)("name the review and the best answer in %s", (id) => {
    const why = failure("low_confidence", "Nobody was sure enough; manual intervention is required.");
    const facts = { requestId: "req_1", retryable: false, attempts: [], reviewId: "rev_1", bestAnswer: { text: "hi" } };
    const whole = dialects[id].encodeFailure(why, facts);
    const body = JSON.parse(Buffer.from(whole.body).toString()) as { error: { metadata: object } };
    expect(whole.status).toBe(422);
    expect(body.error.metadata).toMatchObject({ review_id: "rev_1", best_answer: { text: "hi" } });
    expect(JSON.stringify(body)).toContain("manual intervention is required");
    const streamed = Buffer.from(dialects[id].encodeStreamFailure(why, facts)).toString();
    expect(streamed).toContain('"review_id":"rev_1","best_answer":{"text":"hi"}');
    const { reviewId: _, bestAnswer: __, ...plain } = facts;
    expect(Buffer.from(dialects[id].encodeFailure(why, plain).body).toString()).not.toMatch(/review_id|best_answer/u);
  });
});
