import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OtlpAttribute, OtlpValue } from "#control/telemetry/otlp";
import { providerFacts } from "#control/telemetry/provider-facts";
import { spansOf, type OtlpSpan } from "#control/telemetry/spans";
import type { AttemptRecord, CallRecord, Decision } from "#domain/record";
import { attemptSpanId, callSpanId, traceIdOf } from "#domain/trace";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";
import { sampleProvider, sampleSnapshot } from "../world/sample-snapshot.ts";

const providers = providerFacts(
  sampleSnapshot(
    [
      sampleProvider("openai", { kind: "openai", origin: "https://api.openai.com" }),
      sampleProvider("local", { kind: "vllm", origin: "http://127.0.0.1:8000" }),
      sampleProvider("cloud", { kind: "bedrock", origin: "https://bedrock-runtime.eu-west-1.amazonaws.com" }),
    ],
    [],
  ),
);
const all = { providers, share: 1 };

const id = "req_00112233445566778899aabb";
const trace = { id: "0af7651916cd43dd8448eb211c80319c", parent: "b7ad6b7169203331", sampled: true };

function plain(value: OtlpValue): unknown {
  if ("arrayValue" in value) return value.arrayValue.values.map(plain);
  return "intValue" in value ? Number(value.intValue) : Object.values(value)[0];
}

const fields = (attributes: readonly OtlpAttribute[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));

function one(record: CallRecord): readonly [OtlpSpan, ...OtlpSpan[]] {
  const [call, ...attempts] = spansOf(record, all);
  if (call === undefined) throw new Error("no span");
  return [call, ...attempts];
}

describe("The spans of a call", () => {
  it("are one for the call and one under it for each attempt, in times that its record tells", () => {
    const [call, attempt, ...more] = one(callRecord(id));
    expect(more).toEqual([]);
    expect(call).toMatchObject({
      traceId: traceIdOf(id),
      spanId: callSpanId(id),
      name: "chat default",
      kind: 2,
      // It ended at 10:00:00.000 and took 912.5 ms.
      startTimeUnixNano: "1795255199087500000",
      endTimeUnixNano: "1795255200000000000",
      status: {},
      flags: 0x101,
    });
    expect(call).not.toHaveProperty("parentSpanId");
    expect(attempt).toMatchObject({
      traceId: traceIdOf(id),
      spanId: attemptSpanId(id, "openai/gpt-5.4", 1),
      parentSpanId: callSpanId(id),
      name: "chat gpt-5.4",
      kind: 3,
      startTimeUnixNano: "1795255199088500000",
      endTimeUnixNano: "1795255199987500000",
      events: [{ name: "hedgerow.first_content", timeUnixNano: "1795255199337500000" }],
    });
  });

  it("say by the conventions what was asked and used, the usage of an answer once", () => {
    const [call, attempt] = one(callRecord(id, { finish: "stop", session: "s-1", tags: ["a", "b"] }));
    expect(fields(call.attributes)).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "default",
      "gen_ai.response.model": "gpt-5.4",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.conversation.id": "s-1",
      "gen_ai.usage.input_tokens": 124,
      "gen_ai.usage.output_tokens": 50,
      "gen_ai.usage.cache_read.input_tokens": 20,
      "gen_ai.usage.cache_creation.input_tokens": 4,
      "gen_ai.usage.reasoning.output_tokens": 10,
      "http.response.status_code": 200,
      "hedgerow.decision": "answered",
      "hedgerow.route": "default",
      "hedgerow.cost.usd": 0.001,
      "hedgerow.tags": ["a", "b"],
    });
    const said = fields(attempt?.attributes ?? []);
    expect(said).toMatchObject({
      "server.address": "api.openai.com",
      "server.port": 443,
      "gen_ai.request.model": "gpt-5.4",
      "gen_ai.response.time_to_first_chunk": 0.249,
      "hedgerow.attempt.number": 1,
      "hedgerow.attempt.role": "answer",
      "hedgerow.usage.input_tokens": 124,
    });
    expect(Object.keys(said).filter((name) => name.startsWith("gen_ai.usage."))).toEqual([]);
  });

  it("of a call that failed over and was doubted show why, whose machines it was, and what they cost", () => {
    const [call, failed, doubted, judge] = one(
      callRecord(id, {
        decision: "doubted",
        code: "low_confidence",
        status: 502,
        attempts: [
          attemptRecord({
            provider: "local",
            target: "local/x",
            model: "x",
            outcome: "failed",
            failure: "overloaded",
            status: 529,
          }),
          attemptRecord({
            provider: "cloud",
            startedMs: 900,
            endedMs: 1900,
            outcome: "doubted",
            judgement: sampleJudgement(),
            groups: ["provider:cloud", "operator:aws", "owner:aws", "region:eu-west-1"],
          }),
          attemptRecord({ startedMs: 1900, endedMs: 2000, role: "judge" }),
        ],
      }),
    );
    expect(call.status).toEqual({ code: 2, message: "low_confidence" });
    expect(fields(call.attributes)).toMatchObject({
      "error.type": "low_confidence",
      "hedgerow.confidence.score": 0.625,
      "hedgerow.confidence.threshold": 0.85,
      "gen_ai.provider.name": "aws.bedrock",
    });
    expect(failed?.status).toEqual({ code: 2, message: "overloaded" });
    expect(fields(failed?.attributes ?? [])).toMatchObject({
      "error.type": "overloaded",
      "http.response.status_code": 529,
      "server.address": "127.0.0.1",
      "server.port": 8000,
    });
    expect(doubted?.status).toEqual({});
    expect(fields(doubted?.attributes ?? [])).toMatchObject({
      "supply.operator": "aws",
      "supply.owner": "aws",
      "supply.region": "eu-west-1",
      "hedgerow.confidence.verdict": "doubted",
      "hedgerow.attempt.outcome": "doubted",
    });
    expect(fields(judge?.attributes ?? [])).toMatchObject({
      "hedgerow.attempt.role": "judge",
      "hedgerow.attempt.number": 3,
    });
  });

  it("hang in the caller's trace where it has one, and a shadow's under the call it is compared with", () => {
    const record = callRecord(id, { trace: { ...trace, state: "rojo=1" } });
    const [call, attempt] = one(record);
    expect(call).toMatchObject({ traceId: trace.id, parentSpanId: trace.parent, traceState: "rojo=1", flags: 0x301 });
    expect(attempt).toMatchObject({ traceId: trace.id, parentSpanId: call.spanId, traceState: "rojo=1", flags: 0x101 });
    const [shadow] = one(callRecord("req_2", { decision: "shadow", shadow: { of: id, propensity: 0.1 } }));
    expect(shadow).toMatchObject({ traceId: traceIdOf(id), parentSpanId: callSpanId(id), flags: 0x101 });
  });

  it("follow the caller's word on whether a trace is kept, and else the share", () => {
    const none = { providers, share: 0 };
    expect(spansOf(callRecord(id), none)).toEqual([]);
    expect(spansOf(callRecord(id, { trace }), none)).toHaveLength(2);
    expect(spansOf(callRecord(id, { trace: { ...trace, sampled: false } }), all)).toEqual([]);
  });

  it("are no errors where the caller was wrong or left, and errors where the gateway or its providers failed", () => {
    const statusOf = (decision: Decision, status: number) => one(callRecord(id, { decision, status }))[0].status.code;
    for (const [decision, status] of [
      ["refused", 429],
      ["aborted", 200],
      ["doubted", 202],
      ["recovered", 200],
    ] as const) {
      expect(statusOf(decision, status), decision).toBeUndefined();
    }
    for (const [decision, status] of [
      ["failed", 502],
      ["broken", 200],
      ["refused", 503],
    ] as const) {
      expect(statusOf(decision, status), decision).toBe(2);
    }
  });

  it("have few names: a model that is made up and led nowhere is none", () => {
    const [call] = one(callRecord(id, { route: "", requestedModel: "made-up/17", decision: "refused", attempts: [] }));
    expect(call.name).toBe("chat");
    expect(fields(call.attributes)).toMatchObject({ "gen_ai.request.model": "made-up/17" });
  });

  it("are valid whatever a record says: ids apart, times in order, values that JSON can hold", () => {
    const anyMs = fc.double({ min: 0, max: 1e6, noNaN: true });
    const anyAttempt: fc.Arbitrary<AttemptRecord> = fc.record({
      target: fc.constantFrom("openai/a", "openai/b"),
      provider: fc.constantFrom("openai", "gone"),
      model: fc.string(),
      credential: fc.string(),
      outcome: fc.constantFrom("answered", "failed", "doubted", "blocked", "broken", "outrun"),
      startedMs: fc.oneof(fc.constant(0), anyMs),
      endedMs: anyMs,
    });
    fc.assert(
      fc.property(
        fc.array(anyAttempt, { maxLength: 8 }),
        fc.string(),
        anyMs,
        (attempts, requestedModel, durationMs) => {
          const [call, ...under] = one(callRecord(id, { attempts, requestedModel, durationMs, costNanoUsd: 1e9 }));
          expect(under).toHaveLength(attempts.length);
          const spans = [call, ...under];
          expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
          for (const span of spans) {
            expect(span.spanId).toMatch(/^[0-9a-f]{16}$/u);
            expect(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano)).toBe(true);
          }
          expect(JSON.stringify(spans)).not.toContain("null");
          expect(call.attributes).toContainEqual({ key: "hedgerow.cost.usd", value: { doubleValue: 1 } });
        },
      ),
    );
  });
});
