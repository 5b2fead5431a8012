/** A model's name without what its place wraps around it. */
export interface OpenedName {
  /** Lower case: `vendor/model`, or the model alone. */
  readonly path: string;
  /** Where the name tells the maker other than by a namespace (Bedrock's `anthropic.`). */
  readonly vendor?: string;
  /** Bedrock's group of regions: `us`, `eu`, `global`. */
  readonly region?: string;
}

/** Amazon Bedrock documentation, "Supported foundation models" and "cross-Region inference profiles", 2026. */
const bedrockName =
  /^(?:[a-z0-9-]+\/)?(?:(us-gov|us|eu|apac|jp|au|ca|in|sa|me|global)\.)?(ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|xai|zai)\.(?=[a-z])/;

/** Names longer than any vendor's are not looked at; they come from callers. */
export const maxNameChars = 512;

/**
 * Takes off ARNs (`arn:aws:bedrock:…:inference-profile/NAME`), resource paths (`publishers/X/models/Y`, `models/Y`),
 * Bedrock's regions, makers and revisions (`us.anthropic.…-v1:0`), `@default`, `-maas`, `~` and deployments.
 */
export function openName(name: string): OpenedName {
  const written = decoded(name.slice(0, maxNameChars).trim().toLowerCase()).replace(/#.*$/, "");
  const path = written
    .replace(/^arn:[^/]*\//, "")
    .replace(/^(?:projects\/[^/]+\/locations\/[^/]+\/)?publishers\/([^/]+)\/models\//, "$1/")
    // Google writes `models/` before every name; OpenRouter marks names that follow the newest version with `~`.
    .replace(/^models\//, "")
    .replace(/^~/, "")
    // Clarifai: `OWNER/APP/models/NAME`.
    .replace(/^(?!accounts\/)([^/]+)\/[^/]+\/models\//, "$1/")
    .replace(/^(?:@(?:cf|hf)\/|hf:)/, "")
    // Vertex: the version in use, and models as a service.
    .replace(/@default$/, "")
    .replace(/-maas$/, "")
    // Bedrock says `deepseek.r1` where everybody else says `deepseek-r1`.
    .replace(/((?:^|[./])deepseek\.)(?=[rv]\d)/, "$1deepseek-");
  const dotted = bedrockName.exec(path);
  if (dotted === null) return { path };
  const [prefix, region, vendor = ""] = dotted;
  return { path: withoutRevision(path.slice(prefix.length)), vendor, ...(region === undefined ? {} : { region }) };
}

/** ARNs travel in URLs, and some copy them from there. */
function decoded(name: string): string {
  return name.includes("%") ? name.replaceAll("%2f", "/").replaceAll("%3a", ":").replaceAll("%40", "@") : name;
}

/**
 * `claude-opus-4-6-v1`, `nova-pro-v1:0:300k`, `gpt-oss-120b-1:0` without their revision. A `v2` is a revision only
 * after a date: `titan-embed-text-v2:0` is another model than `-v1`.
 */
function withoutRevision(model: string): string {
  return model
    .replace(/:(?:\d+k|mm)$/, "")
    .replace(/-1:\d$/, "")
    .replace(/:\d$/, "")
    .replace(/-v1$/, "")
    .replace(/(-20\d{6})-v\d$/, "$1");
}

/** A storefront's way of selling a model (`:free`, `:nitro`) is no other model; a size (`qwen3:8b`) is. */
export function withoutVariant(name: string): string {
  return name.replace(/:(?:free|beta|extended|exacto|floor|nitro|online|thinking)$/i, "");
}

/** The last part of a name, as it is written. */
export function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
