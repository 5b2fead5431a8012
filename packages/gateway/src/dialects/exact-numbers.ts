/** Standard since ES2026 (https://tc39.es/proposal-json-parse-with-source/), in Node since 21, not yet in TypeScript. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
}

const exactJson = JSON as unknown as ExactJson;

/**
 * Parses JSON so that `JSON.stringify` writes every number with the digits it came with: `12345678901234567890` and
 * `1.0` survive. Such numbers are opaque objects until then. Undefined where the text is no JSON.
 */
export function parseExact(text: string): unknown {
  try {
    return exactJson.parse(text, (_key, value, { source }) =>
      typeof value === "number" && source !== undefined && String(value) !== source ? exactJson.rawJSON(source) : value,
    );
  } catch {
    return undefined;
  }
}

/** Numbers that JavaScript may write otherwise than they came: long or tiny ones, exponents, a last zero, minus zero. */
const fragile = /[\s:,[]-?(?:[\d.]{16}|0\.0{6}|\d+\.\d*0(?!\d)|\d+(?:\.\d+)?[eE])|-0(?![\d.])/u;

/** Whether parsing this JSON and writing it again may change a number's digits. */
export function hasFragileNumbers(json: string): boolean {
  return fragile.test(json);
}
