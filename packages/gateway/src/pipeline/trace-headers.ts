import { attemptSpanId, isKept, traceHeaders, traceIdOf } from "#domain/trace";
import type { AttemptInput } from "./attempt-input.ts";
import type { Question } from "./ask-target.ts";

/**
 * How an attempt's request names its place in the trace: the span that the attempt's record will give. Nothing where the
 * configuration does not tell providers, and for what has no part in a call's own record.
 */
export function tracing({ call, snapshot, target, isShadow }: Question): Pick<AttemptInput, "traceHeaders"> {
  const { tracing: rule } = snapshot;
  if (rule === undefined || isShadow === true) return {};
  const { trace } = call;
  const id = trace?.id ?? traceIdOf(call.id);
  const sampled = trace?.sampled ?? isKept(id, rule.share);
  return {
    traceHeaders: (startedAtMs) =>
      traceHeaders({
        id,
        span: attemptSpanId(call.id, target.id, startedAtMs - call.acceptedAtMs),
        sampled,
        ...(trace?.state === undefined ? {} : { state: trace.state }),
      }),
  };
}
