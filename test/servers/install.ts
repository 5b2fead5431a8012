import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export interface ServerProgram {
  /** Any of these will do; the first that is found. */
  readonly programs: readonly string[];
  /** The Debian package that brings one of them. */
  readonly packageName: string;
  /** Where else it may be, beside the PATH. */
  readonly folders?: () => readonly string[];
}

const tried = new Map<string, string | undefined>();

/**
 * The absolute path of a server's program. Where there is none it is installed, if this is a Debian-like system and we may;
 * undefined, with a line that says why, where that does not work either.
 */
export function serverProgram(wanted: ServerProgram): string | undefined {
  if (tried.has(wanted.packageName)) return tried.get(wanted.packageName);
  let found = find(wanted);
  if (found === undefined) {
    const trouble = install(wanted.packageName);
    found = find(wanted);
    if (found === undefined) console.info(`skipped: there is no ${wanted.programs.join(" or ")}: ${trouble}`);
  }
  tried.set(wanted.packageName, found);
  return found;
}

function find({ programs, folders }: ServerProgram): string | undefined {
  const places = [...(process.env["PATH"] ?? "").split(delimiter).filter(Boolean), ...(folders?.() ?? [])];
  return programs.flatMap((program) => places.map((place) => join(place, program))).find(mayRun);
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns why it may not have worked. */
function install(packageName: string): string {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root on Linux may install it";
  // Another test process may install at the same time; what is installed is not to start a service of its own.
  const options = {
    encoding: "utf8",
    timeout: 240_000,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
  } as const;
  const args = ["-o", "DPkg::Lock::Timeout=120", "install", "-y", "--no-install-recommends", packageName];
  const first = spawnSync("apt-get", args, options);
  if (first.status === 0) return "it was installed";
  spawnSync("apt-get", ["update"], options);
  const second = spawnSync("apt-get", args, options);
  return (second.stderr ?? "").trim().split("\n").at(-1) ?? second.error?.message ?? "apt-get failed";
}
