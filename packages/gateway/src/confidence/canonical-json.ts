import { canonicalDecimal } from "./decimals.ts";

/** Nesting that is compared; deeper trees are not comparable. */
const maxDepth = 200;

/** Standard since ES2026 (https://tc39.es/proposal-json-parse-with-source/), in Node since 21, not yet in TypeScript. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
}

/** A number by its value, with every digit it came with. */
class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * One text for one JSON tree: keys in order, no space, one spelling for each number, strings as Unicode composes them.
 * Undefined where the text is no JSON or too deep.
 */
export function canonicalJson(text: string): string | undefined {
  try {
    const tree = (JSON as unknown as ExactJson).parse(text, (_key, value, { source }) =>
      typeof value === "number" ? new ExactNumber(canonicalDecimal(source ?? "") ?? source ?? String(value)) : value,
    );
    return written(tree, 0);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function written(value: unknown, depth: number): string | undefined {
  if (depth > maxDepth) return undefined;
  if (value instanceof ExactNumber) return value.text;
  if (typeof value === "string") return JSON.stringify(value.normalize("NFC"));
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const items = Array.isArray(value)
    ? (value as readonly unknown[]).map((item) => written(item, depth + 1))
    : Object.entries(value)
        .map(([key, item]) => ({ key: key.normalize("NFC"), item }))
        .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
        .map(({ key, item }) => {
          const text = written(item, depth + 1);
          return text === undefined ? undefined : `${JSON.stringify(key)}:${text}`;
        });
  if (items.includes(undefined)) return undefined;
  return Array.isArray(value) ? `[${items.join(",")}]` : `{${items.join(",")}}`;
}
