import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attemptSpanId, callSpanId, isKept, readTraceContext, traceHeaders, traceIdOf } from "./trace.ts";

const id = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";

describe("A trace that a call came with", () => {
  it("is read from a whole traceparent of version 00", () => {
    expect(readTraceContext({ traceparent: `00-${id}-${parent}-01` })).toEqual({ id, parent, sampled: true });
    expect(readTraceContext({ traceparent: `00-${id}-${parent}-00` })?.sampled).toBe(false);
    // Other flags than the first are for others.
    expect(readTraceContext({ traceparent: `00-${id}-${parent}-03` })?.sampled).toBe(true);
  });

  it("is ignored where it is anything else", () => {
    const bad = [
      "",
      `01-${id}-${parent}-01`,
      `ff-${id}-${parent}-01`,
      `00-${"0".repeat(32)}-${parent}-01`,
      `00-${id}-${"0".repeat(16)}-01`,
      `00-${id.toUpperCase()}-${parent}-01`,
      `00-${id}-${parent}-1`,
      `00-${id}-${parent}-01-more`,
      ` 00-${id}-${parent}-01`,
      `00-${id}-${parent}-01\n`,
      // Two headers, as Node joins them.
      `00-${id}-${parent}-01, 00-${id}-${parent}-01`,
    ];
    for (const traceparent of bad) expect(readTraceContext({ traceparent }), traceparent).toBeUndefined();
    expect(readTraceContext({ tracestate: "a=b" })).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (traceparent) => {
        const read = readTraceContext({ traceparent });
        if (read !== undefined) expect(traceparent).toContain(read.id);
      }),
    );
  });

  it("has its state where that is whole, and goes on without where it is not", () => {
    const stateOf = (tracestate: string) =>
      readTraceContext({ traceparent: `00-${id}-${parent}-01`, tracestate })?.state;
    expect(stateOf("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")).toBe("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    expect(stateOf("rojo=1, \tcongo=2,")).toBe("rojo=1,congo=2");
    expect(stateOf("fw529a3039@dt=FfFfFf")).toBe("fw529a3039@dt=FfFfFf");
    for (const bad of ["", ",", "a", "A=b", "a=b\u0007", "a=b=c", `a=${"b".repeat(512)}`, "ö=1"]) {
      expect(stateOf(bad), bad).toBeUndefined();
    }
    expect(stateOf(Array.from({ length: 33 }, (_, at) => `a${at}=1`).join(","))).toBeUndefined();
  });
});

describe("Ids that follow from a call", () => {
  const callId = fc.string({ unit: fc.constantFrom(..."0123456789abcdef".split("")), minLength: 24, maxLength: 24 });

  it("are whole, never zero, and always the same", () => {
    fc.assert(
      fc.property(fc.oneof(callId, fc.string()), fc.string(), fc.double({ noNaN: true }), (call, target, startedMs) => {
        const trace = traceIdOf(call);
        expect(trace).toMatch(/^(?!0+$)[0-9a-f]{32}$/u);
        expect(traceIdOf(call)).toBe(trace);
        for (const span of [callSpanId(call), attemptSpanId(call, target, startedMs)]) {
          expect(span).toMatch(/^(?!0+$)[0-9a-f]{16}$/u);
        }
        const said = traceHeaders({ id: trace, span: callSpanId(call), sampled: true });
        expect(readTraceContext(said)).toEqual({ id: trace, parent: callSpanId(call), sampled: true });
      }),
    );
  });

  it("differ among a hundred thousand spans", () => {
    const spans = new Set<string>();
    for (let call = 0; call < 20_000; call += 1) {
      const name = `req_${call.toString(16).padStart(24, "0")}`;
      spans.add(callSpanId(name));
      for (let at = 0; at < 4; at += 1) spans.add(attemptSpanId(name, `openai/gpt-${at}`, at / 8));
    }
    expect(spans.size).toBe(100_000);
  });

  it("keep the share that is asked for", () => {
    let kept = 0;
    for (let call = 0; call < 20_000; call += 1) {
      const trace = traceIdOf(`call ${call}`);
      if (isKept(trace, 0.25)) kept += 1;
      expect(isKept(trace, 1)).toBe(true);
      expect(isKept(trace, 0)).toBe(false);
    }
    expect(kept / 20_000).toBeGreaterThan(0.23);
    expect(kept / 20_000).toBeLessThan(0.27);
  });
});
