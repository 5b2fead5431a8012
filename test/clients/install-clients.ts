import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** A folder of its own: the programs are half a gigabyte that only these tests need. */
const folder = join(import.meta.dirname, "programs");

/** The program of a command-line client, installed on first use; undefined where the registry cannot be reached. */
export function clientProgram(name: "codex" | "gemini"): string | undefined {
  const program = join(folder, "node_modules", ".bin", name);
  if (existsSync(program)) return program;
  const options = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder];
  const installed = spawnSync("npm", options, { cwd: folder, encoding: "utf8", timeout: 400_000 });
  if (existsSync(program)) return program;
  console.info(`skipped: ${name} cannot be installed: ${(installed.stderr ?? "").trim().split("\n").at(-1) ?? ""}`);
  return undefined;
}
