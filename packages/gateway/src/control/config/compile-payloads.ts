import type { PayloadRule } from "#domain/payload";
import { defaultPayloadBytes, defaultPayloadsBytes, defaultPayloadsKeepMs } from "./payloads-schema.ts";
import type { ConfigDocument } from "./schema.ts";

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
