import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pathEditor } from "./json-paths.ts";

const edit = pathEditor(
  [
    [["top"], "0"],
    [["list", "*", "gone"], undefined],
    [["list", "*", "reset"], "null"],
    [["in", "list", "*", "reset"], "[]"],
  ],
  "e",
);

function edited(text: string): string {
  return Buffer.from(edit(Buffer.from(text))).toString();
}

describe("pathEditor", () => {
  it("leaves bytes without its places as they are, and the same object", () => {
    const bytes = Buffer.from('{"reset": 1, "list": {"reset": 2}, "other": [{"gone": 3}]}');
    expect(edit(bytes)).toBe(bytes);
    const without = Buffer.from('{"list":[]}');
    expect(edit(without)).toBe(without);
  });

  it.each([
    [
      '{"list":[{"reset":[1,{"a":"]"}],"b":1.0e2},{"reset":null}]}',
      '{"list":[{"reset":null,"b":1.0e2},{"reset":null}]}',
    ],
    ['{ "list" : [ { "reset" : {"x":{}} } ] }', '{ "list" : [ { "reset" : null } ] }'],
    ['{"list":[{"gone":1,"keep":2}]}', '{"list":[{"keep":2}]}'],
    ['{"list":[{"keep":2, "gone":1}]}', '{"list":[{"keep":2}]}'],
    ['{"list":[{"gone":1}]}', '{"list":[{}]}'],
    ['{"list":[{"gone":1,"gone":2,"reset":3,"gone":4}]}', '{"list":[{"reset":null}]}'],
    ['{"in":{"list":[{"reset":[1]},{}]},"top":5}', '{"in":{"list":[{"reset":[]},{}]},"top":0}'],
    ['{"list":[{"text":"\\"reset\\":[1]","reset":"\\\\"}]}', '{"list":[{"text":"\\"reset\\":[1]","reset":null}]}'],
  ])("edits %s", (from, to) => {
    expect(edited(from)).toBe(to);
  });

  it("edits every object of a frame and nothing between them", () => {
    const frame = 'event: a\ndata: {"list":[{"reset":[1]}]}\r\n\r\n,{"list":[{"gone":1}]}\n]';
    expect(edited(frame)).toBe('event: a\ndata: {"list":[{"reset":null}]}\r\n\r\n,{"list":[{}]}\n]');
  });

  it.each([
    '{"list":[{"reset":[1',
    '{"list":[{"reset":1}',
    '{"list":[{"reset" 1}]}',
    '{list:[{"reset":1}]}',
    '{"reset',
  ])("leaves what is no JSON: %s", (text) => {
    expect(edited(text)).toBe(text);
    expect(edited(`{"top":9}${text}`)).toBe(`{"top":0}${text}`);
  });

  it("means the same as editing what was parsed", () => {
    const member = fc.record(
      { gone: fc.jsonValue(), reset: fc.jsonValue(), keep: fc.jsonValue(), 'pé\\"': fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(member, fc.jsonValue())), fc.jsonValue(), fc.nat(2), (list, top, indent) => {
        const given = { e: 1, list, top };
        const text = JSON.stringify(given, undefined, indent);
        const wanted = JSON.parse(text) as { list: unknown[]; top: unknown };
        wanted.top = 0;
        for (const each of wanted.list) {
          if (typeof each !== "object" || each === null || Array.isArray(each)) continue;
          if ("gone" in each) delete each.gone;
          if ("reset" in each) each.reset = null;
        }
        expect(JSON.parse(edited(text))).toEqual(wanted);
      }),
    );
  });
});
