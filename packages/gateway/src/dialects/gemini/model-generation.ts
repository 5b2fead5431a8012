import type { Effort } from "#domain/request";

/** What a Gemini model of a generation takes; facts that change the shape of a request, not its price or window. */
export interface ModelGeneration {
  /** Takes `systemInstruction`. */
  readonly system: boolean;
  /** How thinking is asked for. */
  readonly thinking:
    | { readonly kind: "none" }
    | { readonly kind: "budget"; readonly min: number; readonly max: number; readonly canStop: boolean }
    | { readonly kind: "level"; readonly levels: readonly Effort[] };
  /** Wants the signature of a step's first call back. */
  readonly signsCalls: boolean;
  /** Can be held to JSON while it has tools. */
  readonly jsonWithTools: boolean;
  /** Takes media inside a tool's result. */
  readonly resultMedia: boolean;
  /** Fetches pictures and documents from the web. */
  readonly fetches: boolean;
}

/**
 * Read from the model's name, whatever stands before it. Sources, as of 2026-11: Google's documentation — budgets of
 * 2.5 (Pro 128 to 32768 and never off, Flash 0 to 24576, Flash-Lite 512 to 24576 or off), levels from 3 on (the SDK's
 * types: from 3.5 on a budget is an error), thought signatures and media in results from 3 on, addresses not before 2.5;
 * recordings — Gemma refuses instructions. A name without a number (`gemini-flash-latest`) is the newest of its kind.
 */
export function generationOf(model: string): ModelGeneration {
  const name = model.toLowerCase();
  if (name.includes("gemma")) return { ...older, system: false };
  const version = versionOf(name);
  if (version >= 3) {
    return {
      system: true,
      thinking: { kind: "level", levels: levelsOf(name, version) },
      signsCalls: true,
      jsonWithTools: true,
      resultMedia: true,
      fetches: true,
    };
  }
  if (version < 2.5) return older;
  return { ...older, thinking: budgetOf(name), fetches: true };
}

const older: ModelGeneration = {
  system: true,
  thinking: { kind: "none" },
  signsCalls: false,
  jsonWithTools: false,
  resultMedia: false,
  fetches: false,
};

const newest = 99;

function versionOf(name: string): number {
  const found = /gemini-(\d+(?:\.\d+)?)/u.exec(name);
  return found === null ? newest : Number(found[1]);
}

function levelsOf(name: string, version: number): readonly Effort[] {
  if (!/(?:^|[-/])pro(?:[-@]|$)/u.test(name)) return ["minimal", "low", "medium", "high"];
  return version < 3.1 ? ["low", "high"] : ["low", "medium", "high"];
}

function budgetOf(name: string): ModelGeneration["thinking"] {
  if (name.includes("pro")) return { kind: "budget", min: 128, max: 32_768, canStop: false };
  return { kind: "budget", min: name.includes("lite") ? 512 : 1, max: 24_576, canStop: true };
}
