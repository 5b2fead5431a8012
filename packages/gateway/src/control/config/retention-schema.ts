import { z } from "zod";
import { defaultRetention } from "#domain/retention";
import { age, count } from "./schema-values.ts";

const dayMs = 86_400_000;
const days = (ms: number) => `${ms / dayMs}d`;

/** A budget counts months from sums by the day, and a clock may be a little off: the longest of them and some. */
export const shortestSumsMs = 32 * dayMs;
/** A budget of a day is counted from hours. */
export const shortestCallsMs = dayMs;

export const retentionSection = z
  .strictObject({
    calls: age(
      "Calls with their attempts, sums by the hour, and whole journal files; 1d or longer.",
      days(defaultRetention.callsMs),
    ),
    sums: age("Sums by the day and by five minutes; 32d or longer.", days(defaultRetention.sumsMs)),
    maxCalls: count("Most calls of a node's own store, about 1 KB each: the oldest leave first.", {
      min: 1_000,
      max: 1_000_000_000,
      byDefault: defaultRetention.maxCalls,
    }),
  })
  .meta({
    description: "How long the ledger keeps what it knows, counted back from the newest call. See docs/stores.md.",
  })
  .exactOptional();
