import { completionTokens, type Usage } from "#domain/usage";
import { isObject } from "#dialects/shape";

/**
 * Keeps the latest of every counter. Reports are cumulative: a later one overwrites and is never added, and what it
 * leaves out stays as it was (protocols.md §9; the official SDK accumulates the same way).
 */
export class UsageCounter {
  #input = 0;
  #cacheRead = 0;
  #cacheWrite = 0;
  #cacheWriteLong = 0;
  #output = 0;
  #thinking = 0;
  #fast = false;
  #compaction: Compaction = noCompaction;

  /** Undefined where the report holds no counter at all. */
  report(usage: unknown): Usage | undefined {
    if (!isObject(usage)) return undefined;
    const creation = isObject(usage["cache_creation"]) ? usage["cache_creation"] : {};
    const details = isObject(usage["output_tokens_details"]) ? usage["output_tokens_details"] : {};
    if (countOf(usage["input_tokens"]) === undefined && countOf(usage["output_tokens"]) === undefined) return undefined;
    this.#input = countOf(usage["input_tokens"]) ?? this.#input;
    this.#cacheRead = countOf(usage["cache_read_input_tokens"]) ?? this.#cacheRead;
    const short = countOf(creation["ephemeral_5m_input_tokens"]);
    const long = countOf(creation["ephemeral_1h_input_tokens"]);
    this.#cacheWriteLong = long ?? this.#cacheWriteLong;
    const split = short === undefined && long === undefined ? undefined : (short ?? 0) + (long ?? 0);
    this.#cacheWrite = countOf(usage["cache_creation_input_tokens"]) ?? split ?? this.#cacheWrite;
    this.#output = countOf(usage["output_tokens"]) ?? this.#output;
    this.#thinking = countOf(details["thinking_tokens"]) ?? this.#thinking;
    this.#fast ||= usage["speed"] === "fast";
    if (Array.isArray(usage["iterations"])) this.#compaction = compactionOf(usage["iterations"]);
    return this.#usage();
  }

  /** `input_tokens` excludes what was read from and written to caches; `output_tokens` includes thinking. */
  #usage(): Usage {
    const long = Math.min(this.#cacheWriteLong, this.#cacheWrite);
    const reasoning = Math.min(this.#thinking, this.#output);
    return {
      inputUncached: this.#input + this.#compaction.input,
      cacheRead: this.#cacheRead + this.#compaction.cacheRead,
      cacheWrite: this.#cacheWrite - long + this.#compaction.cacheWrite,
      cacheWriteLong: long,
      output: this.#output - reasoning + this.#compaction.output,
      reasoning,
      estimated: false,
      // Fast mode has its own price (platform documentation, "Fast mode", 2026).
      ...(this.#fast ? { serviceTier: "fast" } : {}),
    };
  }
}

/** Every field that the official SDK's types (1.12, 2026-11) require and that no other provider reports. */
const unsaid = { server_tool_use: null, service_tier: null, inference_geo: null, speed: null };

/** Usage in this language's exclusive base, as JSON. Its two totals must be numbers even where nothing is known. */
export function usageJson(usage: Usage | undefined): Readonly<Record<string, unknown>> {
  if (usage === undefined) {
    return {
      input_tokens: 0,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      cache_creation: null,
      output_tokens: 0,
      output_tokens_details: null,
      ...unsaid,
    };
  }
  return {
    input_tokens: usage.inputUncached + (usage.inputAudio ?? 0),
    cache_creation_input_tokens: usage.cacheWrite + usage.cacheWriteLong,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWrite,
      ephemeral_1h_input_tokens: usage.cacheWriteLong,
    },
    output_tokens: completionTokens(usage),
    output_tokens_details: { thinking_tokens: usage.reasoning },
    ...unsaid,
  };
}

interface Compaction {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
}

const noCompaction: Compaction = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };

/**
 * Compaction runs on the same model and is billed, but the totals leave it out (recorded: totals equal the sum of the
 * `message` iterations). `advisor_message` iterations stay out: they run on another model at another price.
 */
function compactionOf(iterations: readonly unknown[]): Compaction {
  let sum = noCompaction;
  for (const iteration of iterations) {
    if (!isObject(iteration) || iteration["type"] !== "compaction") continue;
    sum = {
      input: sum.input + (countOf(iteration["input_tokens"]) ?? 0),
      cacheRead: sum.cacheRead + (countOf(iteration["cache_read_input_tokens"]) ?? 0),
      cacheWrite: sum.cacheWrite + (countOf(iteration["cache_creation_input_tokens"]) ?? 0),
      output: sum.output + (countOf(iteration["output_tokens"]) ?? 0),
    };
  }
  return sum;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? value : undefined;
}
