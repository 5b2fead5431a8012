/**
 * How one model is called at different places: `anthropic/claude-sonnet-4.5` (OpenRouter), `claude-sonnet-4-5`
 * (Anthropic), `accounts/fireworks/models/glm-5p2` (Fireworks), `models/gemini-3.5-flash` (Google).
 */

/** Namespaces of hosts by the vendor they stand for; others stand for themselves. */
const vendorsByNamespace: ReadonlyMap<string, string> = new Map([
  ["x-ai", "xai"],
  ["meta-llama", "meta"],
  ["mistralai", "mistral"],
  ["deepseek-ai", "deepseek"],
  ["z-ai", "zai"],
  ["zai-org", "zai"],
  ["zhipuai", "zai"],
  ["moonshot", "moonshotai"],
  ["minimaxai", "minimax"],
  ["alibaba", "qwen"],
  ["gemini", "google"],
  ["ibm-granite", "ibm"],
  ["bytedance-seed", "bytedance"],
  ["stepfun-ai", "stepfun"],
  ["xiaomimimo", "xiaomi"],
  ["liquidai", "liquid"],
]);

/** Families of model names by vendor, for names without a namespace. */
const vendorsByFamily: readonly (readonly [RegExp, string])[] = [
  [/^(?:gpt-|chatgpt|o[1-9](?:-|$)|codex-|text-embedding-|davinci|babbage)/, "openai"],
  [/^claude/, "anthropic"],
  [/^grok/, "xai"],
  [/^(?:gemini|gemma|learnlm|deep-research-)/, "google"],
  [/^(?:code)?llama/, "meta"],
  [/^(?:open-)?(?:mistral|mixtral|codestral|ministral|magistral|devstral|pixtral|voxtral)/, "mistral"],
  [/^deepseek/, "deepseek"],
  [/^(?:qwen|qwq|qvq)/, "qwen"],
  [/^(?:kimi|moonshot)/, "moonshotai"],
  [/^(?:zai-)?(?:glm|chatglm)/, "zai"],
  [/^minimax/, "minimax"],
  [/^nemotron/, "nvidia"],
  [/^sonar/, "perplexity"],
  [/^(?:command-|aya-)/, "cohere"],
  [/^phi-?\d/, "microsoft"],
  [/^nova-/, "amazon"],
  [/^granite/, "ibm"],
  [/^hunyuan/, "tencent"],
  [/^(?:doubao|seed-)/, "bytedance"],
  [/^step-/, "stepfun"],
  [/^jamba/, "ai21"],
  [/^mimo-/, "xiaomi"],
];

/**
 * Who made a model, by its name alone: `gpt-5.4` and `openai/gpt-5.4` give `openai`. Undefined where the name has
 * neither a namespace nor a known family.
 */
export function vendorOf(name: string): string | undefined {
  const plain = withoutPrefix(name.trim().toLowerCase());
  const slash = plain.indexOf("/");
  if (slash > 0 && !plain.startsWith("accounts/")) {
    const namespace = plain.slice(0, slash);
    return vendorsByNamespace.get(namespace) ?? namespace;
  }
  const last = lastSegment(plain);
  return vendorsByFamily.find(([family]) => family.test(last))?.[1];
}

/** What two spellings of one model have in common: lower case, without namespace, dashes for dots. */
export function modelKey(name: string): string {
  return lastSegment(withoutPrefix(name.trim().toLowerCase()))
    .replace(/^zai-(?=glm)/, "")
    .replaceAll(/(\d)p(?=\d)/g, "$1-")
    .replaceAll(/[._@:\s]/g, "-");
}

/** A storefront's way of selling a model (`:free`, `:nitro`) is no other model; a size (`qwen3:8b`) is. */
export function withoutVariant(name: string): string {
  return name.replace(/:(?:free|beta|extended|exacto|floor|nitro|online|thinking)$/i, "");
}

/** A key without its date: `-20250514`, `-2024-08-06`, `-latest`. The key itself where it has none. */
export function undatedKey(key: string): string {
  return key.replace(/-(?:20\d{6}|20\d\d-\d\d-\d\d|latest)$/, "");
}

/** The last part of a name, as it is written. */
export function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** OpenRouter marks names that follow the newest version with `~`; Google writes `models/` before every name. */
function withoutPrefix(name: string): string {
  return name.replace(/^~/, "").replace(/^models\//, "");
}
