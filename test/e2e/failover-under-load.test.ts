import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { expect, it } from "vitest";
import type { Behaviour } from "#simulation/behaviour";
import type { ReceivedRequest } from "#simulation/received-request";
import { fails, ok, stalls, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

const callers = 50;
/** How many requests the first provider still answers before it begins to fail. */
const healthy = 15;
const pace = { interChunkDelayMs: 15 };
const text = "one two three four five six seven eight nine ten";

/** Every way to fail before the first content, in turn; those that ask to be left alone for a while come last. */
const faults: readonly Behaviour[] = [
  fails(500),
  { resetBeforeHead: true },
  ok(text, { cut: { afterChunk: 0, how: "rst" } }),
  fails(502, { htmlPage: true }),
  ok(text, { cut: { afterChunk: 0, how: "clean-end" } }),
  stalls("lifecycle"),
  stalls("request"),
  fails(503),
  ok(text, { errorEvent: { after: "lifecycle", kind: "overloaded" } }),
  fails(429, { headers: { "retry-after": "30" } }),
];

/** Each caller asks a question of its own and must get its own answer. */
function answering(more: Behaviour): (request: ReceivedRequest) => Behaviour {
  return ({ lastUserText }) => ok(`${text} for ${lastUserText}`, more);
}

it(
  "lets 50 callers stream on, in both official SDKs, while their first provider begins to fail",
  { timeout: 60_000 },
  async () => {
    let seen = 0;
    const answer = answering(pace);
    await using first = await startUpstream((request) => {
      seen += 1;
      return seen <= healthy ? answer(request) : (faults[(seen - healthy - 1) % faults.length] ?? {});
    });
    await using second = await startUpstream(answer);
    // Only whoever fails is held to a short time: on a busy machine a good answer is late, too, and nobody is behind the second.
    const failing = { ...providerAt("one", "openai", first.url), timeouts: { firstTokenMs: 400 } };
    const route = sampleRoute("main", ["one/gpt-4.1", "two/claude-sonnet-5"]);
    await using gateway = await startGateway([failing, providerAt("two", "anthropic", second.url)], [route]);
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: "any", maxRetries: 0 });

    const ask = async (caller: number): Promise<string | null> => {
      // One after the other into the failure, and all of them in flight together.
      await new Promise((resolve) => setTimeout(resolve, caller * 5));
      const request = { model: "main", messages: [{ role: "user" as const, content: `caller ${caller}` }] };
      return caller % 2 === 0
        ? await openai.chat.completions.stream(request).finalContent()
        : await anthropic.messages.stream({ ...request, max_tokens: 500 }).finalText();
    };
    const answers = await Promise.all(Array.from({ length: callers }, (_, caller) => ask(caller)));

    expect(answers).toEqual(answers.map((_, caller) => `${text} for caller ${caller}`));
    const records = await gateway.recorded(callers);
    expect(records).toHaveLength(callers);
    const decisions = records.map(({ decision }) => decision);
    expect(new Set(decisions)).toEqual(new Set(["answered", "recovered"]));
    expect(decisions.filter((decision) => decision === "recovered").length).toBeGreaterThanOrEqual(5);
    const whole = [...first.log.entries, ...second.log.entries].filter(({ status }) => status === 200);
    expect(whole.length).toBeGreaterThanOrEqual(callers);
    // A provider known to be down is asked less: not every caller pays for it with an attempt.
    expect(first.log.entries.length).toBeLessThan(callers);
  },
);
