import { claudeVersionOf } from "#dialects/claude-generation";
import type { EncodeTarget } from "#dialects/dialect";

/** What the models of one maker take in Converse: facts that change the shape of a request. */
export interface ModelFamily {
  readonly id: "claude" | "nova" | "mistral" | "gpt" | "other";
  /** `cachePoint` blocks, in which places, and whether they may say how long they live. */
  readonly cachePoints: boolean;
  readonly cacheInTools: boolean;
  readonly cacheTtl: boolean;
  /** `toolResult.status`, and images and documents inside a result. */
  readonly resultStatus: boolean;
  readonly resultMedia: boolean;
  /** `toolChoice.tool`; the others take `any` at most. */
  readonly namedTool: boolean;
  /** Schemas of tools may say only type, properties and what is required at their top, and refer to nothing. */
  readonly plainSchemas: boolean;
  /** Where `top_k` stands among the additional fields. */
  readonly topK?: "top_k" | "inferenceConfig.topK";
  /** Ids of tool calls must be nine letters and digits. */
  readonly nineCharacterIds: boolean;
}

/**
 * Sources, as of 2026-11: Amazon's reference of the Converse API (`ToolResultBlock`, `ToolChoice`, prompt caching) and
 * its pages on the models' own parameters; Mistral's ids are general knowledge from peers' code.
 */
const claude: ModelFamily = {
  id: "claude",
  cachePoints: true,
  cacheInTools: true,
  cacheTtl: true,
  resultStatus: true,
  resultMedia: true,
  namedTool: true,
  plainSchemas: false,
  topK: "top_k",
  nineCharacterIds: false,
};

const nova: ModelFamily = {
  ...claude,
  id: "nova",
  cacheInTools: false,
  cacheTtl: false,
  plainSchemas: true,
  topK: "inferenceConfig.topK",
};

const other: ModelFamily = {
  id: "other",
  cachePoints: false,
  cacheInTools: false,
  cacheTtl: false,
  resultStatus: false,
  resultMedia: false,
  namedTool: true,
  plainSchemas: false,
  nineCharacterIds: false,
};

const gpt: ModelFamily = { ...other, id: "gpt" };

const mistral: ModelFamily = { ...other, id: "mistral", namedTool: false, topK: "top_k", nineCharacterIds: true };

const families: readonly (readonly [names: RegExp, family: ModelFamily])[] = [
  [/claude/u, claude],
  [/(?:^|[./])(?:amazon[./])?nova-/u, nova],
  [/(?:^|[./])(?:mistral|ministral|magistral|mixtral|pixtral|codestral|devstral|voxtral)[./-]/u, mistral],
  [/(?:^|[./])(?:openai[./]|gpt-)/u, gpt],
];

/** Names an ARN of an inference profile does not say are taken from what the catalogue knows of the target. */
export function namesOf(target: Pick<EncodeTarget, "model" | "traits">): string {
  return `${target.model} ${target.traits?.name ?? ""}`.toLowerCase();
}

export function familyOf(target: Pick<EncodeTarget, "model" | "traits">): ModelFamily {
  const names = namesOf(target).split(" ");
  return families.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1] ?? other;
}

/** Nova's second generation is the first that reasons. */
export function novaReasons(target: Pick<EncodeTarget, "model" | "traits">): boolean {
  return /nova-(?:[2-9]|premier-[2-9])/u.test(namesOf(target));
}

/** Whether `outputConfig.textFormat` holds the model to a schema; otherwise a tool has to. */
export function takesTextFormat(target: Pick<EncodeTarget, "model" | "traits">): boolean {
  const family = familyOf(target);
  if (family.id === "nova" || target.traits?.capabilities.structuredOutput === false) return false;
  if (family.id !== "claude") return true;
  const names = namesOf(target);
  // Before 4.5 there was none on Bedrock (Amazon's announcement); Opus 5 refuses it (the AI SDK's tests).
  return (claudeVersionOf(names) ?? 0) >= 405 && !names.includes("claude-opus-5");
}
