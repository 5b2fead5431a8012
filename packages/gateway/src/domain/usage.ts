/**
 * Tokens of one answer in disjoint buckets: no token is counted in two of them, so a bill is a sum of products.
 * Unknown is absent, never zero.
 */
export interface Usage {
  /** Prompt tokens that were neither read from nor written to a cache. */
  readonly inputUncached: number;
  readonly cacheRead: number;
  /** Written to a cache that lives five minutes (or the provider's only one). */
  readonly cacheWrite: number;
  /** Written to a cache that lives an hour. */
  readonly cacheWriteLong: number;
  /** Visible answer tokens, without reasoning. */
  readonly output: number;
  readonly reasoning: number;
  /** Spoken or heard prompt tokens, in no other bucket; absent where the provider tells none apart. */
  readonly inputAudio?: number;
  /** Spoken answer tokens, in no other bucket. */
  readonly outputAudio?: number;
  /** The service the provider gave where it was not its usual one: `priority`, `flex`, `fast`. It has its own price. */
  readonly serviceTier?: string;
  /** What the provider itself says it charges, in integer nano-dollars; kept beside our own figure. */
  readonly reportedCostNanoUsd?: number;
  /** The tokens a provider bills where those are others than it counts (Cohere); prices are of them. */
  readonly billed?: { readonly input: number; readonly output: number };
  /** Counted by us from bytes because the provider reported nothing. */
  readonly estimated: boolean;
}

export const emptyUsage: Usage = {
  inputUncached: 0,
  cacheRead: 0,
  cacheWrite: 0,
  cacheWriteLong: 0,
  output: 0,
  reasoning: 0,
  estimated: false,
};

/** All prompt tokens: the base OpenAI and Gemini report. */
export function promptTokens(usage: Usage): number {
  const { inputUncached, cacheRead, cacheWrite, cacheWriteLong, inputAudio } = usage;
  return inputUncached + cacheRead + cacheWrite + cacheWriteLong + (inputAudio ?? 0);
}

/** All generated tokens, reasoning included. */
export function completionTokens(usage: Usage): number {
  return usage.output + usage.reasoning + (usage.outputAudio ?? 0);
}

/**
 * Splits an inclusive prompt count into buckets and guards against reports like Grok on Azure's, where the cached
 * part exceeds the whole (seen 29 times in recordings).
 */
export function fromInclusive(counts: {
  prompt: number;
  cacheRead?: number;
  cacheWrite?: number;
  completion: number;
  reasoning?: number;
  inputAudio?: number;
  outputAudio?: number;
}): Usage {
  const cacheRead = within(counts.cacheRead ?? 0, counts.prompt);
  const cacheWrite = within(counts.cacheWrite ?? 0, counts.prompt - cacheRead);
  const reasoning = within(counts.reasoning ?? 0, counts.completion);
  const inputAudio = within(counts.inputAudio ?? 0, counts.prompt - cacheRead - cacheWrite);
  const outputAudio = within(counts.outputAudio ?? 0, counts.completion - reasoning);
  return {
    inputUncached: counts.prompt - cacheRead - cacheWrite - inputAudio,
    cacheRead,
    cacheWrite,
    cacheWriteLong: 0,
    output: counts.completion - reasoning - outputAudio,
    reasoning,
    estimated: false,
    ...(inputAudio === 0 ? {} : { inputAudio }),
    ...(outputAudio === 0 ? {} : { outputAudio }),
  };
}

function within(part: number, whole: number): number {
  return Math.max(0, Math.min(part, whole));
}
