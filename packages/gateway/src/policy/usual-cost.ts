import { costNanoUsd } from "#catalogue/cost";
import type { Price, Rates } from "#domain/model";
import type { Target } from "#domain/plan";
import { completionTokens, emptyUsage, promptTokens, type Usage } from "#domain/usage";

/** Of a call, before anybody is asked. */
export interface Asked {
  readonly requestBytes: number;
  /** Tokens, as the request says; absent: as many as the model may write. */
  readonly askedOutput?: number;
}

export interface Estimate {
  readonly tokens: number;
  /** Undefined where nobody priced the target. */
  readonly nanoUsd?: number;
}

interface Sample {
  readonly requestBytes: number;
  readonly tokens: number;
  /** Infinity where nobody knows. */
  readonly nanoUsd: number;
}

/** Fewer calls than that say too little of the next. */
const fewest = 20;
const kept = 64;
const mostTargets = 1024;
/** Above the dearest of the calls before. */
const margin = 1.5;
/** No tokenizer makes more of text: one token for every two bytes. */
const bytesPerToken = 2;
const usualOutput = 8_192;

/**
 * What a call to a target will cost at most, for what is held back for it before it is made: by its own words and the
 * target's price at first, and by what calls there came to once there were enough. A later call may still cost more: that
 * is counted when it ends.
 */
export class UsualCost {
  readonly #recent = new Map<string, Recent>();

  estimate(target: Target, asked: Asked): Estimate {
    const worst = worstCase(target, asked);
    const recent = this.#recent.get(target.id);
    if (recent === undefined || recent.size < fewest) return worst;
    const { most } = recent;
    const scale = margin * Math.max(1, asked.requestBytes / Math.max(1, most.requestBytes));
    const tokens = Math.min(worst.tokens, Math.ceil(most.tokens * scale));
    if (worst.nanoUsd === undefined) return { tokens };
    return { tokens, nanoUsd: Math.min(worst.nanoUsd, Math.ceil(most.nanoUsd * scale)) };
  }

  note(target: Target, requestBytes: number, usage: Usage): void {
    let recent = this.#recent.get(target.id);
    if (recent === undefined) {
      const oldest = this.#recent.keys().next();
      if (this.#recent.size >= mostTargets && oldest.done !== true) this.#recent.delete(oldest.value);
      this.#recent.set(target.id, (recent = new Recent()));
    }
    const price = target.traits?.price;
    const nanoUsd = price === undefined ? undefined : costNanoUsd(usage, price);
    const tokens = promptTokens(usage) + completionTokens(usage);
    recent.note({ requestBytes, tokens, nanoUsd: nanoUsd ?? Number.POSITIVE_INFINITY });
  }
}

/** The last calls to one target. */
class Recent {
  readonly #samples: Sample[] = [];
  #next = 0;
  /** The largest of each; asked for at every call, and told anew only where one that was the largest leaves. */
  most: Sample = { requestBytes: 0, tokens: 0, nanoUsd: 0 };

  get size(): number {
    return this.#samples.length;
  }

  note(sample: Sample): void {
    const left = this.#samples[this.#next];
    this.#samples[this.#next] = sample;
    this.#next = (this.#next + 1) % kept;
    const { most } = this;
    const wasLargest =
      left !== undefined &&
      (left.requestBytes === most.requestBytes || left.tokens === most.tokens || left.nanoUsd === most.nanoUsd);
    this.most = wasLargest ? this.#samples.reduce(larger) : larger(most, sample);
  }
}

function larger(a: Sample, b: Sample): Sample {
  return {
    requestBytes: Math.max(a.requestBytes, b.requestBytes),
    tokens: Math.max(a.tokens, b.tokens),
    nanoUsd: Math.max(a.nanoUsd, b.nanoUsd),
  };
}

function worstCase({ traits }: Target, { requestBytes, askedOutput }: Asked): Estimate {
  const most = traits?.maxInputTokens ?? traits?.contextTokens ?? Number.POSITIVE_INFINITY;
  const prompt = Math.min(Math.ceil(requestBytes / bytesPerToken), most);
  const output = Math.min(askedOutput ?? usualOutput, traits?.maxOutputTokens ?? Number.POSITIVE_INFINITY);
  const price = traits?.price;
  const nanoUsd = price === undefined ? undefined : dearest({ prompt, output }, price);
  return { tokens: prompt + output, ...(nanoUsd === undefined ? {} : { nanoUsd }) };
}

/** Written to a cache, a prompt may cost more than read anew; reasoned, an answer more than written. */
function dearest(
  { prompt, output }: { readonly prompt: number; readonly output: number },
  price: Price,
): number | undefined {
  const inputs: readonly Partial<Usage>[] = [
    { inputUncached: prompt },
    ...(isDearer(price.cacheWrite, price) ? [{ cacheWrite: prompt }] : []),
  ];
  const outputs: readonly Partial<Usage>[] = [
    { output },
    ...(price.reasoning === undefined ? [] : [{ reasoning: output }]),
  ];
  const costs = inputs.flatMap((input) =>
    outputs.map((answer) => costNanoUsd({ ...emptyUsage, ...input, ...answer }, price)),
  );
  return costs.some((cost) => cost === undefined) ? undefined : Math.max(...costs.map((cost) => cost ?? 0));
}

function isDearer(rate: number | undefined, { input }: Rates): boolean {
  return rate !== undefined && rate > (input ?? 0);
}
