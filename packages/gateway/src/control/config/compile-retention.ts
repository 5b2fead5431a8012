import { defaultRetention, type Retention } from "#domain/retention";
import type { Report } from "./compile-context.ts";
import { shortestCallsMs, shortestSumsMs } from "./retention-schema.ts";
import type { ConfigDocument } from "./schema.ts";

export function compileRetention({ retention = {} }: ConfigDocument): { readonly retention: Retention } {
  const { callsMs, sumsMs, maxCalls } = defaultRetention;
  const calls = retention.calls ?? callsMs;
  return {
    retention: {
      callsMs: calls,
      // Whoever keeps calls for longer means the sums, too.
      sumsMs: retention.sums ?? Math.max(sumsMs, calls),
      maxCalls: retention.maxCalls ?? maxCalls,
    },
  };
}

export function checkRetention(document: ConfigDocument, report: Report): void {
  if (document.retention === undefined) return;
  const { callsMs, sumsMs } = compileRetention(document).retention;
  if (callsMs < shortestCallsMs) {
    const fix = "write 1d or longer; calls that are forwarded by `records.forward` can be removed there";
    report(["retention", "calls"], "it is shorter than a day, which budgets are counted over", fix);
  }
  if (sumsMs < shortestSumsMs) {
    const why = "it is shorter than 32 days, and budgets of a month are counted from sums";
    report(["retention", "sums"], why, "write 32d or longer");
  } else if (sumsMs < callsMs) {
    const fix = "write `sums` as long as `calls`, or longer: 400d";
    report(["retention", "sums"], "it is shorter than `retention.calls`, whose days it holds", fix);
  }
}
