import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { expect, it } from "vitest";
import { ok, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

/** Far more than the route waits before it asks somebody else, and than the second takes. */
const slowMs = 60_000;
/** Later than the second is asked, by so much that a busy machine has asked it, too. */
const lateMs = 1_500;
/** A busy machine may do nothing for so long; still far from `slowMs`. */
const patienceMs = 15_000;
const hedge = { afterMs: 150, share: 1, sideEffects: false };
const messages = [{ role: "user" as const, content: "Who?" }];
type Answer = readonly [text: string, provider: string | null, attempts: string | null];

const ways: readonly (readonly [string, (url: string) => Promise<Answer>])[] = [
  [
    "OpenAI, streamed",
    async (url) => {
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", maxRetries: 0 });
      const { data, response } = await client.chat.completions
        .create({ model: "main", messages, stream: true })
        .withResponse();
      let text = "";
      for await (const chunk of data) text += chunk.choices[0]?.delta.content ?? "";
      return [text, ...told(response)];
    },
  ],
  [
    "OpenAI, whole",
    async (url) => {
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", maxRetries: 0 });
      const { data, response } = await client.chat.completions.create({ model: "main", messages }).withResponse();
      return [data.choices[0]?.message.content ?? "", ...told(response)];
    },
  ],
  [
    "Anthropic, streamed",
    async (url) => {
      const client = new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0 });
      const stream = client.messages.stream({ model: "main", max_tokens: 100, messages });
      const { data, response } = await stream.withResponse();
      return [await data.finalText(), ...told(response)];
    },
  ],
  [
    "Anthropic, whole",
    async (url) => {
      const client = new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0 });
      const { data, response } = await client.messages
        .create({ model: "main", max_tokens: 100, messages })
        .withResponse();
      const [first] = data.content;
      return [first?.type === "text" ? first.text : "", ...told(response)];
    },
  ],
];

function told({ headers }: Response): readonly [string | null, string | null] {
  return [headers.get("x-hedgerow-provider"), headers.get("x-hedgerow-attempts")];
}

it.each(ways)(
  "answers from the second provider while the first is slow, and lets the first go: %s",
  { timeout: 90_000 },
  async (_, ask) => {
    await using slow = await startUpstream(() => ok("from the slow one", { delayMs: slowMs }));
    await using quick = await startUpstream(() => ok("from the quick one"));
    await using gateway = await startGateway(
      [
        { ...providerAt("one", "openai", slow.url), operator: "alpha" },
        { ...providerAt("two", "anthropic", quick.url), operator: "beta" },
      ],
      [sampleRoute("main", ["one/gpt-4.1", "two/claude-sonnet-5"], { hedge })],
    );
    const startedMs = performance.now();
    expect(await ask(gateway.url)).toEqual(["from the quick one", "two", "2"]);
    expect(performance.now() - startedMs).toBeLessThan(slowMs / 2);
    const [record] = await gateway.recorded(1);
    expect(record?.decision).toBe("recovered");
    const [first, second] = record?.attempts ?? [];
    expect(first).toMatchObject({ target: "one/gpt-4.1", outcome: "outrun", usage: { estimated: true } });
    expect(second).toMatchObject({ target: "two/claude-sonnet-5", outcome: "answered" });
    // From the first content of the one to the end of the other. That it is the same moment is shown in virtual time.
    expect((first?.endedMs ?? slowMs) - (second?.firstContentMs ?? 0)).toBeLessThan(1_000);
    await expect.poll(() => slow.log.last?.state, { timeout: patienceMs }).toBe("aborted");
  },
);

it.each(ways)(
  "lets the second go where the first is there first after all: %s",
  { timeout: 90_000 },
  async (_, ask) => {
    await using late = await startUpstream(() => ok("from the late one", { delayMs: lateMs }));
    await using never = await startUpstream(() => ok("from the one that waits", { delayMs: slowMs }));
    await using gateway = await startGateway(
      [
        { ...providerAt("one", "openai", late.url), operator: "alpha" },
        { ...providerAt("two", "anthropic", never.url), operator: "beta" },
      ],
      [sampleRoute("main", ["one/gpt-4.1", "two/claude-sonnet-5"], { hedge })],
    );
    expect(await ask(gateway.url)).toEqual(["from the late one", "one", "2"]);
    const [record] = await gateway.recorded(1);
    expect(record?.attempts.map(({ outcome }) => outcome)).toEqual(["answered", "outrun"]);
    expect(record?.decision).toBe("answered");
    await expect.poll(() => never.log.last?.state, { timeout: patienceMs }).toBe("aborted");
  },
);
