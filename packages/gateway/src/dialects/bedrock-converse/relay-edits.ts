import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { parseExact } from "#dialects/exact-numbers";
import { isObject, type JsonObject } from "#dialects/shape";
import type { FieldScan, Span } from "#wire/json-splice";
import { withoutForeignSeals } from "./foreign-seals.ts";
import { LossLedger } from "./losses.ts";

/** The gateway's own fields and other vendors' seals out, all else byte for byte: the model stands in the path. */
export function relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits {
  const edits = new Map<string, string | undefined>();
  for (const name of ownFields) if (scan.fields.has(name)) edits.set(name, undefined);
  const ledger = new LossLedger();
  const budget = budgeted(body, scan.fields.get(additional));
  // The conversation stands under `messages`, that of a count inside `input`.
  for (const field of ["messages", "input"]) {
    const span = scan.fields.get(field);
    const kept =
      span === undefined ? undefined : withoutForeignSeals(body, span, { target, budgeted: budget !== undefined });
    if (kept?.json !== undefined) edits.set(field, kept.json);
    if (kept?.lost === true) ledger.note("foreign-reasoning");
    if (kept?.unexplainedCalls !== true || budget === undefined) continue;
    const { thinking: _thinking, ...others } = budget;
    edits.set(additional, Object.keys(others).length === 0 ? undefined : JSON.stringify(others));
    ledger.note("thinking-without-history");
  }
  return { edits, usageAdded: false, warnings: ledger.warnings };
}

const additional = "additionalModelRequestFields";

/** The fields of the model's own language where they ask Claude to think within a budget. */
function budgeted(body: Uint8Array, span: Span | undefined): JsonObject | undefined {
  if (span === undefined) return undefined;
  const fields = parseExact(Buffer.from(body.subarray(span.start, span.end)).toString("utf8"));
  const thinking = isObject(fields) ? fields["thinking"] : undefined;
  return isObject(fields) && isObject(thinking) && thinking["type"] === "enabled" ? fields : undefined;
}
