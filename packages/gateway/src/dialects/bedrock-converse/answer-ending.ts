import type { EncodeOptions } from "#dialects/dialect";
import type { Finish } from "#domain/answer";
import type { Usage } from "#domain/usage";
import { additionalFields, stopReasonOf, type AnswerContent } from "./stop-reasons.ts";
import { tierJson, usageJson } from "./usage-fields.ts";

/** Why an answer ended, as `messageStop` and whole answers say it. */
export function stopFields(finish: Finish | undefined, content: AnswerContent, options: EncodeOptions): object {
  return {
    stopReason: stopReasonOf(finish, content),
    additionalModelResponseFields: additionalFields(options.requestJson, finish),
  };
}

/** What was used and how long it took, as `metadata` and whole answers say it. */
export function reportFields(usage: Usage | undefined, options: EncodeOptions): object {
  return {
    usage: usageJson(usage),
    metrics: { latencyMs: Math.round(options.elapsedMs?.() ?? 0) },
    serviceTier: tierJson(usage),
    hedgerow: options.facts?.(),
  };
}

/** Callers answer a tool call by its id: one without gets one that is unique in the answer. */
export function answeredToolId(id: string, fallbackId: string, index: number): string {
  return id === "" ? `tooluse_${fallbackId}_${index}` : id;
}
