import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isSpoken, upstreamDialects } from "#dialects/registry";
import type { DialectId } from "#domain/call";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import { checkHeard } from "./check-heard.ts";
import { clientPaths, startEcho, type Echo } from "./echo.ts";
import { everyRecording, type AnyRecording } from "./every-recording.ts";
import { clients, languages } from "./languages/index.ts";
import type { ClientLanguage } from "./languages/replay-language.ts";
import { OddJson } from "./odd-json.ts";
import { playStream } from "./every-lane.ts";
import { decoding } from "./open-lane.ts";
import { findFixtures } from "./recordings.ts";

/** Each of so many is replayed: what is left out differs in words alone. */
const step = 4;

const fixtures = findFixtures("replay of every recording through every client over sockets");
const all = fixtures === undefined ? [] : everyRecording(fixtures).filter(({ dialect }) => isSpoken(dialect));
const readable = all.filter((recording, at) => at % step === 0 && isWhole(recording));

function isWhole(recording: AnyRecording): boolean {
  const { streamed, dialect, bytes } = recording;
  const events = streamed
    ? playStream(recording, [bytes]).events
    : upstreamDialects[dialect].decodeAnswer(bytes, decoding);
  return events.at(-1)?.kind === "end";
}

const upstreams = Object.keys(languages).filter((id) => isSpoken(id as DialectId)) as readonly DialectId[];

describe.skipIf(fixtures === undefined)("recordings through a gateway over sockets", () => {
  let echo: Echo;
  let gateway: TestGateway;

  beforeAll(async () => {
    echo = await startEcho();
    const providers = upstreams.map((dialect) =>
      sampleProvider(dialect, {
        kind: "sim",
        vendor: languages[dialect].issuer,
        dialect,
        dialects: [dialect],
        origin: echo.url,
      }),
    );
    gateway = await startGateway(
      providers,
      upstreams.map((dialect) => sampleRoute(dialect, [`${dialect}/own-1`])),
    );
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    echo.server.closeAllConnections();
    await new Promise((resolve) => echo.server.close(resolve));
  });

  async function ask(
    client: ClientLanguage,
    { dialect, streamed, bytes }: AnyRecording,
    index: number,
  ): Promise<Buffer> {
    const isArray = bytes.toString("latin1", 0, 1) === "[";
    const type = streamed && !isArray ? (upstreamDialects[dialect].streamTypes[0] ?? "") : "application/json";
    echo.answer = { type, bytes, odd: new OddJson(index) };
    const { body, address = {} } = client.ask(streamed);
    const path = clientPaths[client.dialect]({ model: dialect, streamed, isArray: address.framing !== undefined });
    const reply = await fetch(gateway.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
      body: JSON.stringify("model" in body ? { ...body, model: dialect } : body),
    });
    const got = Buffer.from(await reply.arrayBuffer());
    expect(reply.status, got.toString()).toBe(200);
    return got;
  }

  it.each(clients)(
    "reach clients of %s byte for byte, or well-formed and of the same meaning",
    { timeout: 120_000 },
    async (title, client) => {
      expect(readable.length).toBeGreaterThan(200);
      for (const [index, recording] of readable.entries()) {
        const { name, dialect, streamed, bytes } = recording;
        const got = await ask(client, recording, index);
        if (dialect === client.dialect) {
          expect(got.equals(bytes), name).toBe(true);
          continue;
        }
        const said = streamed ? languages[dialect].readStream(bytes) : languages[dialect].readWhole(bytes);
        const faults = streamed ? client.streamFaults(got) : client.wholeFaults(got);
        const heard = streamed ? client.readStream(got) : client.readWhole(got);
        const kept = await (streamed ? client.accumulate(got) : client.receive(got));
        checkHeard({ title: `${title}, ${name}`, client, bytes: got }, said, { faults, got: heard, kept });
      }
    },
  );
});
