import type { WorkerNote } from "./data-folder.ts";
import type { Log } from "./log.ts";
import { isSameProcess } from "./process-identity.ts";

/** Workers that a dead supervisor left serving: their calls finish, new ones come to ours. */
export function drainOrphans(orphans: readonly WorkerNote[], log: Log): void {
  for (const orphan of orphans.filter(isAlive)) {
    const { worker, pid, identity } = orphan;
    if (identity === undefined) {
      log.warn("a worker of an earlier supervisor may still run; this system cannot tell", { worker, pid });
      continue;
    }
    log.info("a worker of a dead supervisor is drained", { worker, pid });
    process.kill(pid, "SIGTERM");
  }
}

export function isAlive(note: WorkerNote): boolean {
  return isSameProcess(note.pid, note.identity);
}
