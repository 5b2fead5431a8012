import { createHash } from "node:crypto";
import type { CalibrationSet } from "#domain/calibration";
import { Secret } from "#domain/secret";
import type { Snapshot } from "#domain/snapshot";

/**
 * Twelve hex digits that name a snapshot's content: the same configuration gives the same version wherever it is
 * compiled, and a rotated key gives another. Secrets enter as salted hashes; where a figure comes from does not count.
 */
export function snapshotVersion(content: Omit<Snapshot, "version">): string {
  // The claims have a version of their own, which their dates count for; so have calibrations.
  const named = { ...content, supply: content.supply.version, calibration: content.calibration?.version };
  return createHash("sha256").update(canonical(named)).digest("hex").slice(0, 12);
}

/** The same configuration with what was learned since. */
export function withCalibration(snapshot: Snapshot, calibration: CalibrationSet): Snapshot {
  const { version: _before, ...content } = { ...snapshot, calibration };
  return { version: snapshotVersion(content), ...content };
}

export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** JSON with sorted keys, maps in their own order (the order of targets and providers has a meaning). */
function canonical(value: unknown): string {
  if (value instanceof Secret) return JSON.stringify(sha256Hex(`hedgerow snapshot\0${value.reveal()}`));
  if (value instanceof Map) return `{"map":${canonical([...value])}}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([key, inner]) => key !== "from" && inner !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
