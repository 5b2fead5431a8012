import { readString, type FieldScan } from "#wire/json-splice";
import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { inputWithoutForeignSeals } from "./foreign-seals.ts";
import { LossLedger } from "./losses.ts";

/**
 * Top-level edits that make a body fit another upstream of the same language: our own fields go, the target's model
 * name comes, and thoughts that another vendor sealed are taken out. A body that needs none keeps all its bytes.
 */
export function relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits {
  const edits = new Map<string, string | undefined>();
  const ledger = new LossLedger();
  for (const field of ownFields) if (scan.fields.has(field)) edits.set(field, undefined);
  const model = scan.fields.get("model");
  if (model === undefined || readString(body, model) !== target.model) edits.set("model", JSON.stringify(target.model));
  const input = inputWithoutForeignSeals(body, scan, target);
  if (input !== undefined) {
    edits.set("input", input.json);
    if (input.lost) ledger.note("foreign-reasoning");
  }
  return { edits, usageAdded: false, warnings: ledger.warnings };
}
