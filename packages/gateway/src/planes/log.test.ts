import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "#domain/secret";
import { openLog, type LogStyle } from "./log.ts";

function logged(style: LogStyle, message: string, fields?: Parameters<ReturnType<typeof openLog>["info"]>[1]): string {
  let text = "";
  const log = openLog({ style, from: "w1", wallMs: () => 0, write: (line) => (text += line) });
  log.warn(message, fields);
  return text;
}

describe("the log", () => {
  it("writes one JSON object a line for machines", () => {
    expect(JSON.parse(logged("json", "a worker\nended", { pid: 7, how: "SIGKILL" }))).toEqual({
      time: "1970-01-01T00:00:00.000Z",
      level: "warn",
      from: "w1",
      message: "a worker\nended",
      pid: 7,
      how: "SIGKILL",
    });
  });

  it("writes one plain line for people, whatever a name holds", () => {
    const text = logged("plain", "route \u001b[31mred\nfake line", { names: ["a", "b\r\nc"], absent: undefined });
    expect(text).toBe("1970-01-01T00:00:00.000Z warn  w1: route  [31mred fake line names=a,b  c\n");
  });

  it("writes whole lines of JSON whatever names hold, and no field takes the place of another", () => {
    const anyText = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\n", "\r\n{}", "\u2028", "\u0085", "\u001b[31m", "\ud800"),
    );
    const anyValue = fc.oneof(anyText, fc.integer(), fc.boolean(), fc.array(anyText));
    const names = fc.constantFrom("why", "names", "message", "level", "time", "from");
    fc.assert(
      fc.property(anyText, fc.dictionary(names, anyValue), (message, fields) => {
        const text = logged("json", message, fields);
        expect(text.endsWith("\n")).toBe(true);
        expect(text.slice(0, -1)).toMatch(/^[^\p{Cc}\u2028\u2029]*$/u);
        const { why, names: listed } = fields;
        expect(JSON.parse(text)).toMatchObject({
          time: "1970-01-01T00:00:00.000Z",
          level: "warn",
          from: "w1",
          message,
          ...(why === undefined ? {} : { why }),
          ...(listed === undefined ? {} : { names: listed }),
        });
      }),
    );
  });

  it("shows a secret as stars in every place", () => {
    const secret = new Secret("canary-in-a-log");
    for (const style of ["json", "plain"] as const) {
      const text = logged(style, `key ${String(secret)}`, { keys: [String(secret)], whole: secret as never });
      expect(text).not.toContain("canary");
      expect(text).toContain("***");
    }
  });

  it("cuts what is too long to be a name", () => {
    expect(logged("json", "long", { why: "x".repeat(50_000) }).length).toBeLessThan(2_200);
    expect(logged("plain", "long", { why: "x".repeat(50_000) }).length).toBeLessThan(2_200);
  });
});
