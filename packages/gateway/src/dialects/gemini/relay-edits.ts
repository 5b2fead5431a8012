import { editFields, readJson, scanFields, type FieldScan } from "#wire/json-splice";
import { addedTop, markAdded } from "#dialects/added-logprobs";
import type { EncodeTarget, RelayEdits } from "#dialects/dialect";
import { ownFields } from "#dialects/peek-options";
import { isObject, type JsonObject } from "#dialects/shape";
import { withoutForeignSeals } from "./foreign-seals.ts";
import { LossLedger } from "./losses.ts";
import { camelCase } from "./request-reader.ts";
import { resourceName } from "./resource-name.ts";
import { tagStart } from "./seal-tag.ts";

/**
 * Top-level edits that make a body fit another upstream of the same language: our own fields go, names of the model that
 * stand in the body beside the address become the target's, and what other vendors sealed is taken out. A body that
 * needs none keeps all its bytes.
 */
export function relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits {
  const edits = new Map<string, string | undefined>();
  const ledger = new LossLedger();
  for (const field of ownFields) if (scan.fields.has(field)) edits.set(field, undefined);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const hasTags = bytes.includes(tagStart);
  for (const [field, span] of scan.fields) {
    const name = camelCase(field);
    if (!mayNeedEdits.has(name) || (name === "contents" && !hasTags)) continue;
    const read = readJson(body, span);
    const edited = read.ok ? editedField(name, read.value, { target, ledger, hasTags }) : undefined;
    if (edited !== undefined) edits.set(field, JSON.stringify(edited));
  }
  const logprobsAdded = askForLogprobs(edits, { scan, body, target });
  return { edits, usageAdded: false, ...markAdded(logprobsAdded), warnings: ledger.warnings };
}

/** True where they are asked for though the caller did not ask. The configuration's other bytes stay as they came. */
function askForLogprobs(
  edits: Map<string, string | undefined>,
  { scan, body, target }: { readonly scan: FieldScan; readonly body: Uint8Array; readonly target: EncodeTarget },
): boolean {
  if (target.wantsLogprobs !== true || target.operation !== undefined) return false;
  const field = [...scan.fields.keys()].find((name) => camelCase(name) === "generationConfig");
  const span = field === undefined ? undefined : scan.fields.get(field);
  if (field === undefined || span === undefined) {
    edits.set("generationConfig", JSON.stringify({ responseLogprobs: true, logprobs: addedTop }));
    return true;
  }
  const config = body.subarray(span.start, span.end);
  const inside = scanFields(config, { maxDepth: deepestConfig });
  if ("problem" in inside) return false;
  const asked = inside.members.find(({ key }) => camelCase(key) === "responseLogprobs");
  if (asked !== undefined && Buffer.from(config.subarray(asked.start, asked.end)).toString() === "true") return false;
  const added = new Map([
    [asked?.key ?? "responseLogprobs", "true"],
    ["logprobs", String(addedTop)],
  ]);
  edits.set(field, Buffer.from(editFields(config, inside, added)).toString("utf8"));
  return true;
}

/** Deeper ones were refused with the body. */
const deepestConfig = 1000;

const mayNeedEdits: ReadonlySet<string> = new Set(["model", "requests", "generateContentRequest", "contents"]);

interface Editing {
  readonly target: EncodeTarget;
  readonly ledger: LossLedger;
  readonly hasTags: boolean;
}

/** The field as the target is to see it; undefined where it may stay as it is. */
function editedField(name: string, value: unknown, editing: Editing): unknown {
  const { target, ledger } = editing;
  switch (name) {
    case "model":
      return namesTarget(value, target) ? undefined : resourceName(target.model);
    case "requests":
      return Array.isArray(value) ? editedRequests(value, target) : undefined;
    case "generateContentRequest":
      return isObject(value) ? editedRequest(value, editing) : undefined;
    default:
      return withoutForeignSeals(value, target, ledger);
  }
}

function editedRequests(requests: readonly unknown[], target: EncodeTarget): readonly unknown[] | undefined {
  if (requests.every((each) => !isObject(each) || namesTarget(each["model"], target))) return undefined;
  return requests.map((each) => (isObject(each) ? { ...each, model: resourceName(target.model) } : each));
}

function editedRequest(request: JsonObject, { target, ledger, hasTags }: Editing): JsonObject | undefined {
  const contents = hasTags ? withoutForeignSeals(request["contents"], target, ledger) : undefined;
  const { model } = request;
  if (contents === undefined && namesTarget(model, target)) return undefined;
  return {
    ...request,
    ...(namesTarget(model, target) ? {} : { model: resourceName(target.model) }),
    ...(contents === undefined ? {} : { contents }),
  };
}

/** Absent, or what the address will say, as `x`, `models/x` or `publishers/google/models/x`. */
function namesTarget(model: unknown, target: EncodeTarget): boolean {
  if (model === undefined) return true;
  const name = resourceName(target.model);
  return typeof model === "string" && (model === target.model || model === name || model.endsWith(`/${name}`));
}
