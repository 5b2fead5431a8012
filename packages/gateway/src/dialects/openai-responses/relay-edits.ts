import { readJson, readString, type FieldScan } from "#wire/json-splice";
import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { nearestEffort, refusesSampling, takesNoEffort } from "#dialects/openai-chat/forbidden";
import { ownFields } from "#dialects/peek-options";
import { isAbsent, isObject } from "#dialects/shape";
import { inputWithoutForeignSeals } from "./foreign-seals.ts";
import { LossLedger } from "./losses.ts";

/**
 * Top-level edits that make a body fit another upstream of the same language: our own fields go, the target's model
 * name comes, thoughts that another vendor sealed are taken out, and so is what the model is known to answer 400 to. A
 * body that needs none keeps all its bytes.
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
  fitReasoning(edits, { scan, body, target, ledger });
  return { edits, usageAdded: false, warnings: ledger.warnings };
}

interface Fitting {
  readonly scan: FieldScan;
  readonly body: Uint8Array;
  readonly target: EncodeTarget;
  readonly ledger: LossLedger;
}

function fitReasoning(edits: Map<string, string | undefined>, { scan, body, target, ledger }: Fitting): void {
  const field = (name: string): unknown => {
    const span = scan.fields.get(name);
    const read = span === undefined ? undefined : readJson(body, span);
    return read?.ok === true ? read.value : undefined;
  };
  const reasoning = field("reasoning");
  const wish = isObject(reasoning) && typeof reasoning["effort"] === "string" ? reasoning["effort"] : undefined;
  const nearest = wish === undefined ? undefined : nearestEffort(wish, target);
  if (isObject(reasoning) && wish !== undefined && takesNoEffort(target)) {
    const { effort: _, ...rest } = reasoning;
    edits.set("reasoning", Object.keys(rest).length === 0 ? undefined : JSON.stringify(rest));
    ledger.note("effort-fixed");
  } else if (isObject(reasoning) && nearest !== undefined) {
    edits.set("reasoning", JSON.stringify({ ...reasoning, effort: nearest }));
    ledger.note("effort-moved", `${wish} to ${nearest}`);
  }
  if (!refusesSampling(target, nearest ?? wish)) return;
  for (const name of ["temperature", "top_p"]) {
    if (!scan.fields.has(name)) continue;
    edits.set(name, undefined);
    const value = field(name);
    if (!isAbsent(value) && value !== 1) ledger.note("sampling");
  }
}
