import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const nameFile = "node";
const length = 12;

/**
 * What this node is called among those it shares servers with: made once, and kept in its data folder. A copy of a folder is
 * the same node: two that run at once would answer for each other.
 */
export function nodeName(folder: string): string {
  const path = join(folder, nameFile);
  try {
    const name = readFileSync(path, "utf8").trim();
    if (/^[0-9a-f]{12}$/u.test(name)) return name;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const name = randomBytes(length / 2).toString("hex");
  writeFileSync(path, `${name}\n`, { mode: 0o600 });
  return name;
}
