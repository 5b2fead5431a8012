import { readFileSync, readdirSync } from "node:fs";

/** Microseconds of processor time of one process so far. */
export function cpuMicrosOf(pid: number): number {
  return nanosOf(pid) / 1000;
}

/** The same of a process and all its descendants, from the kernel's own accounting. */
export function cpuMicrosOfTree(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + nanosOf(each), 0) / 1000;
}

/** A process and all its descendants. */
export function processTree(pid: number): readonly number[] {
  const children = childrenByParent();
  const tree = [pid];
  for (const each of tree) tree.push(...(children.get(each) ?? []));
  return tree;
}

function nanosOf(pid: number): number {
  let sum = 0;
  for (const task of list(`/proc/${pid}/task`)) {
    const line = read(`/proc/${pid}/task/${task}/schedstat`);
    sum += Number(line.split(" ")[0] ?? 0);
  }
  return sum;
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of list("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  return children;
}

// Processes come and go while we look: a missing file is an ended process.
function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
