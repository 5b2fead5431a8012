import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  durationPattern,
  moneyPattern,
  parseAge,
  parseDiskSize,
  parseDuration,
  parseMoney,
  parseSize,
  sizePattern,
} from "./units.ts";

const value = (parsed: ReturnType<typeof parseDuration>) => (parsed.kind === "parsed" ? parsed.value : parsed.why);

describe("parseDuration", () => {
  it.each([
    ["250ms", 250],
    ["10s", 10_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
  ])("reads %s as %i milliseconds", (text, ms) => expect(value(parseDuration(text))).toBe(ms));

  it.each(["10", "s", "10 s", "-1s", "1e3s", "10S", "1m30s", "", "10s\n"])(
    "refuses %j and shows how it is written",
    (text) => expect(value(parseDuration(text))).toContain("such as 250ms, 10s"),
  );

  it("refuses what no timer can wait for, and nothing at all", () => {
    expect(value(parseDuration("8d"))).toContain("at most 7d");
    expect(value(parseDuration("0s"))).toContain("at least 1ms");
  });
});

describe("parseAge", () => {
  it.each([
    ["8d", 691_200_000],
    ["400d", 34_560_000_000],
    ["3653d", 315_619_200_000],
  ])("reads %s as %i milliseconds", (text, ms) => expect(value(parseAge(text))).toBe(ms));

  it("refuses centuries, and what is no time", () => {
    expect(value(parseAge("36530d"))).toContain("at most 3653d");
    expect(value(parseAge("1y"))).toContain("such as 250ms, 10s");
  });
});

describe("parseSize", () => {
  it.each([
    ["64KiB", 65_536],
    ["4MiB", 4_194_304],
    ["1.5MB", 1_500_000],
    ["12B", 12],
  ])("reads %s as %i bytes", (text, bytes) => expect(value(parseSize(text))).toBe(bytes));

  it.each(["4", "4mib", "4 MiB", "0B", "2GiB"])("refuses %j", (text) => expect(parseSize(text).kind).toBe("refused"));
});

describe("parseDiskSize", () => {
  it.each([
    ["64KiB", 65_536],
    ["100GiB", 107_374_182_400],
    ["1024GiB", 1_099_511_627_776],
  ])("reads %s as %i bytes", (text, bytes) => expect(value(parseDiskSize(text))).toBe(bytes));

  it("refuses more than a disk's worth, and what is no size", () => {
    expect(value(parseDiskSize("1025GiB"))).toContain("at most 1024GiB");
    expect(value(parseDiskSize("1TiB"))).toContain("such as 64KiB");
    expect(value(parseDiskSize("0B"))).toContain("at least 1B");
  });
});

describe("parseMoney", () => {
  it("is exact to the nano-dollar for every amount that can be written", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 0, max: 999_999_999 }), (whole, nano) => {
        const text = `${whole}.${String(nano).padStart(9, "0")}usd`;
        expect(value(parseMoney(text))).toBe(whole * 1e9 + nano);
      }),
    );
  });

  it.each(["5", "5 usd", "$5", "5USD", "0.1234567890usd", "-1usd", "2000000usd"])("refuses %j", (text) =>
    expect(parseMoney(text).kind).toBe("refused"),
  );
});

describe("the patterns of the published schema", () => {
  it("let through whatever the parsers read", () => {
    const cases = [
      { pattern: durationPattern, parse: parseDuration, units: ["ms", "s", "m", "h", "d", "y"] },
      { pattern: sizePattern, parse: parseSize, units: ["B", "KiB", "GB", "kb"] },
      { pattern: moneyPattern, parse: parseMoney, units: ["usd", "eur"] },
    ];
    for (const { pattern, parse, units } of cases) {
      fc.assert(
        fc.property(fc.stringMatching(/^[0-9.]{0,6}$/), fc.constantFrom(...units), (number, unit) => {
          const text = number + unit;
          if (parse(text).kind === "parsed") expect(text).toMatch(new RegExp(pattern, "u"));
        }),
      );
    }
  });
});
