import { canonicalDecimal, canonicalFraction } from "./decimals.ts";

/** A number and what it counts. */
export interface Quantity {
  /** As `canonicalDecimal` writes it; a fraction where it does not end. */
  readonly value: string;
  /** Empty where none is told. */
  readonly unit: string;
}

/** Words for signs that stand before or after a number. */
const unitSigns: Readonly<Record<string, string>> = {
  dollar: "$",
  dollars: "$",
  usd: "$",
  euro: "€",
  euros: "€",
  eur: "€",
  percent: "%",
  prozent: "%",
  pourcent: "%",
  "％": "%",
};

/** The first digit of scripts that have their own, beside those that compatibility forms resolve. */
const zeros = [0x0660, 0x06f0, 0x0966, 0x09e6];

const number = String.raw`[+-]?(?:\d[\d,.'’ _]*\d|\d)(?:[eE][+-]?\d{1,4})?|[+-]?\.\d+`;
const quantity = new RegExp(
  String.raw`^(?<minus>-?)(?<before>[$€£¥₹]?)\s?(?:(?<number>${number})|)(?<fraction>\s?\d+/\d+)?\s?(?<unit>(?:[$€£¥₹%°]|\p{L})[\p{L}°%/²³^.\d-]*)?\.?$`,
  "u",
);

/**
 * A text that is one number, perhaps with its unit of one word: `1,234`, `$18.00`, `3 1/2`, `42 apples`, `50 %`. Undefined
 * for anything else: dates, versions, several numbers.
 */
export function quantityOf(text: string): Quantity | undefined {
  const plain = plainDigits(text).trim();
  if (plain.length > 120) return undefined;
  const groups = quantity.exec(plain)?.groups;
  if (groups === undefined) return undefined;
  const { minus = "", before = "", number, fraction, unit = "" } = groups;
  const value = valueOf(number, fraction?.trim(), minus);
  if (value === undefined || (before !== "" && unit !== "")) return undefined;
  const after = unit.toLowerCase().replace(/\.$/u, "");
  return { value, unit: before === "" ? (unitSigns[after] ?? after) : before };
}

/** The last number of a text, without its unit. */
export function lastNumber(text: string): string | undefined {
  const all = plainDigits(text).match(/(?:(?<![\p{L}\d.,])-)?\d[\d,.'’]*(?:\/\d+)?/gu);
  const last = all?.at(-1)?.replace(/[.,'’]+$/u, "");
  return last === undefined ? undefined : quantityOf(last)?.value;
}

function valueOf(number: string | undefined, fraction: string | undefined, minus: string): string | undefined {
  const whole = number === undefined ? undefined : plainNumber(number);
  if (number !== undefined && whole === undefined) return undefined;
  if (minus !== "" && whole?.startsWith("-") === true) return undefined;
  if (fraction === undefined) return whole === undefined ? undefined : canonicalDecimal(minus + whole);
  const [top = "", bottom = ""] = fraction.split("/");
  if (whole === undefined) return canonicalFraction(minus + top, bottom);
  if (!/^[+-]?\d{1,20}$/u.test(whole) || top.length > 20 || bottom.length > 20) return undefined;
  const sign = minus + (whole.startsWith("-") ? "-" : "");
  const wholes = BigInt(whole.replace(/^[+-]/u, ""));
  return canonicalFraction(`${sign}${wholes * BigInt(bottom) + BigInt(top)}`, bottom);
}

/**
 * Without separators of thousands. Of both `,` and `.` the last is the decimal one; a single comma before other than three
 * digits is one, too. Undefined where the groups are none: `1.2.3` is a version.
 */
function plainNumber(text: string): string | undefined {
  const compact = text.replace(/(?<=\d)['’ _](?=\d{3}(?!\d))/gu, "");
  const commas = compact.split(",").length - 1;
  const dots = compact.split(".").length - 1;
  if (commas > 0 && dots > 0) {
    const isDotLast = compact.lastIndexOf(".") > compact.lastIndexOf(",");
    if ((isDotLast ? dots : commas) > 1) return undefined;
    return isDotLast ? grouped(compact, ",") : grouped(compact, ".")?.replace(",", ".");
  }
  if (commas === 1 && !/,\d{3}$/u.test(compact)) return compact.replace(",", ".");
  if (commas > 0) return grouped(compact, ",");
  return dots > 1 ? grouped(compact, ".") : compact;
}

/** Groups of three, or as in India of two with a last one of three. */
function grouped(text: string, separator: "," | "."): string | undefined {
  const [, fraction] = separator === "," ? text.split(".") : text.split(",");
  const [whole = ""] = separator === "," ? text.split(".") : text.split(",");
  const [first = "", ...groups] = whole.split(separator);
  if (!/^[+-]?\d{1,3}$/u.test(first) || !groups.every((group) => /^\d{2,3}$/u.test(group))) return undefined;
  if (groups.at(-1)?.length !== 3) return undefined;
  return first + groups.join("") + (fraction === undefined ? "" : `${separator === "," ? "." : ","}${fraction}`);
}

/** Digits of any script as ours, one sign for minus, vulgar fractions written out. */
function plainDigits(text: string): string {
  return text
    .replace(/[−﹣－–](?=\s?[$€£¥₹]?[\d.])/gu, "-")
    .replace(/[¼-¾⅐-⅞]/gu, (sign) => ` ${sign.normalize("NFKD").replace("\u2044", "/")}`)
    .replace(/[\uFF0B-\uFF19\u00A0\u2009\u202F]/gu, (char) => char.normalize("NFKC"))
    .replace(/[\u0660-\u0669\u06F0-\u06F9\u0966-\u096F\u09E6-\u09EF]/gu, ownDigit);
}

function ownDigit(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const zero = zeros.find((each) => code >= each && code < each + 10) ?? code;
  return String(code - zero);
}
