import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, vi } from "vitest";
import type { Command } from "#cli/command";
import { runCommand, type Ran } from "../world/run-command.ts";
import { dayEndMs, writeDay } from "./recorded-day.ts";

export interface DayWorld {
  /** Runs at the end of the day, in the folder of its configuration and data. */
  readonly run: (...args: readonly string[]) => Promise<Ran>;
  readonly folder: () => string;
}

/** The recorded day in a folder of its own, and a clock that stands at its end. */
export function dayWorld(commands: readonly Command[]): DayWorld {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "hedgerow-day-"));
    copyFileSync(join(import.meta.dirname, "day/hedgerow.yaml"), join(folder, "hedgerow.yaml"));
    writeDay(join(folder, ".hedgerow"));
    vi.useFakeTimers({ now: dayEndMs, toFake: ["Date"] });
  });
  afterAll(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  });
  const env = { A: "key-a-0123456789" };
  return { run: (...args) => runCommand(args, commands, { cwd: folder, env }), folder: () => folder };
}
