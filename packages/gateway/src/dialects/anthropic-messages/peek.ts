import type { Failure } from "#domain/failure";
import { isObject } from "#dialects/shape";
import { readJson, type FieldScan } from "#wire/json-splice";
import type { EncodeTarget, Peek, RelayEdits } from "#dialects/dialect";
import { generationOf } from "#dialects/claude-generation";
import { ownFields, readCallOptions, refuseRepeated } from "#dialects/peek-options";
import { LossLedger } from "./losses.ts";
import { messagesWithoutForeignSeals } from "./foreign-seals.ts";
import { refuseThread } from "./held-thread.ts";

/** Fields whose repetition two JSON parsers could resolve differently, with an effect on cost, routing or safety. */
const guardedFields = [
  "model",
  "messages",
  "system",
  "stream",
  "max_tokens",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "output_format",
  "service_tier",
  "metadata",
];

/** What must be known of a Messages or count_tokens request before a plan exists. */
export function peek(
  body: Uint8Array,
  scan: FieldScan,
): Peek | { readonly kind: "refused"; readonly failure: Failure } {
  const repeated = refuseRepeated(scan, guardedFields);
  if (repeated !== undefined) return { kind: "refused", failure: repeated };
  const held = refuseThread(body, scan);
  if (held !== undefined) return { kind: "refused", failure: held };
  const read = readCallOptions(body, scan);
  if (read.kind === "refused") return read;
  return { kind: "peeked", model: read.model, streamed: read.streamed, options: read.options };
}

/**
 * The target's model name in, the gateway's own fields, other vendors' seals and what the model refuses out; all else
 * byte for byte.
 */
export function relayEdits(scan: FieldScan, body: Uint8Array, target: EncodeTarget): RelayEdits {
  const edits = new Map<string, string | undefined>([["model", JSON.stringify(target.model)]]);
  for (const name of ownFields) if (scan.fields.has(name)) edits.set(name, undefined);
  const ledger = new LossLedger();
  const span = scan.fields.get("messages");
  const budgeted = hasBudget(scan, body);
  const messages = span === undefined ? undefined : messagesWithoutForeignSeals(body, span, { target, budgeted });
  if (messages?.json !== undefined) edits.set("messages", messages.json);
  if (messages?.lost === true) ledger.note("foreign-reasoning");
  if (messages?.unexplainedCalls === true) {
    edits.set("thinking", undefined);
    ledger.note("thinking-without-history");
  }
  if (!(target.traits?.capabilities.sampling ?? generationOf(target.model).sampling)) {
    for (const name of ["temperature", "top_p", "top_k"]) {
      if (!scan.fields.has(name)) continue;
      edits.set(name, undefined);
      ledger.note("sampling");
    }
  }
  return { edits, usageAdded: false, warnings: ledger.warnings };
}

function hasBudget(scan: FieldScan, body: Uint8Array): boolean {
  const span = scan.fields.get("thinking");
  const read = span === undefined ? undefined : readJson(body, span);
  return read?.ok === true && isObject(read.value) && read.value["type"] === "enabled";
}
