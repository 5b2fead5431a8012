import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientEndpoint } from "#dialects/client-endpoint";
import { dialects } from "#dialects/registry";
import { bodyText, gatewayKey, readCaptures, sendCaptured, type Capture } from "./captured-requests.ts";
import { sampleRoute } from "../world/sample-snapshot.ts";
import {
  assistant,
  openaiUpstream,
  openHouse,
  providerKey,
  upstreamLanguages,
  type House,
} from "./upstream-languages.ts";

const captures = readCaptures().filter(isOfFirstLanguages);
const isThere = captures.length > 0;
const names = [...new Set(captures.map(modelOf))].filter((name) => name !== "");

/** Clients of the two languages every test of this file knows; the others' are in `captured-languages.test.ts`. */
function isOfFirstLanguages({ url, body }: Capture): boolean {
  const endpoint = clientEndpoint(url.split("?", 1)[0] ?? "");
  if (endpoint?.kind === "models") return body === null && !url.includes("pageSize");
  if (endpoint?.kind !== "call" || !["generate", "count-tokens"].includes(endpoint.operation)) return false;
  return endpoint.dialect === "openai-chat" || endpoint.dialect === "anthropic-messages";
}

function modelOf({ body }: Capture): string {
  return body?.model ?? "";
}

const asksForUsage = ',"stream_options":{"include_usage":true}';

describe.skipIf(!isThere).each(upstreamLanguages)("a captured client over $title", (language) => {
  let relaying: House;
  let translating: House;

  beforeAll(async () => {
    const keys = [{ name: "client", sha256: createHash("sha256").update(gatewayKey).digest("hex") }];
    const target = sampleRoute("main", [`up/${language.model}`]);
    const routes = new Map(names.map((name) => [name, { ...target, name }]));
    // Captured signatures are nobody's here, and clients know betas before the simulator does. What we write ourselves
    // is checked as strictly as ever.
    relaying = await openHouse(language, assistant, { keys, routes, lenient: true });
    translating = await openHouse(language, assistant, { keys, routes });
  });

  afterAll(async () => {
    await relaying[Symbol.asyncDispose]();
    await translating[Symbol.asyncDispose]();
  });

  it.each(captures)("$client $url gets its answer", async (capture) => {
    const endpoint = clientEndpoint(capture.url.split("?", 1)[0] ?? "");
    const house = endpoint?.kind === "call" && endpoint.dialect !== language.dialect ? translating : relaying;
    const before = house.asked.length;
    const reply = await sendCaptured(house.url, capture);
    const text = reply.body.toString();
    expect(reply.status, text).toBe(200);
    if (endpoint?.kind !== "call") {
      // Google's clients, which name themselves, find the list under another name.
      const list = capture.headers["x-goog-api-client"] === undefined ? "data" : "models";
      expect(JSON.parse(text)).toMatchObject({ [list]: expect.arrayContaining([expect.anything()]) as unknown });
      return;
    }
    const streamed = capture.body?.stream === true;
    expect(reply.headers["content-type"]).toMatch(streamed ? /^text\/event-stream/ : /^application\/json/);
    if (streamed) expect(text).toContain(endpoint.dialect === "openai-chat" ? "data: [DONE]" : "message_stop");
    const asked = house.asked.slice(before);
    if (endpoint.operation === "count-tokens" && endpoint.dialect !== language.dialect) {
      expect(asked).toEqual([]);
      return;
    }
    expect(asked).toHaveLength(1);
    const [{ headers, body }] = asked as [(typeof asked)[0]];
    expect(JSON.stringify(headers)).not.toContain(gatewayKey);
    expect(Object.values(headers).some((value) => value.endsWith(providerKey))).toBe(true);
    expect(
      Object.keys(headers).filter((name) => /^(?:x-stainless|sec-fetch|x-claude|x-app|cookie)/.test(name)),
    ).toEqual([]);
    if (endpoint.dialect !== language.dialect) return;
    // A relay: the same bytes, but for the model's name and the usage we ask for ourselves.
    const own = dialects[language.dialect].passHeaders.filter((name) => capture.headers[name] !== undefined);
    expect(own.map((name) => headers[name])).toEqual(own.map((name) => capture.headers[name]));
    const expected = bodyText(capture)?.replace(`"model":"${capture.body?.model}"`, `"model":"${language.model}"`);
    expect(body.toString().replace(asksForUsage, "")).toBe(expected?.replace(asksForUsage, ""));
  });
});

it.skipIf(!isThere)("tells Claude Code over an OpenAI upstream what its model will not see", async () => {
  const capture = captures.find(({ client }) => client.startsWith("claude-code"));
  if (capture === undefined) throw new Error("the captures hold no request of Claude Code");
  const route = sampleRoute(capture.body?.model ?? "", [`up/${openaiUpstream.model}`]);
  await using house = await openHouse(openaiUpstream, assistant, { routes: new Map([[route.name, route]]) });
  const reply = await sendCaptured(house.url, capture);
  const warnings = String(reply.headers["x-hedgerow-warning"]);
  for (const lost of ["cache-markers", "max-tokens-lowered", "context_management", "tools[].defer_loading"]) {
    expect(warnings).toContain(lost);
  }
  expect(JSON.stringify(house.lastBody())).not.toMatch(/cache_control|context_management|defer_loading|output_config/);
});
