import { readJson, readString, type FieldScan } from "#wire/json-splice";
import { addedTop, markAdded } from "#dialects/added-logprobs";
import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { nearestEffort, refusesLogprobs, refusesSampling, takesNoEffort } from "#dialects/openai-chat/forbidden";
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
  const effort = fitReasoning(edits, { scan, body, target, ledger });
  const logprobsAdded = askForLogprobs(edits, { scan, body, target, effort });
  return { edits, usageAdded: false, ...markAdded(logprobsAdded), warnings: ledger.warnings };
}

const logprobsWord = "message.output_text.logprobs";

/** True where they are asked for though the caller did not ask. */
function askForLogprobs(
  edits: Map<string, string | undefined>,
  { scan, body, target, effort }: Omit<Fitting, "ledger"> & { readonly effort: string | undefined },
): boolean {
  if (target.wantsLogprobs !== true || target.operation !== undefined || refusesLogprobs(target, effort)) return false;
  const read = readField(scan, body, "include");
  const include: readonly unknown[] = Array.isArray(read) ? read : [];
  const top = readField(scan, body, "top_logprobs");
  if (include.includes(logprobsWord) || !(isAbsent(top) || top === 0)) return false;
  edits.set("include", JSON.stringify([...include, logprobsWord]));
  edits.set("top_logprobs", String(addedTop));
  return true;
}

interface Fitting {
  readonly scan: FieldScan;
  readonly body: Uint8Array;
  readonly target: EncodeTarget;
  readonly ledger: LossLedger;
}

/** Returns the effort that is asked for; undefined: the model's own. */
function fitReasoning(
  edits: Map<string, string | undefined>,
  { scan, body, target, ledger }: Fitting,
): string | undefined {
  const field = (name: string): unknown => readField(scan, body, name);
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
  const effort = nearest ?? wish;
  if (!refusesSampling(target, effort)) return effort;
  for (const name of ["temperature", "top_p"]) {
    if (!scan.fields.has(name)) continue;
    edits.set(name, undefined);
    const value = field(name);
    if (!isAbsent(value) && value !== 1) ledger.note("sampling");
  }
  return effort;
}

function readField(scan: FieldScan, body: Uint8Array, name: string): unknown {
  const span = scan.fields.get(name);
  const read = span === undefined ? undefined : readJson(body, span);
  return read?.ok === true ? read.value : undefined;
}
