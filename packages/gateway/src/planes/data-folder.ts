import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isSameProcess, processExists, processIdentity } from "./process-identity.ts";

/** One process as it is written down for whoever comes after a crash. */
export interface ProcessNote {
  readonly pid: number;
  /** See {@link processIdentity}; absent where the system does not tell. */
  readonly identity?: string;
}

export interface WorkerNote extends ProcessNote {
  readonly worker: string;
  /** The journal it writes. */
  readonly journal: string;
  readonly port: number;
}

export type Opened =
  | { readonly kind: "opened"; readonly folder: DataFolder }
  | { readonly kind: "refused"; readonly message: string };

/** The folder that holds everything a gateway keeps, owned by one live supervisor. */
export interface DataFolder {
  readonly path: string;
  readonly journal: string;
  /** Workers a dead supervisor left running. */
  readonly orphans: readonly WorkerNote[];
  noteWorkers(workers: readonly WorkerNote[]): void;
  release(): void;
}

/** Takes the folder over, creating it where missing. `refused` says who has it, or why it cannot be used. */
export function openDataFolder(path: string): Opened {
  try {
    // Records name callers, so what is created is ours alone; a folder that was there keeps its permissions.
    makeFolder(join(path, "journal"));
    const owner = takeLock(join(path, "supervisor.lock"));
    if (owner !== undefined) {
      const fix = "stop it first, or give this one a folder of its own with --data";
      return {
        kind: "refused",
        message: `another hedgerow (process ${owner}) runs on the data folder ${path}; ${fix}`,
      };
    }
  } catch (error) {
    const reason = (error as Error).message;
    return {
      kind: "refused",
      message: `the data folder ${path} cannot be used: ${reason}; choose another with --data`,
    };
  }
  const workersFile = join(path, "workers.json");
  return {
    kind: "opened",
    folder: {
      path,
      journal: join(path, "journal"),
      orphans: readNotes(workersFile).filter((note) => isSameProcess(note.pid, note.identity)),
      noteWorkers: (workers) => replaceFile(workersFile, JSON.stringify(workers)),
      release: () => rmSync(join(path, "supervisor.lock"), { force: true }),
    },
  };
}

/**
 * With all folders above it. Not `recursive: true`, which never returns where a file system denies a folder with
 * ENOENT, as /proc does (Node 24.21).
 */
function makeFolder(path: string): void {
  const above = dirname(path);
  if (!existsSync(above) && above !== path) makeFolder(above);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(path) || !statSync(path).isDirectory()) throw error;
  }
}

export function noteOf(pid: number): ProcessNote {
  const identity = processIdentity(pid);
  return identity === undefined ? { pid } : { pid, identity };
}

/** The pid of the live owner, or undefined once the lock is ours. */
function takeLock(lock: string): number | undefined {
  const mine = `${lock}.${process.pid}`;
  // A link appears with its content in one step, so nobody ever reads a lock that is half written.
  writeFileSync(mine, JSON.stringify(noteOf(process.pid)), { mode: 0o600 });
  try {
    for (;;) {
      if (link(mine, lock)) return undefined;
      const held = readPresent(lock);
      if (held === undefined) continue;
      const owner = parseNote(held);
      if (owner !== undefined && owner.pid !== process.pid && isSameProcess(owner.pid, owner.identity))
        return owner.pid;
      removeStale(lock, held);
    }
  } finally {
    unlinkSync(mine);
  }
}

/** Two that find the same stale lock must not remove each other's fresh one: what was moved away is looked at again. */
function removeStale(lock: string, stale: string): void {
  const aside = `${lock}.stale-${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  if (readText(aside) !== stale) link(aside, lock);
  unlinkSync(aside);
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Undefined only where there is no such file. Throws where there is one that cannot be read. */
function readPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parseNote(text: string): ProcessNote | undefined {
  try {
    const note = JSON.parse(text) as ProcessNote;
    return typeof note.pid === "number" ? note : undefined;
  } catch {
    return undefined;
  }
}

function readNotes(path: string): readonly WorkerNote[] {
  try {
    const notes: unknown = JSON.parse(readText(path) ?? "[]");
    return Array.isArray(notes) ? (notes as WorkerNote[]).filter((note) => processExists(note.pid)) : [];
  } catch {
    return [];
  }
}

function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new`;
  writeFileSync(fresh, text, { mode: 0o600 });
  renameSync(fresh, path);
}
