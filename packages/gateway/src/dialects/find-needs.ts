import type { MediaInput, Needs } from "#domain/call";
import type { FieldScan, Span } from "#wire/json-splice";

/** By what a language's request shows what it needs. Looked for in bytes: a body may be large, and nothing is parsed. */
export interface NeedSigns {
  /** Top-level fields that hold tools. */
  readonly tools: readonly string[];
  /** Top-level fields, and a word in them that asks for an answer of a schema's shape. */
  readonly schema: readonly { readonly field: string; readonly word: string }[];
  /** Top-level fields that hold the prompt. */
  readonly prompt: readonly string[];
  readonly media: readonly MediaSign[];
}

export interface MediaSign {
  readonly input: MediaInput;
  /** A string's beginning, its opening quote included: `"image_url"`. */
  readonly text: string;
  /** A piece of it that begins with a letter rare in prose and code: Node finds the first letter of a needle natively. */
  readonly probe: string;
  /** The keys of which it is the value; a tool's own words are none of them. */
  readonly under?: readonly string[];
  /** It is itself a key, and its value an object that begins with one of these. */
  readonly holds?: readonly string[];
}

/** Of common vocabularies and any text: what is surely in a prompt of so many bytes, and what can be at the most. */
const mostBytesPerToken = 6;
const leastBytesPerToken = 2;
/** `[]`, `{}` and `""` ask for nothing. */
const emptyLength = 2;

export function findNeeds(body: Uint8Array, scan: FieldScan, signs: NeedSigns): Needs {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const spans = signs.prompt.flatMap((field) => scan.fields.get(field) ?? []);
  const inputs = [...new Set(signs.media.filter((sign) => spans.some((span) => has(bytes, span, sign))).map(inputOf))];
  const tools = signs.tools.flatMap((field) => scan.fields.get(field) ?? []).filter((span) => !isEmpty(bytes, span));
  const schema = signs.schema.some(({ field, word }) => {
    const span = scan.fields.get(field);
    return span !== undefined && bytes.subarray(span.start, span.end).includes(word);
  });
  const promptBytes = [...spans, ...tools].reduce((sum, { start, end }) => sum + end - start, 0);
  return {
    ...(tools.length === 0 ? {} : { tools: true }),
    ...(schema ? { structuredOutput: true } : {}),
    ...(inputs.length === 0
      ? { promptTokens: [Math.floor(promptBytes / mostBytesPerToken), Math.ceil(promptBytes / leastBytesPerToken)] }
      : { inputs }),
  };
}

function inputOf({ input }: MediaSign): MediaInput {
  return input;
}

function isEmpty(bytes: Buffer, { start, end }: Span): boolean {
  if (end - start <= emptyLength) return true;
  const first = bytes[start];
  // `null`, and brackets with nothing but space between them.
  return first === letterN || bytes.toString("latin1", start + 1, Math.min(end - 1, start + 64)).trim() === "";
}

function has(bytes: Buffer, span: Span, sign: MediaSign): boolean {
  const offset = sign.text.indexOf(sign.probe);
  for (let at = bytes.indexOf(sign.probe, span.start, "latin1"); at !== -1 && at < span.end;) {
    const start = at - offset;
    if (start >= span.start && isSign(bytes, start, sign)) return true;
    at = bytes.indexOf(sign.probe, at + 1, "latin1");
  }
  return false;
}

function isSign(bytes: Buffer, start: number, { text, under, holds }: MediaSign): boolean {
  // Inside a string the quote would be escaped: somebody's text about such a request is no such request.
  if (bytes[start - 1] === backslash || !startsWith(bytes, start, text)) return false;
  if (under !== undefined) {
    const colon = skipBack(bytes, start - 1);
    if (bytes[colon] !== colonByte) return false;
    const end = skipBack(bytes, colon - 1) + 1;
    return under.some((key) => endsWith(bytes, end, `"${key}"`));
  }
  const colon = skip(bytes, start + text.length);
  const open = skip(bytes, colon + 1);
  if (bytes[colon] !== colonByte || bytes[open] !== openBrace) return false;
  const first = skip(bytes, open + 1);
  return (holds ?? []).some((key) => startsWith(bytes, first, `"${key}"`));
}

function startsWith(bytes: Buffer, at: number, text: string): boolean {
  return bytes.toString("latin1", at, at + text.length) === text;
}

function endsWith(bytes: Buffer, end: number, text: string): boolean {
  return end >= text.length && startsWith(bytes, end - text.length, text);
}

function skip(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

function skipBack(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at -= 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

const backslash = 0x5c;
const colonByte = 0x3a;
const openBrace = 0x7b;
const letterN = 0x6e;
