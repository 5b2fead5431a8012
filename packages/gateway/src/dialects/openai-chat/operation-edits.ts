import { addedTop, markAdded } from "#dialects/added-logprobs";
import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { isAbsent, isObject } from "#dialects/shape";
import { readJson, readString, type FieldScan } from "#wire/json-splice";
import { refusesLogprobs } from "./forbidden.ts";
import { hintFields } from "./hint-fields.ts";
import { LossReport } from "./losses.ts";

/**
 * Edits of a body that asks for something else than a chat: the target's model, without our own fields and the hints it
 * refuses. Usage is asked for in a completion's stream, where it exists too; nothing else of a chat has a place here.
 */
export function operationEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits {
  const edits = new Map<string, string | undefined>();
  for (const field of ownFields) if (scan.fields.has(field)) edits.set(field, undefined);
  const model = scan.fields.get("model");
  if (model === undefined || readString(body, model) !== target.model) edits.set("model", JSON.stringify(target.model));
  const report = new LossReport();
  for (const field of target.quirks.refusedFields) {
    if (field === "stream_options" || !hintFields.has(field) || !scan.fields.has(field)) continue;
    edits.set(field, undefined);
    report.meet("refused-hint", field);
  }
  const usageAdded = target.operation === "complete" && askForUsage(edits, { scan, body, target });
  const logprobsAdded = askForLogprobs(edits, { scan, body, target });
  return { edits, usageAdded, ...markAdded(logprobsAdded), warnings: report.warnings };
}

interface Asking {
  readonly scan: FieldScan;
  readonly body: Uint8Array;
  readonly target: EncodeTarget;
}

/** A completion's log-probabilities are asked for by the number of alternatives. True where only we ask. */
function askForLogprobs(edits: Map<string, string | undefined>, { scan, body, target }: Asking): boolean {
  if (target.wantsLogprobs !== true || target.operation !== "complete" || refusesLogprobs(target, undefined))
    return false;
  const span = scan.fields.get("logprobs");
  const read = span === undefined ? undefined : readJson(body, span);
  if (span !== undefined && (read?.ok !== true || !isAbsent(read.value))) return false;
  edits.set("logprobs", String(addedTop));
  return true;
}

/** True where usage in the stream is asked for though the caller did not ask. */
export function askForUsage(edits: Map<string, string | undefined>, { scan, body, target }: Asking): boolean {
  const span = scan.fields.get("stream_options");
  const read = span === undefined ? undefined : readJson(body, span);
  const options = read?.ok === true ? read.value : undefined;
  if (target.quirks.streamUsage === "never" && options !== undefined) edits.set("stream_options", undefined);
  if (target.quirks.streamUsage !== "ask" || !target.streamed) return false;
  const given = isObject(options) ? options : {};
  if (given["include_usage"] === true) return false;
  edits.set("stream_options", JSON.stringify({ ...given, include_usage: true }));
  return true;
}
