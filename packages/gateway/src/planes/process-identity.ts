import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Tells a process from a later one that was given the same number: when it was started, and in which boot of the
 * machine. Undefined where there is no such process, or where the system does not tell (Windows).
 */
export function processIdentity(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === "linux" ? linuxIdentity(pid) : startTimeFromPs(pid);
}

/** Whether the process a file speaks of is still that process. */
export function isSameProcess(pid: number, identity: string | undefined): boolean {
  if (!processExists(pid)) return false;
  const now = processIdentity(pid);
  // Where the system tells no start time, an existing process is taken for the one that was written down.
  return now === undefined ? identity === undefined : now === identity;
}

export function processExists(pid: number): boolean {
  // Zero and negative numbers mean groups of processes to `kill`.
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function linuxIdentity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc_pid_stat(5): the name, in parentheses, may itself hold any character; field 22 is the start in ticks.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not looked yet.
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function startTimeFromPs(pid: number): string | undefined {
  if (process.platform === "win32") return undefined;
  try {
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      timeout: 2000,
      stdio: ["ignore", "pipe", "ignore"],
      env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
    }).trim();
    return started === "" ? undefined : started;
  } catch {
    return undefined;
  }
}
