import { readFileSync, readdirSync } from "node:fs";
import { processTree } from "./cpu.ts";

/** Proportional set size of a process and its descendants, bytes: shared pages are counted once. */
export function memoryOfTree(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + kibOf(`/proc/${each}/smaps_rollup`, "Pss") * 1024, 0);
}

/** The most that each process of the tree ever held, added up, bytes: no less than what all held at once. */
export function peakOfTree(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + kibOf(`/proc/${each}/status`, "VmHWM") * 1024, 0);
}

/** How many files and sockets a process of ours may have open. */
export function mostHandles(): number {
  return Number(/^Max open files\s+(\d+)/mu.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Number.NaN);
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
