import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WatchSnapshot } from "./watch.ts";

/** Inside the data folder. Losing it loses the comparison with the last look, nothing else. */
export const watchFile = "watch.json";

/** Every provider's list is some hundred kilobytes; more is not what we wrote. */
const maxBytes = 32 * 1024 * 1024;

export type WatchRead =
  | { readonly kind: "read"; readonly snapshot: WatchSnapshot }
  | { readonly kind: "none" }
  | { readonly kind: "broken"; readonly why: string };

export function readWatchFile(folder: string): WatchRead {
  const path = join(folder, watchFile);
  try {
    if (statSync(path).size > maxBytes) return { kind: "broken", why: "it is too large to be a watch's file" };
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isSnapshot(json) ? { kind: "read", snapshot: json } : { kind: "broken", why: "it is of an unknown format" };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { kind: "none" };
    return { kind: "broken", why: (error as Error).message };
  }
}

/** Whole or not at all. */
export function writeWatchFile(folder: string, snapshot: WatchSnapshot): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, watchFile);
  const half = `${path}.${process.pid}`;
  writeFileSync(half, `${JSON.stringify(snapshot)}\n`, { mode: 0o600 });
  renameSync(half, path);
}

function isSnapshot(json: unknown): json is WatchSnapshot {
  if (typeof json !== "object" || json === null) return false;
  const { format, at, models } = json as Partial<WatchSnapshot>;
  return format === 1 && typeof at === "string" && isRecords(models);
}

function isRecords(models: unknown): boolean {
  return (
    isObject(models) && Object.values(models).every((kind) => isObject(kind) && Object.values(kind).every(isObject))
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
