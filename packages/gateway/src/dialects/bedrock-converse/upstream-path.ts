import type { AskedPath } from "#dialects/dialect";
import type { Operation } from "#domain/call";

/** An inference profile's name is the model's behind a region's. */
const profile = /^[a-z-]+\.(?=anthropic\.)/u;

/** The model's name, or its ARN, is one percent-encoded piece of the path. */
export function upstreamPath(operation: Operation, { model, streamed }: AskedPath): string | undefined {
  switch (operation) {
    case "generate":
      return `/model/${encodeURIComponent(model)}/${streamed ? "converse-stream" : "converse"}`;
    case "count-tokens": {
      // Of what Bedrock hosts only Claude is counted, and only under its own name (user guide, read 2026-11).
      const name = model.replace(profile, "");
      return name.includes("claude") && !name.startsWith("arn:")
        ? `/model/${encodeURIComponent(name)}/count-tokens`
        : undefined;
    }
    default:
      return undefined;
  }
}
