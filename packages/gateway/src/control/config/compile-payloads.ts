import type { PayloadRule } from "#domain/payload";
import type { Report } from "./compile-context.ts";
import {
  defaultPayloadBytes,
  defaultPayloadsBytes,
  defaultPayloadsKeepMs,
  leastPayloadParts,
  leastPayloadsBytes,
} from "./payloads-schema.ts";
import type { ConfigDocument } from "./schema.ts";
import { mebibytes } from "./schema-values.ts";

export function compilePayloads({ payloads }: ConfigDocument): { readonly payloads?: PayloadRule } {
  if (payloads === undefined) return {};
  const { sample, maxBytes = defaultPayloadBytes, keep, maxTotal } = payloads;
  return {
    payloads: {
      share: sample,
      maxBytes,
      keepMs: keep ?? defaultPayloadsKeepMs,
      maxTotalBytes: maxTotal ?? defaultPayloadsBytes,
    },
  };
}

/** Where the newest would not fit into the whole, nothing would be kept. */
export function checkPayloads(document: ConfigDocument, report: Report): void {
  const rule = compilePayloads(document).payloads;
  if (rule === undefined) return;
  const leastBytes = Math.max(leastPayloadsBytes, leastPayloadParts * rule.maxBytes);
  if (rule.maxTotalBytes >= leastBytes) return;
  const least = mebibytes(Math.ceil(leastBytes / 1024) * 1024);
  const why = `it is too small for what it must hold: ${leastPayloadParts} times \`maxBytes\`, and 1MiB at least`;
  report(["payloads", "maxTotal"], why, `write ${least} or more, or a smaller \`maxBytes\``);
}
