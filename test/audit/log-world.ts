import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { AuditLog } from "#control/audit/audit-log";
import { callEvent } from "#control/audit/call-event";
import type { AuditEvent } from "#control/audit/entry";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-audit-"));
  folders.push(folder);
  return folder;
}

export function copyOf(folder: string): string {
  const copy = newFolder();
  cpSync(folder, copy, { recursive: true });
  return copy;
}

export function openLog(folder: string): AuditLog {
  const opened = AuditLog.open(folder, "hedgerow.example/audit");
  if (opened.kind === "refused") throw new Error(opened.message);
  return opened.log;
}

function event(number: number): AuditEvent {
  if (number % 5 === 0) {
    return { kind: "configuration", at: "2026-11-26T10:00:00.000Z", fields: { change: `version ${number}` } };
  }
  return callEvent(
    callRecord(`req_${number}`, {
      caller: number % 2 === 0 ? "alice" : "bob",
      user: `user-${number}`,
      tags: ["blue"],
      attempts: [attemptRecord({ costNanoUsd: number, judgement: sampleJudgement() })],
      costNanoUsd: number,
    }),
  );
}

export const events = (from: number, until: number): readonly AuditEvent[] =>
  Array.from({ length: until - from }, (_, at) => event(from + at));
