import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findModel } from "#catalogue/catalogue";
import { openCatalogue } from "#catalogue/open-catalogue";
import { clientEndpoint, type Endpoint } from "#dialects/client-endpoint";
import { dialects, isSpoken } from "#dialects/registry";
import { findKind } from "#providers/kinds";
import { upstreams, type AskedModel, type MatrixUpstream } from "../matrix/upstreams.ts";
import { objectOf, objectsOf, textOf } from "../replay/json-view.ts";
import { languages } from "../replay/languages/index.ts";
import { startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import {
  bodyText,
  gatewayKey,
  readCaptures,
  sendCaptured,
  type Capture,
  type CapturedReply,
} from "./captured-requests.ts";

const providerKey = "sk-up";
const keys = [{ name: "client", sha256: createHash("sha256").update(gatewayKey).digest("hex") }];
const catalogue = openCatalogue();

type Asking = Extract<Endpoint, { kind: "call" }>;

/** With what its path and query say. */
function endpointOf({ url }: Capture): Endpoint | undefined {
  const [path = "", query] = url.split("?", 2);
  return clientEndpoint(path, new URLSearchParams(query));
}

function callOf(capture: Capture): Asking | undefined {
  const endpoint = endpointOf(capture);
  return endpoint?.kind === "call" ? endpoint : undefined;
}

function modelOf(capture: Capture): string {
  return capture.body?.model ?? callOf(capture)?.address.model ?? "";
}

/** Amazon's clients sign with a secret that nobody can check without having it, so they come without a key. */
function isSigned({ headers }: Capture): boolean {
  return headers["authorization"]?.startsWith("AWS4-HMAC") === true;
}

/** Signatures of captured thoughts are nobody's here, whatever language takes them to their vendor. */
function isSealed(capture: Capture): boolean {
  return bodyText(capture)?.includes('"signature"') === true;
}

const captures = readCaptures();
const names = [...new Set(captures.map(modelOf))].filter((name) => name !== "");

interface Door {
  readonly gateway: TestGateway;
  readonly upstream: Upstream;
  [Symbol.asyncDispose](): Promise<void>;
}

type Stands = Pick<MatrixUpstream, "dialect" | "basePath"> & { readonly plain: AskedModel };

/** `lenient`: captured seals are nobody's here, and clients know fields before the simulator does. */
async function openDoor(
  { dialect, basePath, plain }: Stands,
  { lenient, keyed }: { readonly lenient: boolean; readonly keyed: boolean },
): Promise<Door> {
  const { kind: kindId, vendor, shelf, model } = plain;
  const upstream = await startUpstream(() => ({}), { lenient });
  const traits = findModel(catalogue, shelf, model);
  const provider = sampleProvider("up", {
    kind: kindId,
    vendor,
    dialect,
    dialects: [dialect],
    quirks: findKind(kindId)?.quirks ?? sampleProvider("up").quirks,
    origin: upstream.url,
    basePath,
    region: "eu-central-1",
    models: new Map(traits === undefined ? [] : [[model, traits]]),
  });
  const route = sampleRoute("main", [`up/${model}`]);
  const routes = names.map((name) => ({ ...route, name }));
  const gateway = await startGateway([provider], routes, keyed ? { keys } : {});
  return {
    gateway,
    upstream,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

/** Those that `captured-clients.test.ts` replays in more depth are here for the upstreams it has not. */
const asking = captures.filter((capture) => {
  const call = callOf(capture);
  return call !== undefined && (call.operation === "generate" || call.operation === "count-tokens");
});

function expectAnswer(capture: Capture, { address, dialect, operation }: Asking, reply: CapturedReply): void {
  expect(reply.status, reply.body.toString()).toBe(200);
  const streamed = address.streamed ?? capture.body?.stream === true;
  expect(reply.headers["content-type"]).toMatch(streamed ? /event-?stream/ : /^application\/json/);
  if (operation === "count-tokens") {
    expect(Object.values(objectOf(JSON.parse(reply.body.toString()))).some((value) => Number(value) > 0)).toBe(true);
    return;
  }
  const language = languages[dialect];
  const said = streamed ? language.readStream(reply.body) : language.readWhole(reply.body);
  expect(said.text.length + said.tools.length).toBeGreaterThan(0);
  expect(["stop", "tools"]).toContain(said.ending);
  // A stream of OpenAI's has usage where it was asked for.
  if (!streamed || dialect !== "openai-chat") expect(said.usage?.prompt).toBeGreaterThan(0);
}

describe.skipIf(captures.length === 0).each(upstreams.filter(({ dialect }) => isSpoken(dialect)))(
  "a captured client over $title",
  (language) => {
    const doors: Door[] = [];
    let relaying: Door;
    let translating: Door;
    let open: Door;

    beforeAll(async () => {
      relaying = await openDoor(language, { lenient: true, keyed: true });
      translating = await openDoor(language, { lenient: false, keyed: true });
      open = await openDoor(language, { lenient: true, keyed: false });
      doors.push(relaying, translating, open);
    });

    afterAll(async () => {
      for (const door of doors) await door[Symbol.asyncDispose]();
    });

    it.each(asking)("$client $url gets its answer", async (capture) => {
      const call = callOf(capture);
      if (call === undefined) throw new Error("no call");
      const isOwn = call.dialect === language.dialect;
      const { gateway, upstream } = isSigned(capture) ? open : isOwn || isSealed(capture) ? relaying : translating;
      const before = upstream.log.entries.length;
      const reply = await sendCaptured(gateway.url, capture);
      expectAnswer(capture, call, reply);
      const asked = upstream.log.entries.slice(before);
      if (call.operation === "count-tokens" && asked.length === 0) return;
      expect(asked).toHaveLength(1);
      const [{ headers, body, refused }] = asked as [(typeof asked)[0]];
      expect(refused).toBeUndefined();
      expect(JSON.stringify(headers)).not.toContain(gatewayKey);
      if (!language.plain.kind.startsWith("sim-")) expect(JSON.stringify(headers)).toContain(providerKey);
      if (!isOwn) return;
      const own = dialects[call.dialect].passHeaders.filter((name) => capture.headers[name] !== undefined);
      expect(own.map((name) => headers[name])).toEqual(own.map((name) => capture.headers[name]));
      // A relay: the same bytes, but for the model's name where the body holds it, and usage we ask for ourselves.
      const sent = body.toString().replace(asksForUsage, "");
      const model = `"model":"${language.plain.model}"`;
      expect(sent).toBe(
        bodyText(capture)
          ?.replace(`"model":"${modelOf(capture)}"`, model)
          .replace(asksForUsage, ""),
      );
    });
  },
);

const asksForUsage = ',"stream_options":{"include_usage":true}';

const embedders: readonly (Stands & { readonly title: string })[] = [
  {
    title: "OpenAI",
    dialect: "openai-chat",
    basePath: "/v1",
    plain: { kind: "openai", vendor: "openai", shelf: "openai", model: "text-embedding-3-small" },
  },
  {
    title: "Gemini",
    dialect: "gemini",
    basePath: "/v1beta",
    plain: { kind: "sim-gemini", vendor: "google", shelf: "gemini", model: "gemini-embedding-001" },
  },
  {
    title: "Cohere",
    dialect: "cohere-chat",
    basePath: "/v2",
    plain: { kind: "sim-cohere", vendor: "cohere", shelf: "cohere", model: "embed-v4.0" },
  },
];

describe.skipIf(captures.length === 0).each(embedders)("vectors of $title for captured clients", (stands) => {
  it("are as many as texts, in the shape that was asked for", async () => {
    await using door = await openDoor(stands, { lenient: true, keyed: true });
    const embedding = captures.filter((capture) => callOf(capture)?.operation === "embed");
    expect(embedding.length).toBe(2);
    for (const capture of embedding) {
      const reply = await sendCaptured(door.gateway.url, capture);
      expect(reply.status, reply.body.toString()).toBe(200);
      const json = objectOf(JSON.parse(reply.body.toString()));
      const [first, ...others] = [...objectsOf(json["data"]), ...objectsOf(json["embeddings"])];
      expect(others).toEqual([]);
      const packed = first?.["embedding"];
      if (packed === undefined) expect(first?.["values"]).toEqual(expect.arrayContaining([expect.any(Number)]));
      else expect(Buffer.from(textOf(packed), "base64").length % 4).toBe(0);
    }
  });
});

it.skipIf(captures.length === 0)("lists models to each captured client in its own language", async () => {
  const [first] = upstreams;
  if (first === undefined) throw new Error("no upstream");
  await using door = await openDoor(first, { lenient: true, keyed: true });
  const lists = captures.filter((capture) => endpointOf(capture)?.kind === "models");
  const shapes: string[] = [];
  for (const capture of lists) {
    const reply = await sendCaptured(door.gateway.url, capture);
    expect(reply.status, reply.body.toString()).toBe(200);
    const { data, models, has_more: more } = objectOf(JSON.parse(reply.body.toString()));
    const listed = objectsOf(data ?? models);
    expect(listed.length).toBeGreaterThanOrEqual(names.length);
    shapes.push(models === undefined ? (more === undefined ? "OpenAI's" : "Anthropic's") : "Google's");
  }
  expect(shapes.toSorted()).toEqual(["Anthropic's", "Google's", "OpenAI's"]);
});

/** The same requests as the roots and deployments of other base addresses make them. */
function readdressed(capture: Capture): readonly Capture[] {
  const call = callOf(capture);
  if (call === undefined || isSigned(capture)) return [];
  const at = (url: string): Capture => ({ ...capture, url });
  switch (call.dialect) {
    case "openai-chat":
      return [
        at(`/openai${capture.url}`),
        at(capture.url.replace("/v1", "")),
        at(`/openai/deployments/${modelOf(capture)}${capture.url.replace("/v1", "")}?api-version=2025-04-01-preview`),
      ];
    case "openai-responses":
      return [
        at(`/openai${capture.url}`),
        at(`${capture.url.replace("/v1", "/openai")}?api-version=2025-04-01-preview`),
      ];
    case "anthropic-messages":
      return [at(`/anthropic${capture.url}`), at(capture.url.replace("/v1", "/anthropic"))];
    case "gemini":
      return [at(`/genai${capture.url}`), at(capture.url.replace(/^\/v1\w*/u, "/genai/v1beta"))];
    default:
      return [];
  }
}

it.skipIf(captures.length === 0)("answers captured clients at every root and at Azure's deployments", async () => {
  const [first] = upstreams;
  if (first === undefined) throw new Error("no upstream");
  await using door = await openDoor(first, { lenient: true, keyed: true });
  const moved = asking.flatMap(readdressed);
  expect(moved.length).toBeGreaterThan(90);
  for (const capture of moved) {
    const call = callOf(capture);
    if (call === undefined) throw new Error(`nothing at ${capture.url}`);
    expectAnswer(capture, call, await sendCaptured(door.gateway.url, capture));
  }
});
