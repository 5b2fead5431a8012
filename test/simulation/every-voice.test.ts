import { afterEach, describe, expect, it } from "vitest";
import type { Behaviour } from "#simulation/behaviour";
import { startSimulator, type Simulator } from "#simulation/server";
import { VirtualClock } from "#simulation/virtual-clock";
import { ask, binaryFrames, voiceSamples, type VoiceSample } from "./voice-samples.ts";

const started: Simulator[] = [];
afterEach(async () => {
  for (const simulator of started.splice(0)) await simulator.close();
});

async function upstream(behaviour: Behaviour, clock?: VirtualClock): Promise<Simulator> {
  const rules = (["generate", "complete"] as const).map((operation) => ({ match: { operation }, behaviour }));
  const simulator = await startSimulator({ script: rules, issuer: "t", ...(clock === undefined ? {} : { clock }) });
  started.push(simulator);
  return simulator;
}

const chunks = ["one ", "two ", "three ", "four"];

/** The seconds of an answer's making may differ between two answers; their number of digits does not. */
function masked(body: Buffer): string {
  return body.toString("latin1").replaceAll(/"(created|created_at|completed_at)":\d{10}/g, '"$1":0');
}

function said(sample: VoiceSample, body: Buffer): string {
  return sample.events(body).map(sample.text).join("");
}

/** The events before the first that cannot be read. */
function readable(sample: VoiceSample, body: Buffer): string {
  for (let end = body.length; end > 0; end -= 1) {
    try {
      return said(sample, body.subarray(0, end));
    } catch {
      // Shorter, then.
    }
  }
  return "";
}

describe.each(voiceSamples.map((sample) => [sample.title, sample] as const))("%s", (_title, sample) => {
  const array = sample.title.includes("array");

  it("says the same whole and streamed, each under its own type", async () => {
    const simulator = await upstream({ answer: { chunks } });
    const whole = await ask(simulator, sample, { streamed: false });
    expect(whole.status).toBe(200);
    expect(whole.headers.get("content-type")).toBe("application/json");
    const answer = JSON.parse(whole.body.toString()) as Record<string, unknown>;
    expect(sample.text(answer)).toBe("one two three four");
    expect(sample.finished(answer)).toBe(true);
    const streamed = await ask(simulator, sample);
    expect(streamed.headers.get("content-type")).toBe(sample.streamType);
    expect(said(sample, streamed.body)).toBe("one two three four");
    expect(sample.events(streamed.body).filter(sample.finished)).toHaveLength(1);
    expect(sample.completion?.(streamed.body) ?? true).toBe(true);
    expect(simulator.log.entries.map((entry) => entry.streamed)).toEqual([false, true]);
  });

  it("is cut at the byte asked for", async () => {
    const whole = masked((await ask(await upstream({ answer: { chunks } }), sample)).body);
    const cut = { atByte: 77, how: "fin" } as const;
    const { body, broken } = await ask(await upstream({ answer: { chunks }, cut }), sample);
    expect(broken).toBeDefined();
    expect(body.toString("latin1").slice(0, 60)).toBe(whole.slice(0, 60));
    expect(body.length).toBe(77);
  });

  it("ends after the second piece, with the transport's proper end and not the protocol's", async () => {
    const cut = { afterChunk: 2, how: "clean-end" } as const;
    const { body, broken } = await ask(await upstream({ answer: { chunks }, cut }), sample);
    expect(broken).toBeUndefined();
    // The second element's comma promises a third.
    const readable = array ? Buffer.from(`${body.toString().replace(/,\r\n$/, "")}]`) : body;
    expect(said(sample, readable)).toBe("one two ");
    expect(sample.events(readable).some(sample.finished)).toBe(false);
  });

  it("leaves its completion or its finish out", async () => {
    const closed = (body: Buffer): Buffer => (array ? Buffer.concat([body, Buffer.from("]")]) : body);
    const noFinish = await ask(await upstream({ answer: { chunks }, omitFinish: true }), sample);
    expect(sample.events(noFinish.body).some(sample.finished)).toBe(false);
    expect(said(sample, noFinish.body)).toBe("one two three four");
    const noDone = (await ask(await upstream({ answer: { chunks }, omitDone: true }), sample)).body;
    expect(sample.completion?.(noDone) ?? false).toBe(false);
    expect(sample.events(closed(noDone)).some(sample.finished)).toBe(sample.finishCompletes !== true);
  });

  it("reports an error between two pieces, and nothing behind it", async () => {
    const errorEvent = { after: { chunk: 2 }, kind: "overloaded", message: "too much" } as const;
    const { body, status } = await ask(await upstream({ answer: { chunks }, errorEvent }), sample);
    expect(status).toBe(200);
    const events = sample.events(body);
    const place = events.findIndex(sample.failed);
    expect(events.slice(0, place).map(sample.text).join("")).toBe("one two ");
    expect(JSON.stringify(events[place])).toContain("too much");
    expect(
      events
        .slice(place + 1)
        .map(sample.text)
        .join(""),
    ).toBe("");
    expect(events.some(sample.finished)).toBe(false);
  });

  it("reports an error in place of the first piece", async () => {
    const { body } = await ask(await upstream({ answer: { chunks }, errorEvent: { after: "head" } }), sample);
    expect(sample.events(body).some(sample.failed)).toBe(true);
    expect(said(sample, body)).toBe("");
  });

  it.each(["broken-json", "two-objects", "html", "half-frame", "bad-checksum", "invalid-utf8"] as const)(
    "holds a piece that is malformed as %s behind good ones",
    async (kind) => {
      const malformed = { afterChunk: 2, kind } as const;
      const whole = (await ask(await upstream({ answer: { chunks } }), sample)).body;
      const { body } = await ask(await upstream({ answer: { chunks }, malformed }), sample);
      expect(masked(body)).not.toBe(masked(whole));
      if (kind === "invalid-utf8") {
        expect(body.includes(0xff) || sample.title.includes("Bedrock")).toBe(true);
        expect(said(sample, body)).toContain("bad\u{fffd}byte");
      } else {
        const strict = sample.streamType.startsWith("text/") && (kind === "html" || kind === "bad-checksum");
        if (!strict) expect(() => sample.events(body)).toThrow();
      }
      if (!array) expect(readable(sample, body).startsWith("one two ")).toBe(true);
    },
  );

  it("repeats a piece, adds an event nobody knows, and one of any size", async () => {
    const twice = await ask(
      await upstream({ answer: { chunks }, malformed: { afterChunk: 2, kind: "duplicate" } }),
      sample,
    );
    expect(said(sample, twice.body)).toBe("one two two three four");
    const odd = await ask(
      await upstream({ answer: { chunks }, malformed: { afterChunk: 2, kind: "unknown-event" } }),
      sample,
    );
    expect(sample.events(odd.body).some((event) => event["surprise"] === true)).toBe(true);
    expect(said(sample, odd.body)).toBe("one two three four");
    const big = { afterChunk: 2, kind: "oversize", bytes: 300_000 } as const;
    const flood = await ask(await upstream({ answer: { chunks }, malformed: big }), sample);
    expect(said(sample, flood.body).length).toBe(300_000 + "one two three four".length);
  });

  it("stalls after two pieces and goes on when it is over", async () => {
    const clock = new VirtualClock();
    const stall = { after: { chunk: 2 }, pingEveryMs: 10, forMs: 35 } as const;
    const simulator = await upstream({ answer: { chunks }, stall }, clock);
    const reply = ask(simulator, sample);
    await expect.poll(() => clock.pending).toBe(1);
    expect(simulator.log.last?.state).toBe("running");
    await clock.advanceAsync(35);
    expect(said(sample, (await reply).body)).toBe("one two three four");
  });

  it("leaves usage out where it is told to", async () => {
    const answer = { chunks, usage: { input: 1234, output: 77 } };
    const told = (await ask(await upstream({ answer }), sample, { streamed: false })).body;
    expect(told.toString()).toContain("1234");
    for (const streamed of [true, false]) {
      const untold = (await ask(await upstream({ answer, omitUsage: true }), sample, { streamed })).body;
      expect(JSON.stringify(streamed ? sample.events(untold) : untold.toString())).not.toContain("1234");
    }
  });

  it("answers a scripted status in its own shape", async () => {
    const { status, body } = await ask(
      await upstream({ errorKind: "rate-limit", headers: { "retry-after": "7" } }),
      sample,
    );
    expect(status).toBe(429);
    expect(JSON.stringify(JSON.parse(body.toString()))).toContain("Rate limit reached");
  });

  it("refuses a field nobody knows, with 400", async () => {
    const { status, body } = await ask(await upstream({ answer: { chunks } }), sample, {
      fields: { hedgerow: { route: "r" } },
    });
    expect(status).toBe(400);
    expect(body.toString()).toContain("hedgerow");
  });
});

describe("binary frames", () => {
  const converse = voiceSamples.find(({ title }) => title === "Bedrock Converse") as VoiceSample;

  it("say in their headers what they carry, and pad what they hold", async () => {
    const { body } = await ask(await upstream({ answer: { chunks } }), converse);
    const frames = binaryFrames(body);
    expect(frames.map(({ headers }) => headers[":event-type"])).toEqual([
      "messageStart",
      ...chunks.map(() => "contentBlockDelta"),
      "contentBlockStop",
      "messageStop",
      "metadata",
    ]);
    for (const { headers, payload } of frames) {
      expect(headers).toMatchObject({ ":message-type": "event", ":content-type": "application/json" });
      expect(JSON.parse(payload.toString())).toHaveProperty("p");
    }
  });

  it("name an exception in the header, and in the header of a whole reply", async () => {
    const errorEvent = { after: { chunk: 1 }, kind: "rate-limit" } as const;
    const { body } = await ask(await upstream({ answer: { chunks }, errorEvent }), converse);
    expect(binaryFrames(body).at(-1)?.headers).toMatchObject({
      ":message-type": "exception",
      ":exception-type": "throttlingException",
    });
    const { headers } = await ask(await upstream({ status: 503 }), converse);
    expect(headers.get("x-amzn-errortype")).toMatch(/^ServiceUnavailableException:/);
  });

  it("have no pings, and comments that carry nothing", async () => {
    const malformed = { afterChunk: 1, kind: "comment" } as const;
    const { body } = await ask(await upstream({ answer: { chunks }, malformed, crlf: true }), converse);
    expect(binaryFrames(body).filter(({ payload }) => payload.length === 0)).toHaveLength(1);
    expect(said(converse, body)).toBe("one two three four");
  });
});

describe("Gemini's events", () => {
  it("end their lines in CRLF, and say STOP behind a call that came whole", async () => {
    const gemini = voiceSamples.find(({ title }) => title === "Gemini") as VoiceSample;
    const simulator = await upstream({ answer: { toolCalls: [{ name: "f", arguments: { a: 1 } }] } });
    const { body } = await ask(simulator, gemini);
    expect(body.toString()).not.toMatch(/[^\r]\n/);
    expect(gemini.events(body)).toMatchObject([
      { candidates: [{ content: { parts: [{ functionCall: { name: "f", args: { a: 1 } } }], role: "model" } }] },
      { candidates: [{ content: { parts: [{ text: "" }] }, finishReason: "STOP" }] },
    ]);
  });
});
