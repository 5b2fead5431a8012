import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dialects } from "#dialects/registry";
import { decodeRequest } from "./decode-request.ts";

/** What becomes of a tool call's input that was written like this. */
function carried(input: string): string | undefined {
  const call = `{"type":"tool_use","id":"a","name":"f","input":${input}}`;
  const text = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"x"},${call}]}]}`;
  const decoded = decodeRequest(JSON.parse(text), {}, text);
  const part = decoded.kind === "decoded" ? decoded.request.turns[1]?.parts[1] : undefined;
  return part?.kind === "tool-call" ? part.argumentsJson : undefined;
}

describe("the input of an earlier tool call", () => {
  it.each([
    "12345678901234567890",
    "-9007199254740993",
    "1.0",
    "[1.50]",
    "1e3",
    "1E-7",
    "0.1000000000000000055",
    '{"deep":[{"n":100000000000000000001}]}',
  ])("keeps the digits of %s", (number) => {
    expect(carried(`{"n":${number}}`)).toBe(`{"n":${number}}`);
  });

  it("keeps the digits of every number JSON can write", () => {
    const numbers = fc.stringMatching(/^-?(?:0|[1-9]\d{0,25})(?:\.\d{1,20})?(?:[eE][+-]?\d{1,2})?$/u);
    fc.assert(
      fc.property(numbers, fc.constantFrom("", " ", "\n"), (number, space) => {
        expect(carried(`{"n":${space}${number}}`)).toBe(`{"n":${number}}`);
      }),
      { numRuns: 1000 },
    );
  });

  it("goes to another language with them", () => {
    const text =
      '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":' +
      '[{"type":"tool_use","id":"a","name":"f","input":{"id":12345678901234567890}}]}]}';
    const decoded = dialects["anthropic-messages"].decodeRequest(JSON.parse(text), {}, text);
    expect(JSON.stringify(decoded)).toContain('{\\"id\\":12345678901234567890}');
  });
});
