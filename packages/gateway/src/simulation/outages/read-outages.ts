import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** A model at a host, one column of the measured success. */
export interface Endpoint {
  readonly column: number;
  readonly model: string;
  /** As the data label it, which need not be who runs it. */
  readonly operator: string;
  readonly tag: string;
}

/** The half hour before a poll, or as much of it as is later than the poll before. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
  /** Per column: share of calls that succeeded, 0 to 1; NaN where there is no data. */
  readonly success: Float64Array;
}

export interface Outages {
  readonly endpoints: readonly Endpoint[];
  /** In the order of time. */
  readonly windows: readonly Window[];
}

export type OutagesRead =
  | { readonly kind: "read"; readonly outages: Outages }
  | { readonly kind: "unreadable"; readonly why: string };

const windowMs = 30 * 60_000;
/** Of one file, unpacked. */
const maxBytes = 512 * 1024 * 1024;

/** What is wrong with a file, for people. */
class Unreadable extends Error {}

/** Reads `endpoints.csv`, `polls.csv` and `up30m.csv.gz` (or `up30m.csv`) of a folder. */
export function readOutages(folder: string): OutagesRead {
  try {
    const endpoints = readEndpoints(folder);
    const pollsMs = readPolls(folder);
    return { kind: "read", outages: { endpoints, windows: readWindows(folder, { endpoints, pollsMs }) } };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { kind: "unreadable", why: error.message };
  }
}

function readEndpoints(folder: string): readonly Endpoint[] {
  const rows = table(folder, "endpoints.csv", ["ep", "model", "operator", "tag"]);
  return rows.map(([ep = "", model = "", operator = "", tag = ""], at) => {
    if (Number(ep) !== at) throw new Unreadable(`row ${at + 1} of endpoints.csv has ep ${ep}; they count from 0`);
    return { column: at, model, operator, tag };
  });
}

function readPolls(folder: string): readonly number[] {
  let lastMs = Number.NEGATIVE_INFINITY;
  return table(folder, "polls.csv", ["poll", "ts"]).map(([poll = "", ts = ""]) => {
    const atMs = Date.parse(ts);
    if (!(atMs > lastMs)) throw new Unreadable(`poll ${poll} of polls.csv is at ${ts}, which is no later moment`);
    lastMs = atMs;
    return atMs;
  });
}

function readWindows(
  folder: string,
  { endpoints, pollsMs }: { readonly endpoints: readonly Endpoint[]; readonly pollsMs: readonly number[] },
): readonly Window[] {
  const lines = linesOf(folder, "up30m.csv");
  if (lines.length !== pollsMs.length) {
    throw new Unreadable(`up30m.csv has ${lines.length} rows, and there are ${pollsMs.length} polls`);
  }
  return pollsMs.map((endMs, at) => {
    const cells = (lines[at] ?? "").split(",");
    if (cells.length !== endpoints.length) {
      throw new Unreadable(`row ${at + 1} of up30m.csv has ${cells.length} columns for ${endpoints.length} endpoints`);
    }
    const success = Float64Array.from(cells, (cell) => (cell === "" ? Number.NaN : Number(cell) / 100));
    const wrong = cells.find((cell, column) => cell !== "" && !isShare(success[column]));
    if (wrong !== undefined) throw new Unreadable(`row ${at + 1} of up30m.csv has ${wrong}, which is no percentage`);
    return { startMs: Math.max(endMs - windowMs, pollsMs[at - 1] ?? 0), endMs, success };
  });
}

function isShare(value: number | undefined): boolean {
  return value !== undefined && value >= 0 && value <= 1;
}

function table(folder: string, name: string, columns: readonly string[]): readonly (readonly string[])[] {
  const [head = "", ...rows] = linesOf(folder, name);
  if (head !== columns.join(",")) throw new Unreadable(`${name} does not begin with the line ${columns.join(",")}`);
  return rows.map((row, at) => {
    const cells = row.split(",");
    if (cells.length !== columns.length) throw new Unreadable(`row ${at + 1} of ${name} has ${cells.length} columns`);
    return cells;
  });
}

function linesOf(folder: string, name: string): readonly string[] {
  const lines = textOf(folder, name).split(/\r?\n/u);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function textOf(folder: string, name: string): string {
  const path = [join(folder, name), join(folder, `${name}.gz`)].find((each) => existsSync(each));
  if (path === undefined) throw new Unreadable(`there is no ${name} and no ${name}.gz in ${folder}`);
  try {
    const bytes = readFileSync(path);
    return (path.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: maxBytes }) : bytes).toString("utf8");
  } catch (error) {
    throw new Unreadable(`${path} cannot be read: ${(error as Error).message}`);
  }
}
