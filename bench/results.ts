import { spawnSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { WorkloadReport } from "./report.ts";

/** What a benchmark leaves behind. */
export interface Results {
  /** ISO 8601, its end. */
  readonly at: string;
  readonly command: string;
  readonly machine: {
    readonly processors: string;
    readonly memoryGib: number;
    readonly kernel: string;
    /** The mean of the last minute, before and after: what else the machine had to do. */
    readonly load: readonly [before: number, after: number];
  };
  readonly versions: { readonly node: string; readonly hedgerow: string };
  readonly reports: readonly WorkloadReport[];
}

const loadBefore = loadavg()[0] ?? 0;

export function results(reports: readonly WorkloadReport[], args: readonly string[]): Results {
  const all = cpus();
  return {
    at: new Date().toISOString(),
    command: ["npm run bench --", ...args].join(" "),
    machine: {
      processors: `${all.length} × ${all[0]?.model ?? "unknown"}`,
      memoryGib: Math.round(totalmem() / 1024 ** 3),
      kernel: release(),
      load: [loadBefore, loadavg()[0] ?? 0],
    },
    versions: { node: process.version, hedgerow: commit() },
    reports,
  };
}

/** Of the checkout; where nobody can say, so it says. */
function commit(): string {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const found = spawnSync("git", ["rev-parse", "--short", "HEAD"], { cwd, encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : "unknown";
}
