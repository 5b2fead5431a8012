import { hash } from "node:crypto";
import type { CallRecord } from "#domain/record";

/**
 * The journal's format, version 1: UTF-8 text, one line per entry, each line chained to the one before it.
 *
 *     {"h":"<64 hex digits>","r":<call record as JSON>}
 *     {"h":"<64 hex digits>","j":<mark as JSON>}
 *
 * `h` is the SHA-256, in hex, of the previous line's `h` followed by the bytes of the JSON after `"r":` or `"j":`.
 * A file's first line is a `begin` mark. Its `previous` is the last durable hash of the segment before it, or, in a
 * journal's first segment, {@link genesisOf} its name. An `end` mark says that the writer closed the segment; a
 * segment without one was left by a crash or is still being written. Behind the last line of such a one there may be zeros: room
 * for lines to come (`room-ahead.ts`), and no part of it.
 *
 * What the chain shows: an edited, removed, added or moved line in a file, and lines cut off before an `end` mark or
 * before the next segment. It is no protection against someone who rewrites the whole rest of the chain.
 */
export type JournalMark =
  | {
      readonly kind: "begin";
      readonly format: 1;
      readonly name: string;
      readonly segment: number;
      readonly previous: string;
    }
  | { readonly kind: "end"; readonly records: number };

export type JournalEntry =
  | { readonly kind: "record"; readonly record: CallRecord }
  | { readonly kind: "mark"; readonly mark: JournalMark };

export type ParsedLine =
  | { readonly kind: "line"; readonly hash: string; readonly entry: JournalEntry }
  /** `hash` is what the line claims, where it claims one: the chain is taken up again from there. */
  | { readonly kind: "damaged"; readonly why: string; readonly hash?: string };

const linePattern = /^\{"h":"([0-9a-f]{64})","([rj])":(.*)\}$/s;

/** The hash a journal's first segment continues: bound to the name, so that two journals never share a chain. */
export function genesisOf(name: string): string {
  return hash("sha256", `hedgerow journal 1 ${name}`);
}

export function chainHash(previous: string, json: string): string {
  return hash("sha256", previous + json);
}

export function recordLine(chainedHash: string, json: string): string {
  return `{"h":"${chainedHash}","r":${json}}\n`;
}

export function markLine(previous: string, mark: JournalMark): { readonly line: string; readonly hash: string } {
  const json = JSON.stringify(mark);
  const chainedHash = chainHash(previous, json);
  return { line: `{"h":"${chainedHash}","j":${json}}\n`, hash: chainedHash };
}

/** Checks one line, without its newline, against the hash before it. `undefined`: a file's first line, which says it. */
export function parseLine(line: string, previous: string | undefined): ParsedLine {
  const found = linePattern.exec(line);
  if (found === null) return { kind: "damaged", why: "the line is not of the journal's format" };
  const [, hash = "", tag, json = ""] = found;
  const value = parseJson(json);
  if (value === undefined) return { kind: "damaged", why: "the line holds no valid JSON", hash };
  const before = previous ?? statedPrevious(tag, value);
  if (before === undefined) return { kind: "damaged", why: "the file does not begin with a `begin` mark", hash };
  if (chainHash(before, json) !== hash) {
    return { kind: "damaged", why: "the line does not continue the chain: it or a line before it was changed", hash };
  }
  const entry: JournalEntry =
    tag === "r"
      ? { kind: "record", record: value as unknown as CallRecord }
      : { kind: "mark", mark: value as unknown as JournalMark };
  return { kind: "line", hash, entry };
}

function statedPrevious(tag: string | undefined, value: Readonly<Record<string, unknown>>): string | undefined {
  if (tag !== "j" || value["kind"] !== "begin") return undefined;
  return typeof value["previous"] === "string" ? value["previous"] : undefined;
}

function parseJson(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** `w1-1795264805123` and 7 give `w1-1795264805123-000007.jsonl`. */
export function segmentFile(name: string, segment: number): string {
  return `${name}-${String(segment).padStart(6, "0")}.jsonl`;
}

/** A journal's segments among these files, the newest first. */
export function segmentsOf(
  journal: string,
  files: readonly string[],
): readonly { readonly file: string; readonly segment: number }[] {
  const segments = files.flatMap((file) => {
    const parsed = parseSegmentFile(file);
    return parsed?.name === journal ? [{ file, segment: parsed.segment }] : [];
  });
  return segments.toSorted((a, b) => b.segment - a.segment);
}

/** The reverse of {@link segmentFile}; undefined for a file that is no segment. */
export function parseSegmentFile(file: string): { readonly name: string; readonly segment: number } | undefined {
  const found = /^(.+)-(\d{6,})\.jsonl$/.exec(file);
  return found?.[1] === undefined ? undefined : { name: found[1], segment: Number(found[2]) };
}
