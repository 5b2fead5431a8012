import OpenAI, { APIError, UnprocessableEntityError } from "openai";
import { describe, expect, it } from "vitest";
import { defaultConfidence, type ConfidenceRule } from "#domain/confidence";
import { defaultLimits } from "#domain/snapshot";
import { ok, startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway, type TestGateway } from "../world/start-gateway.ts";

interface Rivals extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly first: Upstream;
  readonly second: Upstream;
}

const sure = 0.99999;
const unsure = 0.5;

/** A route over two providers, of which each is so sure of its answers. */
async function rivals(
  first: number | "untold",
  second: number | "untold",
  more: { readonly rule?: Partial<ConfidenceRule>; readonly heartbeatMs?: number; readonly thinksMs?: number } = {},
): Promise<Rivals> {
  const { rule, heartbeatMs = 15_000, thinksMs } = more;
  const delay = thinksMs === undefined ? {} : { stall: { after: "lifecycle" as const, forMs: thinksMs } };
  const [one, other] = await Promise.all([
    startUpstream(ok("Lisbon", { answer: { confidence: first }, ...delay })),
    startUpstream(ok("Paris", { answer: { confidence: second } })),
  ]);
  const gateway = await startGateway(
    [providerAt("a", "openai-compatible", one.url), providerAt("b", "openai-compatible", other.url)],
    [sampleRoute("main", ["a/m", "b/m"], { confidence: { ...defaultConfidence, ...rule } })],
    { limits: { ...defaultLimits, heartbeatMs } },
  );
  return {
    gateway,
    first: one,
    second: other,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await Promise.all([one.close(), other.close()]);
    },
  };
}

const question = "What is the capital of France?";
const user = { role: "user", content: question };

interface Caller {
  readonly title: string;
  readonly path: string;
  readonly streamPath?: string;
  readonly body: object;
}

const callers: readonly Caller[] = [
  { title: "chat completions", path: "/v1/chat/completions", body: { model: "main", messages: [user] } },
  { title: "responses", path: "/v1/responses", body: { model: "main", input: question } },
  { title: "messages", path: "/v1/messages", body: { model: "main", max_tokens: 50, messages: [user] } },
  {
    title: "gemini",
    path: "/v1beta/models/main:generateContent",
    streamPath: "/v1beta/models/main:streamGenerateContent?alt=sse",
    body: { contents: [{ role: "user", parts: [{ text: question }] }] },
  },
  {
    title: "converse",
    path: "/model/main/converse",
    streamPath: "/model/main/converse-stream",
    body: { messages: [{ role: "user", content: [{ text: question }] }] },
  },
];

async function ask({ gateway }: Rivals, { path, streamPath, body }: Caller, streamed: boolean) {
  const asked = streamed && streamPath === undefined ? { ...body, stream: true } : body;
  const response = await fetch(gateway.url + (streamed ? (streamPath ?? path) : path), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
  });
  return { response, text: Buffer.from(await response.arrayBuffer()).toString("latin1") };
}

const ways = callers.flatMap((caller) => [false, true].map((streamed) => ({ title: caller.title, caller, streamed })));

describe.each(ways)("A caller of $title (streamed: $streamed)", ({ caller, streamed }) => {
  it("gets the rival's answer where the first is doubted, and nothing of the first's", async () => {
    await using house = await rivals(unsure, sure);
    const { response, text } = await ask(house, caller, streamed);
    expect(response.status).toBe(200);
    expect(text).toContain("Paris");
    expect(text).not.toContain("Lisbon");
    expect(text).toMatch(/"confidence_score":0\.9/);
    expect(text).toContain('"estimator":"logprobs"');
    expect(text).not.toContain("low_confidence");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-hedgerow-provider": "b",
      "x-hedgerow-decision": "escalated",
      "x-hedgerow-confidence": expect.stringMatching(/^0\.9/) as string,
    });
    const [record] = await house.gateway.recorded(1);
    expect(record?.attempts.map(({ outcome }) => outcome)).toEqual(["doubted", "answered"]);
  });

  it("is told in its own language that a person has to decide", async () => {
    await using house = await rivals(unsure, unsure);
    const { response, text } = await ask(house, caller, streamed);
    expect(response.status).toBe(422);
    expect(text).toContain("manual intervention is required");
    expect(text).not.toContain("Paris");
    expect(text).not.toContain("Lisbon");
  });
});

describe("The unmodified OpenAI client", () => {
  const asked = { model: "main", messages: [{ role: "user" as const, content: question }] };
  const client = ({ gateway }: Rivals): OpenAI =>
    new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "any", maxRetries: 0 });

  it("reads how sure an answer is", async () => {
    await using house = await rivals(sure, sure);
    const answer = await client(house).chat.completions.create(asked);
    expect(answer.choices[0]?.message.content).toBe("Lisbon");
    expect(answer.choices[0]?.logprobs).toBeNull();
    expect((answer as unknown as { confidence_score: number }).confidence_score).toBeGreaterThan(0.85);
  });

  it("waits for a held stream through keep-alives, and gets it whole", async () => {
    await using house = await rivals(unsure, sure, { heartbeatMs: 50, thinksMs: 300 });
    const stream = await client(house).chat.completions.create({ ...asked, stream: true });
    let text = "";
    let score: number | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      score = (chunk as { confidence_score?: number }).confidence_score ?? score;
    }
    expect(text).toBe("Paris");
    expect(score).toBeGreaterThan(0.85);
    const [record] = await house.gateway.recorded(1);
    expect(record).toMatchObject({ decision: "escalated", status: 200 });
  });

  it("throws a proper error where nobody is sure", async () => {
    await using house = await rivals(unsure, unsure);
    const failed = await client(house)
      .chat.completions.create(asked)
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(UnprocessableEntityError);
    expect((failed as Error).message).toContain("manual intervention is required");
  });

  it("throws it out of a stream, too, that had to begin before the verdict", async () => {
    await using house = await rivals(unsure, unsure, { heartbeatMs: 50, thinksMs: 300 });
    const stream = await client(house).chat.completions.create({ ...asked, stream: true });
    const read = async (): Promise<void> => {
      for await (const chunk of stream) expect(chunk.choices[0]?.delta.content ?? "").toBe("");
    };
    const failed = await read().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(APIError);
    expect((failed as Error).message).toContain("manual intervention is required");
  });
});
