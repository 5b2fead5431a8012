import { readJson, readString, type FieldScan } from "#wire/json-splice";
import { addedTop, markAdded } from "#dialects/added-logprobs";
import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { isAbsent } from "#dialects/shape";
import { fitAnswer } from "./fit-answer.ts";
import { fitCall } from "./fit-call.ts";
import { fitMessages, mayNeedFitting } from "./fit-messages.ts";
import { refusedFields, refusesLogprobs } from "./forbidden.ts";
import { hintFields } from "./hint-fields.ts";
import { LossReport } from "./losses.ts";
import { askForUsage, operationEdits } from "./operation-edits.ts";

/**
 * Top-level edits that make a chat body fit another upstream of the same language: our own fields go, the target's
 * model name comes, usage is asked for in streams, fields that are only named differently are renamed, hints it refuses
 * are left out, and messages are fitted. A body that needs none of these keeps all its bytes.
 */
export function relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits {
  if (target.operation !== undefined) return operationEdits(scan, body, target);
  const { quirks } = target;
  const edits = new Map<string, string | undefined>();
  for (const field of ownFields) if (scan.fields.has(field)) edits.set(field, undefined);
  const model = scan.fields.get("model");
  if (model === undefined || readString(body, model) !== target.model) edits.set("model", JSON.stringify(target.model));
  const raw = (name: string): string | undefined => {
    const span = scan.fields.get(name);
    return span === undefined ? undefined : Buffer.from(body.subarray(span.start, span.end)).toString("utf8");
  };
  const rename = (from: string, to: string): void => {
    const value = raw(from);
    if (value === undefined) return;
    edits.set(from, undefined);
    if (!scan.fields.has(to)) edits.set(to, value);
  };
  if (quirks.maxOutputField === "max_tokens") rename("max_completion_tokens", "max_tokens");
  // Reasoning models answer 400 to the older name, and all others take the newer one too.
  else if (target.traits?.capabilities.reasoning === true) rename("max_tokens", "max_completion_tokens");
  if (quirks.seedField !== "seed") rename("seed", quirks.seedField);
  if (quirks.requiredToolChoice !== "required" && raw("tool_choice") === '"required"') {
    edits.set("tool_choice", JSON.stringify(quirks.requiredToolChoice));
  }
  const usageAdded = askForUsage(edits, { scan, body, target });
  const report = new LossReport();
  leaveOut(edits, { scan, body, target, report });
  editMessages(edits, { scan, body, target, report });
  fitCall(edits, { scan, body, target, report });
  const logprobsAdded = askForLogprobs(edits, { scan, body, target, report });
  const unfit = report.refusal;
  return {
    edits,
    usageAdded,
    ...markAdded(logprobsAdded),
    warnings: report.warnings,
    ...(unfit === undefined ? {} : { unfit }),
    ...(quirks.reasoningEcho === "thinking" ? { fitAnswer } : {}),
  };
}

/**
 * Fields a target is known to answer 400 to: hints are left out, and so is what says nothing; for what carries meaning
 * the target is not asked, so that the next one is.
 */
function leaveOut(edits: Map<string, string | undefined>, { scan, body, target, report }: Fitting): void {
  for (const field of refusedFields(target)) {
    if (!scan.fields.has(field) || edits.has(field)) continue;
    edits.set(field, undefined);
    // Usage comes from such a target unasked.
    if (field === "stream_options" || saysNothing(field, readField(scan, body, field))) continue;
    if (hintFields.has(field)) report.meet("refused-hint", field);
    else report.meet("refused-meaning", field, field);
  }
}

function saysNothing(field: string, value: unknown): boolean {
  if (isAbsent(value) || value === false) return true;
  if (field === "modalities") return Array.isArray(value) && value.every((kind) => kind === "text");
  return (field === "n" && value === 1) || (Array.isArray(value) && value.length === 0);
}

/** True where they are asked for though the caller did not ask. */
function askForLogprobs(edits: Map<string, string | undefined>, { scan, body, target }: Fitting): boolean {
  if (target.wantsLogprobs !== true) return false;
  const asked = (field: string): unknown => readField(scan, body, field);
  if (asked("logprobs") === true || !(isAbsent(asked("top_logprobs")) || asked("top_logprobs") === 0)) return false;
  const effort = asked("reasoning_effort");
  if (refusesLogprobs(target, typeof effort === "string" ? effort : undefined)) return false;
  edits.set("logprobs", "true");
  edits.set("top_logprobs", String(addedTop));
  return true;
}

interface Fitting {
  readonly scan: FieldScan;
  readonly body: Uint8Array;
  readonly target: EncodeTarget;
  readonly report: LossReport;
}

/** Messages that the target would refuse are written anew, the only case in which their bytes change. */
function editMessages(edits: Map<string, string | undefined>, { scan, body, target, report }: Fitting): void {
  const span = scan.fields.get("messages");
  if (span === undefined) return;
  const bytes = Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start);
  if (!mayNeedFitting(bytes, target)) return;
  const messages = readField(scan, body, "messages");
  if (!Array.isArray(messages)) return;
  const json = fitMessages(messages, target, report);
  if (json !== undefined) edits.set("messages", json);
}

function readField(scan: FieldScan, body: Uint8Array, name: string): unknown {
  const span = scan.fields.get(name);
  const read = span === undefined ? undefined : readJson(body, span);
  return read?.ok === true ? read.value : undefined;
}
