/**
 * How one model is called at different places: `anthropic/claude-sonnet-4.5` (OpenRouter), `claude-sonnet-4-5`
 * (Anthropic), `us.anthropic.claude-sonnet-4-5-20250929-v1:0` (Bedrock), `claude-sonnet-4-5@20250929` (Vertex),
 * `accounts/fireworks/models/glm-5p2` (Fireworks), `models/gemini-3.5-flash` (Google), `@cf/meta/…` (Cloudflare).
 */
import { lastSegment, openName, withoutVariant } from "./open-name.ts";

export { lastSegment, maxNameChars, openName, withoutVariant } from "./open-name.ts";

/** Namespaces of hosts by the vendor they stand for; others stand for themselves. */
const vendorsByNamespace: ReadonlyMap<string, string> = new Map([
  ["x-ai", "xai"],
  ["grok", "xai"],
  ["meta-llama", "meta"],
  ["mistralai", "mistral"],
  ["deepseek-ai", "deepseek"],
  ["z-ai", "zai"],
  ["zai-org", "zai"],
  ["zhipuai", "zai"],
  ["zhipu", "zai"],
  ["thudm", "zai"],
  ["moonshot", "moonshotai"],
  ["kimi", "moonshotai"],
  ["minimaxai", "minimax"],
  ["alibaba", "qwen"],
  ["alibaba-cloud", "qwen"],
  ["gemini", "google"],
  ["ibm-granite", "ibm"],
  ["bytedance-seed", "bytedance"],
  ["volcengine", "bytedance"],
  ["stepfun-ai", "stepfun"],
  ["xiaomimimo", "xiaomi"],
  ["mimo", "xiaomi"],
  ["spacexai", "xai"],
  ["mistral-ai", "mistral"],
  ["moonshot-ai", "moonshotai"],
  ["perplexityai", "perplexity"],
  ["ai21-labs", "ai21"],
  ["liquidai", "liquid"],
  ["cohereforai", "cohere"],
  ["coherelabs", "cohere"],
  ["arcee-ai", "arcee"],
  ["ai21labs", "ai21"],
  ["allen-ai", "allenai"],
]);

/** What stands before a slash and is no maker: a host, a way of hosting, a tier of a price list. */
const hostNamespaces: ReadonlySet<string> = new Set([
  "aws-bedrock",
  "azure",
  "azure-openai",
  "bedrock",
  "cerebras",
  "deepinfra",
  "fireworks",
  "google-ai-studio",
  "google-vertex",
  "groq",
  "hf",
  "novita",
  "pro",
  "public",
  "sambanova",
  "tee",
  "together",
  "vertex",
  "vertex-ai",
  "workers-ai",
]);

/** Families of model names by vendor, for names without a namespace. */
const vendorsByFamily: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:gpt-|chatgpt|o[1-9](?:-|$)|codex-|text-(?:embedding-[3a]|davinci|moderation)|davinci|babbage|dall-e|sora)/,
    "openai",
  ],
  [/^claude/, "anthropic"],
  [/^grok/, "xai"],
  [/^(?:gemini|gemma|learnlm|deep-research-|imagen|veo-|lyria|text-embedding-00)/, "google"],
  [/^(?:code)?llama/, "meta"],
  [/^(?:open-)?(?:mistral|mixtral|codestral|ministral|magistral|devstral|pixtral|voxtral)/, "mistral"],
  [/^deepseek/, "deepseek"],
  [/^(?:qwen|qwq|qvq)/, "qwen"],
  [/^(?:kimi|moonshot)/, "moonshotai"],
  [/^(?:zai-)?(?:glm|chatglm)/, "zai"],
  [/^minimax/, "minimax"],
  [/^nemotron/, "nvidia"],
  [/^sonar/, "perplexity"],
  [/^(?:command(?:-|$)|aya-|c4ai-|embed-(?:english|multilingual|v4)|rerank-(?:english|multilingual|v[34]))/, "cohere"],
  [/^phi-?\d/, "microsoft"],
  [/^(?:nova|titan)-/, "amazon"],
  [/^granite/, "ibm"],
  [/^hunyuan/, "tencent"],
  [/^(?:doubao|seed-)/, "bytedance"],
  [/^step-/, "stepfun"],
  [/^jamba/, "ai21"],
  [/^mimo-/, "xiaomi"],
  [/^muse-/, "meta"],
  [/^ernie/, "baidu"],
  [/^(?:ling|ring)-/, "inclusionai"],
  [/^longcat/, "meituan"],
  [/^palmyra/, "writer"],
  [/^solar-/, "upstage"],
];

/** What stands before a model's name with a dash: `databricks-claude-…`, `openai-gpt-…`, Azure's `FW-GLM-…`. */
const dashedPrefix =
  /^(?:databricks|openai|anthropic|amazon|google|meta|cohere|azure|aws|fw|nvidia|moonshotai|xai|qwen)--?(?=[a-z])/;

/**
 * Who made a model, by its name alone: `gpt-5.4` and `openai/gpt-5.4` give `openai`. Undefined where the name has
 * neither a namespace nor a known family.
 */
export function vendorOf(name: string): string | undefined {
  const { path, vendor } = openName(name);
  if (vendor !== undefined) return vendorsByNamespace.get(vendor) ?? vendor;
  const parts = path.split("/");
  const namespace = path.startsWith("accounts/") ? undefined : parts.at(-2);
  const known = namespace === undefined || namespace === "" ? undefined : namespace.replace(/^@/, "");
  if (known !== undefined && !hostNamespaces.has(known)) return vendorsByNamespace.get(known) ?? known;
  return familyVendor(withoutDashedPrefix(lastSegment(path)));
}

function familyVendor(model: string): string | undefined {
  return vendorsByFamily.find(([family]) => family.test(model))?.[1];
}

/** `openai-gpt-5.4` is `gpt-5.4`; `meta-llama-3` is `llama-3`; what does not go on with a known family stays. */
function withoutDashedPrefix(model: string): string {
  const rest = model.replace(dashedPrefix, "");
  return rest === model || familyVendor(rest) === undefined ? model : rest;
}

/** What two spellings of one model have in common: lower case, without namespace, dashes for dots. */
export function modelKey(name: string): string {
  return (
    withoutDashedPrefix(lastSegment(openName(name).path))
      .replace(/^zai-(?=glm)/, "")
      .replaceAll(/(\d)p(?=\d)/g, "$1-")
      .replaceAll(/[._@:\s]/g, "-")
      // Azure's deployments had no dots for long: `gpt-35-turbo`, `gpt-41`.
      .replace(/^gpt-(\d)(\d)(?=-|$)/, "gpt-$1-$2")
      .replace(/^llama(?=\d)/, "llama-")
      // Anthropic turned its names round with version 4; hosts write either order of either.
      .replace(/^claude-(\d(?:-\d)?)-(opus|sonnet|haiku)(?=-|$)/, "claude-$2-$1")
      .replace(/^(nova-.*)-v1$/, "$1")
  );
}

/** The name a model gets that no maker lists: `vendor/` goes before it. */
export function plainName(name: string): string {
  return withoutVariant(lastSegment(openName(name).path));
}

/** A key without its date: `-20250514`, `-2024-08-06`, `-latest`, Google's `-001`. The key itself where it has none. */
export function undatedKey(key: string): string {
  return key.replace(/-(?:20\d{6}|20\d\d-\d\d-\d\d|latest)$/, "").replace(/^((?:gemini|imagen|veo)-.*)-00\d$/, "$1");
}

/**
 * A key without a date that has no year, or no day: `gpt-4-0613`, `mistral-large-2411`, `command-r-08-2024`. Too like
 * other figures to be taken for a date but where nothing else fits.
 */
export function shortDatedKey(key: string): string {
  return key.replace(/-(?:(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])|2[3-9](?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])-20\d\d)$/, "");
}
