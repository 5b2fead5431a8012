import { readFileSync, readdirSync } from "node:fs";
import { processTree } from "./cpu.ts";

/** Proportional set size of a process and its descendants, bytes: shared pages are counted once. */
export function memoryOfTree(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + kibOf(`/proc/${each}/smaps_rollup`, "Pss") * 1024, 0);
}

/** Resident memory of one process, bytes. */
export function residentBytes(pid: number): number {
  return kibOf(`/proc/${pid}/status`, "VmRSS") * 1024;
}

/** Open files, sockets among them, of a process and its descendants. */
export function handlesOfTree(pid: number): number {
  return processTree(pid).reduce((sum, each) => {
    try {
      return sum + readdirSync(`/proc/${each}/fd`).length;
    } catch {
      return sum;
    }
  }, 0);
}

function kibOf(path: string, field: string): number {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "mu").exec(readFileSync(path, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
