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

describe("frames known by their bytes", () => {
  const framed = (content: string, more: object = {}, before = "data: "): Buffer =>
    Buffer.from(`${before}${chunk(content, more)}\n\n`);
  const filler = (text: string) => ({ obfuscation: text });
  function learntFrame(more: object = {}, before = "data: "): DeltaTemplate {
    const template = new DeltaTemplate("content");
    template.learn(chunk("a", more), "a", framed("a", more, before));
    return template;
  }
  const simple = fc.string({ unit: "grapheme" }).filter((text) => JSON.stringify(text) === `"${text}"`);

  it("end where they end and have the text they have, wherever they stand; a part of one is not known", () => {
    fc.assert(
      fc.property(simple, fc.nat(9), fc.boolean(), (text, offset, hasFiller) => {
        const more = hasFiller ? filler("xyz") : {};
        const template = learntFrame(hasFiller ? filler("x1") : {});
        const frame = framed(text, more);
        const bytes = Buffer.concat([Buffer.alloc(offset, 0x0a), frame, framed("next", more)]);
        expect(template.matchFrame(bytes, offset, 1e6)).toBe(offset + frame.length);
        expect(template.frameText).toBe(text);
        for (let end = offset; end < offset + frame.length; end += 1) {
          expect(template.matchFrame(bytes.subarray(0, end), offset, 1e6)).toBe(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("follow one another as one, as far as they repeat and each is there and short enough", () => {
    const texts = fc.array(
      simple.filter((text) => text !== ""),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(texts, fc.boolean(), (all, hasFiller) => {
        const more = hasFiller ? filler("xyz") : {};
        const template = learntFrame(hasFiller ? filler("x1") : {});
        const frames = all.map((text) => framed(text, more));
        const bytes = Buffer.concat(frames);
        const longest = Math.max(...frames.map(({ length }) => length));
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          let [whole, end] = [0, 0];
          // Behind a filler each frame is by itself.
          while (whole < (hasFiller ? 1 : all.length) && end + (frames[whole]?.length ?? 0) <= cut) {
            end += frames[whole]?.length ?? 0;
            whole += 1;
          }
          const seen = template.matchRun(bytes.subarray(0, cut), 0, longest);
          expect([seen, seen === 0 ? "" : template.frameText]).toEqual([end, all.slice(0, whole).join("")]);
        }
        const tooLong = frames.findIndex(({ length }) => length === longest);
        if (tooLong > 0 && !hasFiller) {
          const before = frames.slice(0, tooLong).reduce((sum, { length }) => sum + length, 0);
          expect(template.matchRun(bytes, 0, longest - 1)).toBe(before);
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["one without a text", framed("")],
    ["one with an escape", framed('say "a"')],
    ["the end", Buffer.from("data: [DONE]\n\n")],
    ["another key", framed("c", { more: 1 })],
    ["a comment", Buffer.from(": ping\n\n")],
  ])("end their run before %s", (_what, next) => {
    const two = Buffer.concat([framed("b"), framed("c")]);
    const template = learntFrame();
    expect(template.matchRun(Buffer.concat([two, next, framed("d")]), 0, 1e6)).toBe(two.length);
    expect(template.frameText).toBe("bc");
  });

  it.each([
    ["an escape in the text", framed('say "a"')],
    ["another key behind it", framed("b", { more: 1 })],
    ["an escape in the filler", framed("b", filler('"'))],
    ["another line end", Buffer.from(`data: ${chunk("b")}\r\n\r\n`)],
    ["a line behind it", Buffer.from(`data: ${chunk("b")}\nid: 4\n\n`)],
    ["an event's name", framed("b", {}, "event: error\ndata: ")],
  ])("are not known with %s", (_what, bytes) => {
    expect(learntFrame().matchFrame(bytes, 0, 1e6)).toBe(0);
    expect(learntFrame(filler("x1")).matchFrame(bytes, 0, 1e6)).toBe(0);
  });

  it("keep the event's name they were learnt with", () => {
    const before = "event: content_block_delta\ndata: ";
    const template = learntFrame({}, before);
    const bytes = framed("b", {}, before);
    expect([template.matchFrame(bytes, 0, 1e6), template.frameText]).toEqual([bytes.length, "b"]);
    expect(template.matchFrame(framed("b"), 0, 1e6)).toBe(0);
  });

  it.each(["data: x\ndata: ", ": comment\ndata: ", "id: 1\ndata: "])("are not learnt behind %j", (before) => {
    const template = learntFrame({}, before);
    expect(template.matchFrame(framed("b", {}, before), 0, 1e6)).toBe(0);
  });
});
