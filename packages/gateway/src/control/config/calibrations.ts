import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { readCalibrationFile, writeCalibrationFile } from "#confidence/calibration-file";
import type { CalibrationEntry, CalibrationSet } from "#domain/calibration";
import type { DataFileRead } from "./data-file.ts";

/** The file's name inside the data folder. */
export const calibrationsFile = "calibration.json";

/** What labels taught, if it is there and whole. */
export function readCalibrations(path: string): DataFileRead<CalibrationSet> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? { kind: "missing" } : { kind: "broken", why: message };
  }
  const read = readCalibrationFile(text);
  return read.kind === "read" ? { kind: "read", file: read.calibrations } : read;
}

/** Whoever reads meanwhile sees the old file or the new one, never a part. Throws where the disk fails. */
export function writeCalibrations(
  path: string,
  { entries, createdAt }: { readonly entries: readonly CalibrationEntry[]; readonly createdAt: string },
): void {
  writeFileSync(`${path}.new`, writeCalibrationFile({ createdAt, entries }), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
