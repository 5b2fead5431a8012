import { checkMessages } from "#simulation/check-messages";
import { strings, wordOf } from "#simulation/received-request";
import type { JsonObject, ReceivedRequest } from "#simulation/received-request";
import type { CheckRules, Violation } from "#simulation/voice";

export interface HostRules {
  /** What the host's body says for a version, and which of Anthropic's it means. */
  readonly versions: Readonly<Record<string, string>>;
  /** Fields that the host says elsewhere, and refuses in the body. */
  readonly elsewhere: readonly string[];
}

/** Anthropic's rules on another's host: version and betas stand in the body, the model in the path. */
export function checkHosted(
  { json, model, operation }: ReceivedRequest,
  rules: CheckRules,
  { versions, elsewhere }: HostRules,
): Violation | undefined {
  const odd = elsewhere.find((field) => json[field] !== undefined);
  if (odd !== undefined)
    return { message: `extraneous key [${odd}] is not permitted, please reformat your input and try again.` };
  const { anthropic_version: given, anthropic_beta: betas, ...rest } = json;
  if (given === undefined) return { message: "anthropic_version: Field required" };
  const version = versions[wordOf(given)];
  if (version === undefined) {
    return { message: `Invalid API version. Supported: ${Object.keys(versions).join(", ")}; given: ${wordOf(given)}` };
  }
  const beta = strings(betas);
  const headers = { "anthropic-version": version, ...(beta.length === 0 ? {} : { "anthropic-beta": beta.join(",") }) };
  const body: JsonObject = { ...rest, model };
  return checkMessages(body, { ...rules, headers, counting: operation === "count-tokens" });
}
