import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FirstLanguage } from "../world/first-languages.ts";
import type { CallRecord } from "#domain/record";
import { chatStreamFaults } from "../replay/chat-grammar.ts";
import { meaningOfChatAnswer, meaningOfChatStream } from "../replay/chat-meaning.ts";
import { messagesStreamFaults } from "../replay/messages-grammar.ts";
import { meaningOfMessage, meaningOfMessagesStream } from "../replay/messages-meaning.ts";
import { readSse } from "../replay/sse-messages.ts";
import { cutAnswers, cutStreams } from "./cut-streams.ts";
import {
  forAll,
  healthyText,
  startCutWorld,
  ways,
  type CutWorld,
  type Heard,
  type Lane,
  type Way,
} from "./cut-world.ts";

/** What a client takes for the end of a whole answer. */
const completion: Readonly<Record<FirstLanguage, RegExp>> = {
  "openai-chat": /\[DONE\]|"finish_reason": ?"/u,
  "anthropic-messages": /message_stop|"stop_reason": ?"/u,
};
const preamble: Readonly<Record<FirstLanguage, RegExp>> = {
  "openai-chat": /"role":"assistant"/gu,
  "anthropic-messages": /^event: message_start$/gmu,
};
const textOf = {
  "openai-chat": (body: string) => meaningOfChatStream(body).text,
  "anthropic-messages": (body: string) => meaningOfMessagesStream(body).text,
} as const;
const wholeTextOf = {
  "openai-chat": (body: string) => meaningOfChatAnswer(body).text,
  "anthropic-messages": (body: string) => meaningOfMessage(body).text,
} as const;

function faultsOf(caller: FirstLanguage, body: string): readonly string[] {
  return caller === "openai-chat" ? chatStreamFaults(body, { usageAsked: false }) : messagesStreamFaults(body);
}

function expectErrorLast(caller: FirstLanguage, body: string): void {
  const last = readSse(body).at(-1);
  expect(body.endsWith(last?.raw ?? "-")).toBe(true);
  const error = JSON.parse(last?.data ?? "{}") as object;
  if (caller === "openai-chat") expect(error).toMatchObject({ error: { code: "upstream_truncated" } });
  else expect([last?.event, error]).toMatchObject(["error", { type: "error", error: { type: expect.any(String) } }]);
}

interface Case extends Lane {
  readonly way: Way;
  readonly offset: number;
}

/**
 * Which of the three honest ends a call had. A reset throws away what its receiver has not read yet, so a stream that
 * was reset may look cut earlier than it was, and never later.
 */
function judge({ caller, upstream, way, offset }: Case, heard: Heard): CallRecord["decision"] {
  const { text, contentMay, contentMust, finishMay, finishMust } = cutStreams[upstream];
  const { status, body, whole } = heard;
  expect([status, whole]).toEqual([200, true]);
  const said = textOf[caller](body);
  if (said === healthyText) {
    expect(faultsOf(caller, body)).toEqual([]);
    expect(body.match(preamble[caller])).toHaveLength(1);
    if (way !== "rst") expect(offset).toBeLessThan(contentMust);
    return "recovered";
  }
  expect(offset).toBeGreaterThanOrEqual(contentMay);
  expect(text.startsWith(said)).toBe(true);
  expect(said).not.toBe("");
  expect(body.match(preamble[caller])).toHaveLength(1);
  if (completion[caller].test(body)) {
    expect(offset).toBeGreaterThanOrEqual(finishMay);
    expect(said).toBe(text);
    expect(faultsOf(caller, body)).toEqual([]);
    return "answered";
  }
  if (way !== "rst") expect(offset).toBeLessThan(finishMust);
  expectErrorLast(caller, body);
  return "broken";
}

/** Iterates a stream with the official SDK: its text, or what it raised. */
async function withOfficialSdk(caller: FirstLanguage, url: string, model: string): Promise<string | Error> {
  const messages = [{ role: "user" as const, content: "hi" }];
  let text = "";
  try {
    if (caller === "openai-chat") {
      const client = new OpenAI({ apiKey: "k", baseURL: `${url}/v1`, maxRetries: 0 });
      const stream = await client.chat.completions.create({ model, messages, stream: true });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      return text;
    }
    const client = new Anthropic({ apiKey: "k", baseURL: url, maxRetries: 0 });
    const message = await client.messages.stream({ model, max_tokens: 100, messages }).finalMessage();
    return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
  } catch (raised) {
    return raised as Error;
  }
}

const lanes: readonly Lane[] = [
  { caller: "openai-chat", upstream: "openai-chat" },
  { caller: "openai-chat", upstream: "anthropic-messages" },
  { caller: "anthropic-messages", upstream: "anthropic-messages" },
  { caller: "anthropic-messages", upstream: "openai-chat" },
];

describe.each(lanes)("a caller of $caller whose provider speaks $upstream and is cut at every byte", (lane) => {
  const { caller, upstream } = lane;
  const { bytes, contentMay, finishMay, finishMust } = cutStreams[upstream];
  const length = Buffer.byteLength(bytes);
  let world: CutWorld;

  beforeAll(async () => {
    world = await startCutWorld(lane);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  function recordsOf(route: string): readonly CallRecord[] {
    return world.gateway.records.filter((record) => record.route === route);
  }

  it.each(ways)(
    "gets one whole answer, or an honest error inside the stream: %s",
    { timeout: 180_000 },
    async (way) => {
      const decisions = new Map<string, CallRecord["decision"]>();
      await forAll(
        Array.from({ length: length + 1 }, (_, offset) => offset),
        async (offset) => {
          const route = `${way}-${offset}`;
          const heard = await world.ask(route, true);
          decisions.set(
            route,
            saying(`${route}: ${heard.body}`, () => judge({ ...lane, way, offset }, heard)),
          );
        },
      );
      // Each end was seen: no cut was too early or too late to matter.
      expect(new Set(decisions.values())).toEqual(new Set(["recovered", "broken", "answered"]));
      const recorded = world.gateway.records.filter(({ route }) => decisions.has(route));
      expect(recorded).toHaveLength(length + 1);
      const outcomes = { recovered: ["failed", "answered"], broken: ["broken"], answered: ["answered"] };
      for (const record of recorded) {
        const decision = decisions.get(record.route);
        expect(record.decision, record.route).toBe(decision);
        expect(record.attempts.map(({ outcome }) => outcome)).toEqual(outcomes[decision as keyof typeof outcomes]);
      }
    },
  );

  it.each(ways)(
    "gets an error and no answer where nobody else could be asked: %s",
    { timeout: 180_000 },
    async (way) => {
      await forAll(
        Array.from({ length: contentMay }, (_, offset) => offset),
        async (offset) => {
          const route = `lone-${way}-${offset}`;
          const { status, body, whole } = await world.ask(route, true);
          saying(`${route}: ${status} ${body}`, () => {
            expect([status, whole]).toEqual([502, true]);
            expect(body).not.toMatch(completion[caller]);
            expect(JSON.parse(body)).toMatchObject({ error: { type: expect.any(String) } });
            expect(recordsOf(route)).toMatchObject([{ decision: "failed", committed: false }]);
          });
        },
      );
    },
  );

  it.each(ways)("hears of it through the official SDK: %s", { timeout: 180_000 }, async (way) => {
    const sample = Array.from({ length: Math.ceil(length / 7) }, (_, index) => index * 7);
    await forAll(sample, async (offset) => {
      const route = `lone-${way}-${offset}`;
      const got = await withOfficialSdk(caller, world.gateway.url, route);
      saying(`${route}: ${String(got)}`, () => {
        if (offset < finishMay)
          expect(got).toBeInstanceOf(caller === "openai-chat" ? OpenAI.APIError : Anthropic.APIError);
        else if (offset >= finishMust && way !== "rst") expect(got).toBe(cutStreams[upstream].text);
      });
    });
  });

  it.each(ways)("never gets a part of an answer in one piece: %s", { timeout: 180_000 }, async (way) => {
    const offsets = Array.from({ length: Buffer.byteLength(cutAnswers[upstream]) }, (_, offset) => offset);
    await forAll(offsets, async (offset) => {
      const route = `${way}-${offset}`;
      const { status, body, whole } = await world.ask(route, false);
      saying(`${route}: ${status} ${body}`, () => {
        expect([status, whole]).toEqual([200, true]);
        expect(wholeTextOf[caller](body)).toBe(healthyText);
      });
    });
    const records = world.gateway.records.filter((record) => !record.streamed && record.route.startsWith(way));
    expect(records).toHaveLength(offsets.length);
    for (const record of records) expect(record.decision, record.route).toBe("recovered");
  });
});

/** Puts the case before what an assertion says. */
function saying<Result>(what: string, check: () => Result): Result {
  try {
    return check();
  } catch (failed) {
    if (failed instanceof Error) failed.message = `${what}\n${failed.message}`;
    throw failed;
  }
}
