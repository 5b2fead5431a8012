import { describe, expect, it } from "vitest";
import { ok, says, startUpstream } from "../upstream/start-upstream.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";
import { everyUpstream, openHouse, providerKey } from "./upstream-languages.ts";

const usage = { input: 90, cacheRead: 10, output: 7 };

describe.each(everyUpstream)("what the gateway tells of itself over $title", (language) => {
  it.each(["generateContent", "streamGenerateContent?alt=sse", "streamGenerateContent"])(
    "stands in the answer, or in the last piece of it: %s",
    async (method) => {
      await using house = await openHouse(language, says(["a", "b"]));
      const reply = await fetch(`${house.url}/v1beta/models/main:${method}`, {
        method: "POST",
        body: JSON.stringify({
          contents: [{ parts: [{ text: "How are the hedges?" }] }],
          hedgerow: { metadata: true },
        }),
      });
      const text = (await reply.text()).trim();
      const pieces = text.startsWith("data:") ? text.split(/\s*(?:^|\r\n)data: /).slice(1) : [text];
      const chunks = pieces.flatMap((piece) => JSON.parse(piece) as { readonly hedgerow?: object });
      expect(chunks.at(-1)?.hedgerow).toMatchObject({ provider: "up" });
      expect(chunks.slice(0, -1).every(({ hedgerow }) => hedgerow === undefined)).toBe(true);
      expect(JSON.stringify(house.lastBody())).not.toContain("hedgerow");
    },
  );
});

describe("a caller of Gemini over Gemini", () => {
  const body =
    '{ "contents" : [ {"parts":[{"text":"h\\u00e9dge", "partMetadata":{"n":1.0}}]} ], "generation_config":{"temperature":1.0} }';

  async function relayed(
    path: string,
    sent: string,
  ): Promise<{ readonly asked: string; readonly got: string; readonly gave: string; readonly path: string }> {
    await using upstream = await startUpstream(ok("Green and tall.", { answer: { usage } }), { keys: [providerKey] });
    await using gateway = await startGateway(
      [{ ...providerAt("up", "gemini", upstream.url), basePath: "/v1beta" }],
      [sampleRoute("main", ["up/gemini-2.5-pro"])],
    );
    const ask = async (url: string, headers: Record<string, string>): Promise<string> => {
      const reply = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: sent,
      });
      expect(reply.status).toBe(200);
      return await reply.text();
    };
    const got = await ask(`${gateway.url}/v1beta/models/main:${path}`, {});
    const entry = upstream.log.last;
    const gave = await ask(`${upstream.url}/v1beta/models/gemini-2.5-pro:${path}`, { "x-goog-api-key": providerKey });
    return { asked: entry?.body.toString() ?? "", got, gave, path: entry?.path ?? "" };
  }

  it.each([
    ["generateContent", body],
    ["streamGenerateContent?alt=sse", body],
    ["streamGenerateContent", body],
    ["countTokens", body],
    ["embedContent", '{"content":{"parts":[{"text":"h\\u00e9dge"}]}, "taskType":"CLUSTERING" }'],
  ])("passes byte for byte in both directions: %s", async (path, sent) => {
    const { asked, got, gave, path: askedPath } = await relayed(path, sent);
    expect(asked).toBe(sent);
    expect(askedPath).toContain(`/v1beta/models/gemini-2.5-pro:${path.split("?")[0]}`);
    // Answers have an id of their own.
    const plain = (text: string): string => text.replaceAll(/"responseId":"[^"]*"/g, '"responseId":""');
    expect(plain(got)).toBe(plain(gave));
  });
});
