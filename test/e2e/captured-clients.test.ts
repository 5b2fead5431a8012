import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientEndpoint } from "#dialects/client-endpoint";
import { dialects } from "#dialects/registry";
import { sampleRoute } from "../world/sample-snapshot.ts";
import {
  assistant,
  openaiUpstream,
  openHouse,
  providerKey,
  upstreamLanguages,
  type House,
} from "./upstream-languages.ts";

/** A request as a real client sent it. Credentials were taken out before it was stored. */
interface Capture {
  readonly client: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly model: string; readonly stream?: boolean; readonly stream_options?: object } | null;
}

const shared = process.env["HEDGEROW_SHARED"] ?? join(import.meta.dirname, "../../../shared");
const folder = join(shared, "fixtures/client-captures");
const isThere = existsSync(folder);
if (!isThere) console.info(`skipped: captured clients, there is no ${folder}; set HEDGEROW_SHARED to replay them`);

const captures = isThere ? ["sdk-flows.jsonl", "cli-flows.jsonl"].flatMap(readCaptures) : [];
const gatewayKey = "hr-captured-clients-key";
const names = [...new Set(captures.flatMap(({ body }) => (body === null ? [] : [body.model])))];

/** Clients of the two languages every test of this file knows; the others' are in `captured-languages.test.ts`. */
function readCaptures(file: string): readonly Capture[] {
  const lines = readFileSync(join(folder, file), "utf8").trim().split("\n");
  const all = lines.map((line) => JSON.parse(line) as Capture);
  return all.filter(({ url, body }) => {
    const endpoint = clientEndpoint(url.split("?", 1)[0] ?? "");
    if (endpoint?.kind === "models") return body === null && !url.includes("pageSize");
    if (endpoint?.kind !== "call" || !["generate", "count-tokens"].includes(endpoint.operation)) return false;
    return endpoint.dialect === "openai-chat" || endpoint.dialect === "anthropic-messages";
  });
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends the request as it was captured, save for what names the connection and the key in place of the redacted one. */
function replay(house: House, capture: Capture): Promise<Reply> {
  const headers = Object.fromEntries(
    Object.entries(capture.headers)
      .filter(([name]) => !["host", "content-length", "connection"].includes(name))
      .map(([name, value]) => [name, value.replace("<redacted>", gatewayKey)]),
  );
  return new Promise((resolve, reject) => {
    const sent = request(house.url + capture.url, { method: capture.method, headers }, (reply) => {
      let text = "";
      reply.setEncoding("utf8");
      reply.on("data", (piece: string) => (text += piece));
      reply.on("end", () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text }));
      reply.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(textOf(capture));
  });
}

function textOf({ body }: Capture): string | undefined {
  return body === null ? undefined : JSON.stringify(body);
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
    const reply = await replay(house, capture);
    expect(reply.status, reply.text).toBe(200);
    if (endpoint?.kind !== "call") {
      // Google's clients, which name themselves, find the list under another name.
      const list = capture.headers["x-goog-api-client"] === undefined ? "data" : "models";
      expect(JSON.parse(reply.text)).toMatchObject({ [list]: expect.arrayContaining([expect.anything()]) as unknown });
      return;
    }
    const streamed = capture.body?.stream === true;
    expect(reply.headers["content-type"]).toMatch(streamed ? /^text\/event-stream/ : /^application\/json/);
    if (streamed) expect(reply.text).toContain(endpoint.dialect === "openai-chat" ? "data: [DONE]" : "message_stop");
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
    const expected = textOf(capture)?.replace(`"model":"${capture.body?.model}"`, `"model":"${language.model}"`);
    expect(body.toString().replace(asksForUsage, "")).toBe(expected?.replace(asksForUsage, ""));
  });
});

it.skipIf(!isThere)("tells Claude Code over an OpenAI upstream what its model will not see", async () => {
  const capture = captures.find(({ client }) => client.startsWith("claude-code"));
  if (capture === undefined) throw new Error("the captures hold no request of Claude Code");
  const route = sampleRoute(capture.body?.model ?? "", [`up/${openaiUpstream.model}`]);
  await using house = await openHouse(openaiUpstream, assistant, { routes: new Map([[route.name, route]]) });
  const reply = await replay(house, capture);
  const warnings = String(reply.headers["x-hedgerow-warning"]);
  for (const lost of ["cache-markers", "max-tokens-lowered", "context_management", "tools[].defer_loading"]) {
    expect(warnings).toContain(lost);
  }
  expect(JSON.stringify(house.lastBody())).not.toMatch(/cache_control|context_management|defer_loading|output_config/);
});
