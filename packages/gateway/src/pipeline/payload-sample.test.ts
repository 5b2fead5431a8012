import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Call } from "#domain/call";
import type { Payload, PayloadRule } from "#domain/payload";
import type { Exchange } from "#domain/ports";
import type { Snapshot } from "#domain/snapshot";
import { scanFields } from "#wire/json-splice";
import type { DataPlane } from "./data-plane.ts";
import { watchPayload } from "./payload-sample.ts";

const rule: PayloadRule = { share: 1, maxBytes: 64, keepMs: 1, maxTotalBytes: 1 };

function asked(body: object | string, id = "req_0123456789abcdef01234567") {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const scan = scanFields(bytes, { maxDepth: 10 });
  if ("problem" in scan) throw new Error(scan.problem);
  const call = { id, caller: "app", dialect: "openai-chat", operation: "generate", model: "main", body: bytes };
  return { call: call as unknown as Call, scan };
}

function opened(more: Partial<PayloadRule> = {}, headers: Exchange["headers"] = {}) {
  const told: Payload[] = [];
  const sent: Buffer[] = [];
  const plane = {
    payloads: { put: (payload: Payload) => void told.push(payload) },
    clock: { wallMs: () => 7 },
  } as unknown as DataPlane;
  const exchange = {
    headers,
    respond() {},
    write: (bytes: Uint8Array) => sent.push(Buffer.from(bytes)) > 0,
    end: (bytes?: Uint8Array) => void sent.push(Buffer.from(bytes ?? "")),
  } as unknown as Exchange;
  const snapshot = { payloads: { ...rule, ...more } } as unknown as Snapshot;
  return {
    told,
    sent,
    plane,
    watch: (of: ReturnType<typeof asked>) => watchPayload(exchange, of, { plane, snapshot }),
  };
}

const anId = fc.stringMatching(/^[0-9a-f]{24}$/u).map((hex) => `req_${hex}`);

describe("whose payloads are kept", () => {
  it("nobody's without a rule, or without a log", () => {
    const { plane } = opened();
    const exchange = { headers: {} } as unknown as Exchange;
    const snapshot = { payloads: rule } as unknown as Snapshot;
    expect(watchPayload(exchange, asked({}), { plane, snapshot: {} as Snapshot })).toBeUndefined();
    expect(watchPayload(exchange, asked({}), { plane: {} as DataPlane, snapshot })).toBeUndefined();
  });

  it("is told by the id alone: all of one, none of nothing, and who is in a share is in every larger one", () => {
    const isIn = (id: string, share: number): boolean => opened({ share }).watch(asked({}, id)) !== undefined;
    fc.assert(
      fc.property(
        anId,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (id, a, b) => {
          expect([isIn(id, 0), isIn(id, 1)]).toEqual([false, true]);
          expect(isIn(id, a)).toBe(isIn(id, a));
          if (isIn(id, Math.min(a, b))) expect(isIn(id, Math.max(a, b))).toBe(true);
        },
      ),
    );
  });

  it("is the share that was asked for", () => {
    const { watch } = opened({ share: 0.01 });
    const ids = Array.from({ length: 10_000 }, (_, at) => {
      // Fixed, and spread evenly over the last 32 bits.
      const low = Math.imul(at + 1, 0x9e3779b1) >>> 0;
      return `req_0123456789abcdef${low.toString(16).padStart(8, "0")}`;
    });
    const kept = ids.filter((id) => watch(asked({}, id)) !== undefined).length;
    expect([kept >= 90, kept <= 110]).toEqual([true, true]);
  });

  it("is not those who say no: by `store: false` at the top, or by the header", () => {
    const { watch } = opened();
    expect(watch(asked({ store: false }))).toBeUndefined();
    for (const body of [{}, { store: true }, { store: null }, { metadata: { store: false } }]) {
      expect(watch(asked(body))).toBeDefined();
    }
    for (const word of ["off", " OFF ", "on, off"])
      expect(opened({}, { "x-hedgerow-payload": word }).watch(asked({}))).toBeUndefined();
    expect(opened({}, { "x-hedgerow-payload": "on" }).watch(asked({}))).toBeDefined();
  });

  it("is not who says it twice, once of which is no", () => {
    for (const text of ['{"store":true,"store":false}', '{"store":false,"store":true}']) {
      expect(opened().watch(asked(text))).toBeUndefined();
    }
  });

  it("of a call that was made whole from an earlier answer is what its caller wrote, the word about storing too", () => {
    const { told, plane, watch } = opened();
    const written = asked({ input: "b", previous_response_id: "r" });
    const whole = asked({ input: ["a", "b"], store: false });
    watch({ ...whole, thread: written } as typeof whole)?.tell("main", plane);
    expect(told.map(({ request }) => Buffer.from(request.kept))).toEqual([written.call.body]);
    expect(watch({ ...written, thread: asked({ input: "b", store: false }) } as typeof whole)).toBeUndefined();
  });
});

describe("what is kept of an answer", () => {
  it("is the beginning of what was sent, up to the bound, however it was cut into pieces", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
    fc.assert(
      fc.property(
        pieces,
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 1, max: 200 }),
        (some, last, maxBytes) => {
          const { told, sent, plane, watch } = opened({ maxBytes });
          const watched = watch(asked({ input: "x".repeat(100) }));
          watched?.respond(200, {});
          for (const piece of some) watched?.write(piece);
          watched?.end(last);
          watched?.tell("main", plane);
          const all = Buffer.concat([...some, last]);
          expect(Buffer.concat(sent)).toEqual(all);
          const [payload] = told;
          expect(Buffer.from(payload?.answer.kept ?? [])).toEqual(all.subarray(0, maxBytes));
          expect(payload).toMatchObject({ atMs: 7, status: 200, route: "main", answer: { bytes: all.length } });
          expect(payload?.request.kept.length).toBe(Math.min(maxBytes, payload?.request.bytes ?? 0));
        },
      ),
    );
  });

  it("is a copy within the bound: neither what the bytes lay in is held, nor what is written there later", () => {
    const { told, plane, watch } = opened({ maxBytes: 4_000 });
    const watched = watch(asked({}));
    const read = Buffer.alloc(65_536, "a");
    for (let at = 0; at < 5_000; at += 1) watched?.write(read.subarray(at, at + 1));
    read.fill("b");
    watched?.end();
    watched?.tell("main", plane);
    const kept = told[0]?.answer.kept ?? new Uint8Array();
    expect(Buffer.from(kept).toString()).toBe("a".repeat(4_000));
    expect(kept.buffer.byteLength).toBeLessThanOrEqual(4_000);
  });

  it("says so much of a model's name as a record does, for callers write it", () => {
    const { told, plane, watch } = opened();
    const { call, scan } = asked({});
    watch({ call: { ...call, model: "m".repeat(100_000) }, scan })?.tell("", plane);
    expect(told[0]?.model).toBe("m".repeat(256));
  });
});
