import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import type { FieldScan } from "#wire/json-splice";
import { withoutForeignSeals } from "./foreign-seals.ts";
import { LossLedger } from "./losses.ts";

/** The gateway's own fields and other vendors' seals out, all else byte for byte: the model stands in the path. */
export function relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits {
  const edits = new Map<string, string | undefined>();
  for (const name of ownFields) if (scan.fields.has(name)) edits.set(name, undefined);
  const ledger = new LossLedger();
  // The conversation stands under `messages`, that of a count inside `input`.
  for (const field of ["messages", "input"]) {
    const span = scan.fields.get(field);
    const kept = span === undefined ? undefined : withoutForeignSeals(body, span, target);
    if (kept === undefined) continue;
    edits.set(field, kept.json);
    if (kept.lost) ledger.note("foreign-reasoning");
  }
  return { edits, usageAdded: false, warnings: ledger.warnings };
}
