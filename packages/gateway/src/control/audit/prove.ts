import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCheckpoint } from "#ledger/checkpoint";
import { inclusionPath, leafHash, type Hash } from "#ledger/merkle";
import { checkpointFile } from "./audit-folder.ts";
import type { Opening } from "./entry.ts";
import { readLog, type Proof } from "./verify.ts";

export interface Wanted {
  /** A call's id, or an entry's number. */
  readonly entry: string;
  /** Fields that are shown; absent: all that were not erased. */
  readonly fields?: readonly string[];
}

export type Proved =
  | { readonly kind: "proved"; readonly proof: Proof }
  | { readonly kind: "refused"; readonly why: string };

/** What shows to anybody with the log's key that an entry is in it. The checkpoint must have been verified. */
export function prove(folder: string, { entry: wanted, fields }: Wanted): Proved {
  const checkpoint = readFileSync(join(folder, checkpointFile), "utf8");
  const size = readCheckpoint(checkpoint.slice(0, checkpoint.lastIndexOf("\n\n") + 1))?.size ?? 0;
  const leaves: Hash[] = [];
  let found: { readonly line: string; readonly index: number; readonly openings: Proof["openings"] } | undefined;
  for (const { line, openings } of readLog(folder)) {
    if (leaves.length === size) break;
    const index = leaves.length;
    if (found === undefined && (wanted === String(index) || openings["id"]?.[2] === wanted)) {
      found = { line, index, openings };
    }
    leaves.push(leafHash(Buffer.from(line, "utf8")));
  }
  if (found === undefined)
    return { kind: "refused", why: `no entry under the checkpoint is ${JSON.stringify(wanted)}` };
  const { line, index, openings } = found;
  const missing = fields?.find((name) => openings[name] === undefined);
  if (missing !== undefined) {
    const there = Object.keys(openings).join(", ") || "none: they were erased";
    return { kind: "refused", why: `entry ${index} has no ${JSON.stringify(missing)} to show; there are ${there}` };
  }
  const path = inclusionPath(leaves, index).map((each) => each.toString("base64"));
  return { kind: "proved", proof: { version: 1, entry: line, openings: only(openings, fields), path, checkpoint } };
}

function only(openings: Proof["openings"], fields: readonly string[] | undefined): Readonly<Record<string, Opening>> {
  if (fields === undefined) return openings;
  return Object.fromEntries(Object.entries(openings).filter(([name]) => fields.includes(name)));
}
