import { stringRunCode } from "./string-run-code.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Shorter strings end sooner byte by byte than the call of the native code costs. */
const bytesFirst = 48;
/** What the native code is handed at once: at first little, for a string that ends soon is copied no further than that. */
const firstPiece = 512;
const pieceGrowth = 4;
const largestPiece = 64 * 1024;

/** What is used of the platform's: Node's types have it not, and the browser's would bring all of theirs. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (...sizes: never) => { readonly buffer: ArrayBuffer };
};

interface Native {
  readonly memory: Uint8Array;
  readonly pass: (at: number, until: number) => number;
}

const native = openNative();

/**
 * Passes the inside of a JSON string: from a place that no backslash escapes to its closing quote, or to the first such
 * place at or behind `until`. Tells that place; whether a quote is there has to be looked at where it is before `until`.
 */
export function passString(bytes: Uint8Array, from: number, until: number): number {
  const at = passBytes(bytes, from, Math.min(from + bytesFirst, until));
  if (at >= until || bytes[at] === QUOTE) return at;
  return native === undefined ? passBytes(bytes, at, until) : passPieces(native, bytes, { from: at, until });
}

/** The same byte by byte: for what is short, and for processors without vectors. */
export function passBytes(bytes: Uint8Array, from: number, until: number): number {
  let at = from;
  while (at < until) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    at += byte === BACKSLASH ? 2 : 1;
  }
  return at;
}

function passPieces(
  { memory, pass }: Native,
  bytes: Uint8Array,
  { from, until }: { readonly from: number; readonly until: number },
): number {
  let at = from;
  for (let piece = firstPiece; at < until; piece = Math.min(piece * pieceGrowth, largestPiece)) {
    const end = Math.min(at + piece, until);
    memory.set(bytes.subarray(at, end));
    const passed = at + pass(0, end - at);
    if (passed < end) return passed;
    at = passed;
  }
  return at;
}

/** Undefined where the processor has no vectors, or WebAssembly is switched off. */
function openNative(): Native | undefined {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(stringRunCode, "base64")));
    const { memory, pass } = exports;
    if (!(memory instanceof WebAssembly.Memory) || typeof pass !== "function") return undefined;
    return { memory: new Uint8Array(memory.buffer), pass: (at, until) => Number(pass(at, until)) };
  } catch {
    return undefined;
  }
}
