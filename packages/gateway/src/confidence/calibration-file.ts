import type { CalibrationEntry, CalibrationSet } from "#domain/calibration";
import { scopeName } from "./calibration-key.ts";
import { CalibrationReader } from "./calibration-reader.ts";

/**
 * The file in which calibrations are kept, JSON:
 *
 * - `format`: 1. `about`: what it is, for whoever opens it. `createdAt`: wall clock, ISO 8601.
 * - `entries`: one for each scope, of `key` (`shape`, `signals`, and `model`, `route`, `tier`, `tenant` where they are told
 *   apart), `calibrator` (`kind`, `logistic` {`intercept`, `slopes`, `hinge`}, `labels`, and `steps` of isotonic ones),
 *   `quality` (cross-validated), `pools` (certified thresholds by promise), `reference` (raw scores in log-odds: `edges`, and
 *   one more `counts`), `state` (`ok`, `stale`, `drift`) with `why`, and `fittedAt`.
 *
 * Numbers are as JavaScript prints them, so that what is read is what was written.
 */
export interface CalibrationFile {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly entries: readonly CalibrationEntry[];
}

/** Some hundred models on some hundred routes; what is more is a mistake. */
const maxEntries = 10_000;

const about =
  "What labels taught of confidence scores, written by `hedgerow confidence fit` or a refit. The gateway reads it at start and on every reload.";

/** One entry a line, sorted by scope: a difference of two files shows what was fitted anew. */
export function writeCalibrationFile({ createdAt, entries }: CalibrationFile): string {
  const sorted = entries.toSorted((a, b) => (scopeName(a.key) < scopeName(b.key) ? -1 : 1));
  const head = JSON.stringify({ format: 1, about, createdAt }).slice(0, -1);
  return `${head},"entries":[\n${sorted.map((entry) => JSON.stringify(entry)).join(",\n")}\n]}\n`;
}

export type CalibrationFileRead =
  | { readonly kind: "read"; readonly createdAt: string; readonly calibrations: CalibrationSet }
  /** `why` says where and what: `entries[3].calibrator.labels must be a number from 0`. */
  | { readonly kind: "broken"; readonly why: string };

/** Reads what may have been edited by hand. All or nothing: a file with one wrong entry is none. */
export function readCalibrationFile(text: string): CalibrationFileRead {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "broken", why: "it is not JSON" };
  }
  const reader = new CalibrationReader();
  const file = reader.object(json, "the file");
  if (reader.problem === undefined && file["format"] !== 1) reader.refuse("format", "must be 1");
  const createdAt = reader.date(file["createdAt"], "createdAt");
  const entries = reader.list(file["entries"], "entries");
  if (entries.length > maxEntries) reader.refuse("entries", `must be at most ${maxEntries}`);
  const read = entries.slice(0, maxEntries).map((entry, at) => reader.entry(entry, `entries[${at}]`));
  const names = new Set<string>();
  for (const [at, { key }] of read.entries()) {
    const name = scopeName(key);
    if (names.has(name)) reader.refuse(`entries[${at}].key`, "is there twice");
    names.add(name);
  }
  if (reader.problem !== undefined) return { kind: "broken", why: reader.problem };
  return { kind: "read", createdAt, calibrations: { version: calibrationVersion(read), entries: read } };
}

/** Names the content of entries, whatever their order: 16 hex digits (FNV-1a, twice 32 bits). No protection from forgery. */
export function calibrationVersion(entries: readonly CalibrationEntry[]): string {
  const lines = entries.map((entry) => `${scopeName(entry.key)} ${JSON.stringify(sorted(entry))}`);
  const text = lines.toSorted().join("\n");
  return [0x811c9dc5, 0x01234567].map((seed) => fnv(text, seed)).join("");
}

function fnv(text: string, seed: number): string {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** Fields in one order, however they were written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]));
}
