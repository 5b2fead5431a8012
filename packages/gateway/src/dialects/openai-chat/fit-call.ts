import { readJson, type FieldScan } from "#wire/json-splice";
import type { EncodeTarget } from "#dialects/dialect";
import { isAbsent, isObject } from "#dialects/shape";
import { isRefusedWithTools, nearestEffort, refusesSampling, refusesStop, takesNoEffort } from "./forbidden.ts";
import type { LossReport } from "./losses.ts";

interface Fitting {
  readonly scan: FieldScan;
  readonly body: Uint8Array;
  readonly target: EncodeTarget;
  readonly report: LossReport;
}

/** What the sampling parameters are where nobody says them. */
const usual: Readonly<Record<string, number>> = { temperature: 1, top_p: 1, frequency_penalty: 0, presence_penalty: 0 };

/**
 * Combinations of top-level fields that the target is known to answer 400 to. What is only a hint is left out; what the
 * answer depends on is refused before it is sent, so that another language or another target is tried.
 */
export function fitCall(edits: Map<string, string | undefined>, fitting: Fitting): void {
  fitTools(edits, fitting);
  fitEffort(edits, fitting);
  fitSampling(edits, fitting);
  const { target, report } = fitting;
  const stop = readField(fitting, "stop");
  const hasStop = typeof stop === "string" || (Array.isArray(stop) && stop.length > 0);
  if (hasStop && refusesStop(target)) report.meet("stop-unsupported", undefined, "stop");
}

function fitTools(edits: Map<string, string | undefined>, fitting: Fitting): void {
  const { target, report, scan } = fitting;
  const choice = readField(fitting, "tool_choice");
  if (target.quirks.ignoresToolChoice === true && !isAbsent(choice) && choice !== "auto") {
    if (choice !== "none") report.meet("tool-choice-ignored", undefined, "tool_choice");
    for (const field of ["tools", "tool_choice"]) if (scan.fields.has(field)) edits.set(field, undefined);
  }
  const signs = target.quirks.toolSignatures !== undefined && target.hasOtherLane === true;
  if (!signs && !isRefusedWithTools(target, { hasFunctions: true, effort: undefined })) return;
  const hasFunctions = asksForFunctions(fitting);
  // Most clients of this language drop what hangs on a call. In its own, the gateway remembers it for them.
  if (signs && hasFunctions) report.meet("signatures-elsewhere", undefined, "tools");
  if (!isRefusedWithTools(target, { hasFunctions, effort: effortOf(fitting) })) return;
  if (target.hasOtherLane === true) {
    report.meet("reasoning-elsewhere", undefined, "tools");
    return;
  }
  report.meet("reasoning-with-tools", undefined, "tools");
  edits.set("reasoning_effort", '"none"');
}

function asksForFunctions(fitting: Fitting): boolean {
  const tools = readField(fitting, "tools");
  const legacy = readField(fitting, "functions");
  return (
    (Array.isArray(tools) && tools.some((tool: unknown) => isObject(tool) && tool["type"] === "function")) ||
    (Array.isArray(legacy) && legacy.length > 0)
  );
}

function fitEffort(edits: Map<string, string | undefined>, fitting: Fitting): void {
  const wish = readField(fitting, "reasoning_effort");
  if (typeof wish !== "string" || edits.has("reasoning_effort")) return;
  if (takesNoEffort(fitting.target)) {
    edits.set("reasoning_effort", undefined);
    if (wish !== "none") fitting.report.meet("effort-fixed");
    return;
  }
  const nearest = nearestEffort(wish, fitting.target);
  if (nearest === undefined) return;
  edits.set("reasoning_effort", JSON.stringify(nearest));
  fitting.report.meet("effort-moved", `${wish} to ${nearest}`);
}

function effortOf(fitting: Fitting): string | undefined {
  const reasoning = readField(fitting, "reasoning");
  const effort = readField(fitting, "reasoning_effort") ?? (isObject(reasoning) ? reasoning["effort"] : undefined);
  return typeof effort === "string" ? effort : undefined;
}

function fitSampling(edits: Map<string, string | undefined>, fitting: Fitting): void {
  const { target, report, scan } = fitting;
  const rests = edits.get("reasoning_effort") === '"none"';
  if (!refusesSampling(target, rests ? "none" : effortOf(fitting))) return;
  const lost: string[] = [];
  for (const field of [...Object.keys(usual), "logit_bias"]) {
    if (!scan.fields.has(field)) continue;
    edits.set(field, undefined);
    const value = readField(fitting, field);
    if (!isAbsent(value) && value !== usual[field]) lost.push(field);
  }
  if (lost.length > 0) report.meet("sampling", lost.join(", "));
}

function readField({ scan, body }: Fitting, name: string): unknown {
  const span = scan.fields.get(name);
  const read = span === undefined ? undefined : readJson(body, span);
  return read?.ok === true ? read.value : undefined;
}
