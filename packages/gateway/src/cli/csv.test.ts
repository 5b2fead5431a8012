import { expect, it } from "vitest";
import { renderCsv } from "./csv.ts";

const csv = (...values: readonly string[]) =>
  renderCsv([{ title: "a", value: (row: string) => row }], values)
    .split("\n")
    .slice(1, -1);

it("quotes what holds commas, quotes or line breaks", () => {
  expect(renderCsv([{ title: "a,b", value: String }], ['say "no"'])).toBe('"a,b"\n"say ""no"""\n');
  expect(renderCsv([{ title: "a", value: String }], ["x\ny"])).toBe('a\n"x\ny"\n');
});

it.each([
  ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
  ["+1+1", "'+1+1"],
  ["-2+3", "'-2+3"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  ["-2.5", "-2.5"],
  ["1e-7", "1e-7"],
  ["-", "'-"],
])("keeps a spreadsheet from taking %j for a formula", (value, written) => expect(csv(value)).toEqual([written]));

it("keeps a formula that also needs quotes harmless", () => {
  expect(csv('=A1,"x"')).toEqual([`"'=A1,""x"""`]);
});
