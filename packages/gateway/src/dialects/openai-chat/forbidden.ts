import type { Effort } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";

/**
 * Models that answer 400 to function tools on `/chat/completions` unless `reasoning_effort` is `none`, even where the
 * field is left out: gpt-5.4 and later (openai/openai-openapi#541, BerriAI/litellm#34569; seen November 2026).
 */
const toolsForbidReasoning = /(?:^|\/)gpt-(?:5\.(?:[4-9]|[1-9]\d)|[6-9]|[1-9]\d)(?!\d)/u;
/** "Unsupported parameter: 'stop'", recorded for the o-series and the first gpt-5 models. */
const stopForbidden = /(?:^|\/)(?:o\d|gpt-5)(?:-(?!chat)[\w-]+)?$/u;

/** Whether a chat with function tools and this effort (undefined: the model's own) is one that OpenAI refuses. */
export function isRefusedWithTools(
  { quirks, traits, model }: EncodeTarget,
  asked: { readonly hasFunctions: boolean; readonly effort: string | undefined },
): boolean {
  const isAllowed = quirks.toolsWithReasoning === true || asked.effort === "none" || !asked.hasFunctions;
  return !isAllowed && toolsForbidReasoning.test(traits?.name ?? model);
}

export function refusesStop({ traits, model }: EncodeTarget): boolean {
  return stopForbidden.test(traits?.name ?? model);
}

/** Reasons only where it is told to: `none` is the default of gpt-5.1 and later before 5.6 (OpenAI's model guides). */
const restsByDefault = /(?:^|\/)gpt-5\.[1-5](?!\d)(?!-(?:codex|pro|chat))/u;

/**
 * Whether temperature and the like are answered with 400 at this effort (undefined: the model's own). Models that can
 * leave off reasoning take them then (https://platform.openai.com/docs/guides/latest-model).
 */
export function refusesSampling({ traits }: EncodeTarget, effort: string | undefined): boolean {
  if (traits?.capabilities.sampling !== false) return false;
  const canRest = traits.capabilities.reasoningControl?.efforts?.includes("none") === true;
  const rests = effort === undefined ? restsByDefault.test(traits.name) : effort === "none";
  return !canRest || !rests;
}

/** Whether log-probabilities are known to be answered with 400: where models reason they are, like temperature. */
export function refusesLogprobs(target: EncodeTarget, effort: string | undefined): boolean {
  return refusedFields(target).includes("logprobs") || refusesSampling(target, effort);
}

const efforts: readonly string[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] satisfies Effort[];

/**
 * The effort nearest to a wish among those the model is known to take: others are answered with 400. A wish to think
 * stays one, and the lower of two as near is taken. Undefined where nothing has to change.
 */
export function nearestEffort(wish: string, { traits }: EncodeTarget): string | undefined {
  const known = traits?.capabilities.reasoningControl?.efforts ?? [];
  const place = efforts.indexOf(wish);
  if (place === -1 || known.length === 0 || known.includes(wish)) return undefined;
  const places = known.map((word) => efforts.indexOf(word)).filter((at) => at >= (wish === "none" ? 0 : 1));
  const nearest = places.toSorted((a, b) => Math.abs(a - place) - Math.abs(b - place) || a - b)[0];
  return nearest === undefined ? undefined : efforts[nearest];
}

/** Whether the model is known to think as much as it likes, whatever it is asked. */
export function takesNoEffort({ traits }: EncodeTarget): boolean {
  const control = traits?.capabilities.reasoningControl;
  if (control === undefined) return false;
  return control.efforts === undefined && control.toggle !== true && control.budgetTokens === undefined;
}

/** All the fields that are known to be answered with 400 or 422. */
export function refusedFields({ quirks, traits }: EncodeTarget): readonly string[] {
  const { refusedFields: always, reasonersRefuse = [] } = quirks;
  return traits?.capabilities.reasoning === true ? [...always, ...reasonersRefuse] : always;
}
