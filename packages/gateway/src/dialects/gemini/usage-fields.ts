import { completionTokens, fromInclusive, promptTokens, type Usage } from "#domain/usage";
import { isObject, type JsonObject } from "#dialects/shape";

const counted = [
  "promptTokenCount",
  "toolUsePromptTokenCount",
  "cachedContentTokenCount",
  "candidatesTokenCount",
  "thoughtsTokenCount",
] as const;

const detailed = [
  "promptTokensDetails",
  "toolUsePromptTokensDetails",
  "cacheTokensDetails",
  "candidatesTokensDetails",
] as const;

/** Reads `usageMetadata`, which every chunk may bring: each field is a total so far, and a chunk may leave some out. */
export class UsageCounter {
  readonly #counts = new Map<string, number>();
  #tier: string | undefined;

  /** The usage so far where this report changed it. */
  report(metadata: unknown): Usage | undefined {
    if (!isObject(metadata)) return undefined;
    let changed = this.#readTier(metadata);
    const set = (name: string, count: number | undefined): void => {
      if (count === undefined || this.#counts.get(name) === count) return;
      this.#counts.set(name, count);
      changed = true;
    };
    for (const name of counted) set(name, countOf(metadata[name]));
    for (const name of detailed) set(name, audioOf(metadata[name]));
    const known = this.#counts.has("promptTokenCount") || this.#counts.has("candidatesTokenCount");
    return changed && known ? this.#usage() : undefined;
  }

  /** Vertex says the traffic's kind, the Gemini API the tier; only what is not the usual is of interest. */
  #readTier(metadata: JsonObject): boolean {
    const said = [metadata["serviceTier"], metadata["trafficType"]].find((word) => typeof word === "string") ?? "";
    const tier = /(?:^|_)(priority|flex)$/iu.exec(said)?.[1]?.toLowerCase();
    if (tier === undefined || tier === this.#tier) return false;
    this.#tier = tier;
    return true;
  }

  /** Thoughts are counted beside the candidates, cached tokens within the prompt, tools' prompts beside it (§9). */
  #usage(): Usage {
    const of = (name: (typeof counted)[number] | (typeof detailed)[number]): number => this.#counts.get(name) ?? 0;
    const thoughts = of("thoughtsTokenCount");
    const heard = of("promptTokensDetails") + of("toolUsePromptTokensDetails") - of("cacheTokensDetails");
    const usage = fromInclusive({
      prompt: of("promptTokenCount") + of("toolUsePromptTokenCount"),
      cacheRead: of("cachedContentTokenCount"),
      completion: of("candidatesTokenCount") + thoughts,
      reasoning: thoughts,
      inputAudio: heard,
      outputAudio: of("candidatesTokensDetails"),
    });
    return this.#tier === undefined ? usage : { ...usage, serviceTier: this.#tier };
  }
}

/** One report, as an answer in one piece has it. */
export function readUsage(metadata: unknown): Usage | undefined {
  return new UsageCounter().report(metadata);
}

/** The reverse: cached tokens are part of the prompt's, thoughts are not part of the candidates'. */
export function usageJson(usage: Usage | undefined): JsonObject | undefined {
  if (usage === undefined) return undefined;
  const prompt = promptTokens(usage);
  const { reasoning, cacheRead, inputAudio = 0, outputAudio = 0 } = usage;
  const candidates = completionTokens(usage) - reasoning;
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: candidates,
    totalTokenCount: prompt + candidates + reasoning,
    ...(cacheRead > 0 ? { cachedContentTokenCount: cacheRead } : {}),
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
    ...(inputAudio > 0 ? { promptTokensDetails: modalities(prompt - inputAudio, inputAudio) } : {}),
    ...(outputAudio > 0 ? { candidatesTokensDetails: modalities(candidates - outputAudio, outputAudio) } : {}),
  };
}

function modalities(text: number, audio: number): readonly object[] {
  return [
    { modality: "TEXT", tokenCount: text },
    { modality: "AUDIO", tokenCount: audio },
  ];
}

function audioOf(details: unknown): number | undefined {
  if (!Array.isArray(details)) return undefined;
  const entry: unknown = details.find((each: unknown) => isObject(each) && each["modality"] === "AUDIO");
  return isObject(entry) ? countOf(entry["tokenCount"]) : undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
