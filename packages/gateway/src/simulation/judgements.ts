import { createHash } from "node:crypto";

const defaultDimensions = 32;
const maxDimensions = 4096;

/** A unit vector that follows from the text alone: the same text means the same in every dialect. */
export function vectorOf(input: unknown, dimensions = defaultDimensions): readonly number[] {
  const text = typeof input === "string" ? input : JSON.stringify(input);
  const numbers: number[] = [];
  for (let block = 0; numbers.length < dimensions; block += 1) {
    const bytes = createHash("sha256").update(`${block}\0${text}`).digest();
    for (let at = 0; at < bytes.length && numbers.length < dimensions; at += 4) {
      numbers.push(bytes.readInt32LE(at) / 2 ** 31);
    }
  }
  const norm = Math.hypot(...numbers);
  return numbers.map((number) => Math.fround(number / norm));
}

/** Numbers as OpenAI packs them: 32-bit floats, little-endian, base64. */
export function packedVector(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}

/** The dimensions asked for, where they are some. */
export function dimensionsOf(value: unknown): number | undefined {
  return Number.isInteger(value) && Number(value) > 0 ? Math.min(Number(value), maxDimensions) : undefined;
}

/** Documents best first, by the share of the query's words they contain; ties stay in their order. */
export function ranked(
  query: string,
  documents: readonly string[],
): readonly { readonly index: number; readonly relevance_score: number }[] {
  const wanted = new Set(query.toLowerCase().match(/\p{L}+/gu));
  return documents
    .map((document, index) => {
      const found = new Set((document.toLowerCase().match(/\p{L}+/gu) ?? []).filter((word) => wanted.has(word)));
      return { index, relevance_score: wanted.size === 0 ? 0 : found.size / wanted.size };
    })
    .toSorted((a, b) => b.relevance_score - a.relevance_score || a.index - b.index);
}
