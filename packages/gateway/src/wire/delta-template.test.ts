import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeltaTemplate } from "./delta-template.ts";

const chunk = (content: string, more: object = {}): string =>
  JSON.stringify({ id: "c1", choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null, ...more });

function learnt(data: string, text: string): DeltaTemplate {
  const template = new DeltaTemplate("content");
  template.learn(data, text);
  return template;
}

describe("DeltaTemplate", () => {
  it("agrees with a full parse on every text, and knows every chunk that repeats the learnt one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (first, second) => {
        const template = learnt(chunk(first), first);
        const read = template.match(chunk(second));
        // A lone surrogate is escaped by JSON.stringify and read back as it was.
        expect(read).toBe(
          (JSON.parse(chunk(second)) as { choices: { delta: { content: string } }[] }).choices[0]?.delta.content,
        );
      }),
    );
  });

  it("never answers for a chunk whose other parts differ", () => {
    const anything = fc.record({ id: fc.constantFrom("c1", "c2"), usage: fc.constantFrom(null, { total_tokens: 1 }) });
    fc.assert(
      fc.property(fc.string(), anything, fc.constantFrom(null, "stop"), (text, more, finish) => {
        const template = learnt(chunk("a"), "a");
        const other = JSON.stringify({
          ...JSON.parse(chunk(text)),
          choices: [{ index: 0, delta: { content: text }, finish_reason: finish }],
          ...more,
        });
        const isSame = more.id === "c1" && more.usage === null && finish === null;
        expect(template.match(other)).toBe(isSame ? text : undefined);
      }),
    );
  });

  it("lets a random filler differ, but nothing around it", () => {
    const template = learnt(chunk("a", { obfuscation: "x1" }), "a");
    expect(template.match(chunk("b", { obfuscation: "longer filler" }))).toBe("b");
    expect(template.match(chunk("b", { obfuscation: "x", more: 1 }))).toBeUndefined();
    expect(template.match(chunk("b").replace("}", ',"obfuscation":"x\\"}'))).toBeUndefined();
  });

  it("lets padding before the closing braces differ", () => {
    const delta = (text: string, pad: string): string => `{"type":"d","delta":{"content":"${text}"}${pad}}`;
    const template = learnt(delta("a", ""), "a");
    expect(template.match(delta("b", "      "))).toBe("b");
    expect(template.match(`${delta("b", "")}}`)).toBeUndefined();
  });

  it("asks for a full parse where the key stands twice, or the string is not valid JSON", () => {
    expect(
      learnt(`{"content":"a","x":{"content":"a"}}`, "a").match(`{"content":"b","x":{"content":"a"}}`),
    ).toBeUndefined();
    const template = learnt(chunk("a"), "a");
    expect(template.match(chunk("QQ").replace("QQ", "raw\u0001control"))).toBeUndefined();
    expect(template.match(chunk("QQ").replace("QQ", "bad \\x escape"))).toBeUndefined();
    expect(template.match(chunk("QQ").replace('QQ"', "never closed"))).toBeUndefined();
  });
});
