/** What a Claude model of a generation takes; facts that change the shape of a request, not its price or window. */
export interface ModelGeneration {
  /** `thinking: {type: "enabled", budget_tokens}`. */
  readonly budget: boolean;
  /** `thinking: {type: "adaptive"}` and `output_config.effort`. */
  readonly adaptive: boolean;
  /** The effort `xhigh`. */
  readonly xhigh: boolean;
  /** `temperature`, `top_p`, `top_k`. */
  readonly sampling: boolean;
  /** `temperature` and `top_p` in one request. */
  readonly bothSampling: boolean;
}

/**
 * Read from the model's name, whatever a provider puts around it (`us.anthropic.claude-opus-4-6-v1:0`). Sources, as of
 * 2026-11: Anthropic's documentation — adaptive thinking and effort from 4.6; budgets up to 4.6, a 400 from Opus 4.7,
 * Sonnet 5 and Fable on; the AI SDK's model table — sampling refused by the same newer ones; `xhigh` from 4.7, and
 * `temperature` with `top_p` refused from 4.1 on, are general knowledge. A name that is no Claude's is a compatible
 * server, which understands the older form.
 */
export function generationOf(model: string): ModelGeneration {
  const version = claudeVersionOf(model);
  if (version === undefined) return { ...compatible, budget: !model.includes("claude") };
  return {
    budget: version >= 307 && version <= 406,
    adaptive: version >= 406,
    xhigh: version >= 407,
    sampling: version < 407,
    bothSampling: version < 401,
  };
}

const compatible: ModelGeneration = { budget: true, adaptive: false, xhigh: false, sampling: true, bothSampling: true };

/** Families that began after every rule above had changed. */
const newest = 500;
const familyFirst = /claude-(?:opus|sonnet|haiku)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/u;
const versionFirst = /claude-(\d)(?:[-.](\d))?-(?:opus|sonnet|haiku)/u;

/**
 * Major × 100 + minor: `claude-opus-4-6` is 406. A date behind the version (`-20250514`) is no minor. Undefined where the
 * name is no Claude's.
 */
export function claudeVersionOf(model: string): number | undefined {
  if (/claude-(?:fable|mythos)/u.test(model)) return newest;
  const found = familyFirst.exec(model) ?? versionFirst.exec(model);
  return found === null ? undefined : Number(found[1]) * 100 + Number(found[2] ?? 0);
}
