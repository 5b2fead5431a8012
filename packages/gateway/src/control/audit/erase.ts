import { unlinkSync } from "node:fs";
import { dayOfSegment, segmentsIn, type Segment } from "./audit-folder.ts";
import type { AuditLog } from "./audit-log.ts";

const dayMs = 86_400_000;

/** The files of openings whose day ended before a moment (milliseconds since 1970). */
function erasable(folder: string, beforeMs: number): readonly Segment[] {
  const days = new Map(segmentsIn(folder, "entries").map(({ path, first }) => [first, dayOfSegment(path)]));
  return segmentsIn(folder, "openings").filter(({ first }) => {
    const day = days.get(first);
    return day !== undefined && Date.parse(day) + dayMs <= beforeMs;
  });
}

/**
 * Takes away what was said in entries of days that ended longer ago than `retentionMs`, a day at least. Their hashes stay, so
 * every proof of the rest holds, and an entry says what was erased. Says how many files it was.
 */
export function eraseOld(log: AuditLog, retentionMs: number, nowMs: number): number {
  const old = erasable(log.folder, nowMs - Math.max(dayMs, retentionMs));
  if (old.length === 0) return 0;
  const at = new Date(nowMs).toISOString();
  const from = old.map(({ first }) => first);
  // Said before it is done: what is gone is always accounted for. It is of a later day, so it comes into a file that stays.
  log.append([{ kind: "erasure", at, fields: { filesFrom: from, olderThanMs: retentionMs } }]);
  for (const { path } of old) unlinkSync(path);
  return old.length;
}
