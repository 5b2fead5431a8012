import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dialects } from "#dialects/registry";
import type { ClientDialectId } from "#domain/call";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import { clientPaths, oddPieces, startEcho, type Echo } from "./echo.ts";
import { oddAnswer, oddStream } from "./odd-answers.ts";
import { OddJson } from "./odd-json.ts";
import { oddRequest, otherOddRequest, otherRequests, type OddRequest } from "./odd-requests.ts";
import { decoding, openLane } from "./open-lane.ts";

const bodies = 10_000;
/** Of streams fewer: each is many events, in many pieces. */
const streams = 3_000;
const seed = Number(process.env["HEDGEROW_SEED"] ?? Date.now() % 2 ** 31);
console.info(`byte-identity of ${bodies} bodies and ${streams} streams a lane; HEDGEROW_SEED=${seed} repeats it`);
const spoken = Object.keys(dialects) as readonly ClientDialectId[];

/** The generator of one body: any of them can be made again alone. */
function oddAt(index: number): OddJson {
  return new OddJson(seed + index * 7919);
}

/** Comparing first: an assertion on each of so many costs more than the rest. */
function expectSame(got: Buffer, expected: Buffer, what: string): void {
  if (!got.equals(expected)) expect(got.toString(), what).toBe(expected.toString());
}

describe.each(spoken)("the lane from %s to a provider of the same language", (dialect) => {
  const lane = (request: OddRequest) =>
    openLane({
      caller: dialect,
      upstream: dialect,
      issuer: "acme",
      streamed: request.streamed,
      body: Buffer.from(request.body),
      address: request.address,
    });

  it("hands on every byte of a request but for the fields it splices", { timeout: 60_000 }, () => {
    for (let index = 0; index < bodies; index += 1) {
      const request = oddRequest(dialect, oddAt(index));
      const made = lane(request);
      if (made.kind !== "relay") throw new Error(`no relay of ${request.body}`);
      expectSame(Buffer.concat(made.body), Buffer.from(request.expected), `body ${index} of ${request.body}`);
    }
  });

  it("hands back every byte of a whole answer", { timeout: 60_000 }, () => {
    const made = lane({ ...oddRequest(dialect, oddAt(0)), streamed: false });
    for (let index = 0; index < bodies; index += 1) {
      const answer = oddAnswer(dialect, oddAt(index));
      const events = dialects[dialect].decodeAnswer(answer, decoding);
      if (events.at(-1)?.kind !== "end") throw new Error(`answer ${index} is not read: ${answer.toString()}`);
      expectSame(Buffer.from(made.renderAnswer(answer, events) ?? []), answer, `answer ${index}`);
    }
  });

  it("hands back every byte of a stream, wherever the network cuts it", { timeout: 60_000 }, () => {
    // Usage that the caller did not ask for is the one thing a relay leaves out.
    const made = openLane({
      caller: dialect,
      upstream: dialect,
      issuer: "acme",
      streamed: true,
      body: {
        model: "asked",
        stream: true,
        stream_options: { include_usage: true },
      },
      ...(oddRequest(dialect, oddAt(0)).address.model === undefined
        ? {}
        : { address: { model: "asked", streamed: true } }),
    });
    for (let index = 0; index < streams; index += 1) {
      const odd = oddAt(index);
      const stream = oddStream(dialect, odd);
      const pieces: Buffer[] = [];
      let last = "";
      const decoder = dialects[dialect].streamDecoder(decoding, (frame) => {
        last = frame.events.at(-1)?.kind ?? last;
        pieces.push(Buffer.from(made.renderFrame(frame)));
      });
      for (const piece of oddPieces(stream, odd)) decoder.push(piece);
      decoder.end();
      if (last !== "end") throw new Error(`stream ${index} ends in ${last}: ${stream.toString()}`);
      expectSame(Buffer.concat(pieces), stream, `stream ${index}`);
    }
  });
});

describe.each(otherRequests.filter(({ dialect }) => spoken.includes(dialect)))(
  "the lane from $dialect for $operation",
  (asked) => {
    it("hands on every byte of a request but for the fields it splices", () => {
      const { dialect, operation } = asked;
      for (let index = 0; index < streams; index += 1) {
        const request = otherOddRequest(asked, oddAt(index));
        const made = openLane({
          caller: dialect,
          upstream: dialect,
          issuer: "acme",
          streamed: false,
          operation,
          // Of what Bedrock hosts only Claude is counted, and its body names no model.
          ...(dialect === "bedrock-converse" ? { model: "claude-own-1" } : {}),
          body: Buffer.from(request.body),
          address: request.address,
        });
        expectSame(Buffer.concat(made.body), Buffer.from(request.expected), `body ${index} of ${request.body}`);
      }
    });
  },
);

describe.each(spoken)("the same through a gateway over sockets, in %s", (dialect) => {
  let echo: Echo;
  let gateway: TestGateway;

  beforeAll(async () => {
    echo = await startEcho();
    const provider = sampleProvider("up", { kind: "sim", dialect, dialects: [dialect], origin: echo.url });
    gateway = await startGateway([provider], [sampleRoute("asked", ["up/own-1"])]);
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    echo.server.closeAllConnections();
    await new Promise((resolve) => echo.server.close(resolve));
  });

  it("gives the provider the caller's bytes and the caller the provider's", { timeout: 60_000 }, async () => {
    for (let index = 0; index < 200; index += 1) {
      const odd = oddAt(bodies + index);
      const request = oddRequest(dialect, odd);
      const bytes = request.streamed ? oddStream(dialect, odd, request.usageAsked) : oddAnswer(dialect, odd);
      const isArray = dialect === "gemini" && request.streamed && bytes.toString().startsWith("[");
      const type = request.streamed && !isArray ? (dialects[dialect].streamTypes[0] ?? "") : "application/json";
      echo.answer = { type, bytes, odd };
      const reply = await fetch(
        gateway.url + clientPaths[dialect]({ model: "asked", streamed: request.streamed, isArray }),
        {
          method: "POST",
          headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
          body: request.body,
        },
      );
      const body = Buffer.from(await reply.arrayBuffer());
      expect(reply.status, `${body.toString()} to ${request.body}`).toBe(200);
      expectSame(echo.received.at(-1) ?? Buffer.alloc(0), Buffer.from(request.expected), `request ${index}`);
      expectSame(body, bytes, `answer ${index}`);
    }
  });
});
