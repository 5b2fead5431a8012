import { logprobsOfAll, type SimulatedAnswer, type SimulatedUsage, type Wording } from "#simulation/answer";
import { object } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { TokenEntry } from "#simulation/token-logprobs";
import type { Saying } from "#simulation/voice";
import { signature, signedCall } from "./thought-signature.ts";

export type Part = Readonly<Record<string, unknown>>;

/** Gemini says STOP for tool calls too. */
const finishWords: Readonly<Record<string, string>> = {
  stop: "STOP",
  "stop-sequence": "STOP",
  tools: "STOP",
  length: "MAX_TOKENS",
  context: "MAX_TOKENS",
  policy: "SAFETY",
  paused: "CONTINUATION",
  malformed: "MALFORMED_FUNCTION_CALL",
};

/** A whole answer: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse */
export function renderGemini(answer: SimulatedAnswer, wording: Wording, saying: Saying): object {
  const usage = usageOf(answer, wording);
  if (isBlocked(answer)) return { promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, ...usage, ...head(answer) };
  const text = [...answer.pieces()].join("") + (answer.refusal ?? "");
  const parts: Part[] = [...thoughtParts(answer), ...(text === "" ? [] : [{ text }])];
  const { calls, seal } = callParts(answer, saying);
  const sealed = seal === undefined ? {} : { thoughtSignature: seal };
  const last = parts.at(-1);
  if (seal !== undefined && text !== "" && last !== undefined) parts[parts.length - 1] = { ...last, ...sealed };
  else if (seal !== undefined) parts.push({ text: "", ...sealed });
  parts.push(...calls);
  const content = parts.length === 0 ? { role: "model" } : { parts, role: "model" };
  return {
    candidates: [{ content, ...finishOf(answer, wording), ...logprobsResult(logprobsOfAll(answer) ?? []), index: 0 }],
    ...usage,
    ...head(answer),
  };
}

/** `LogprobsResult`: https://ai.google.dev/api/generate-content#LogprobsResult */
export function logprobsResult(tokens: readonly TokenEntry[]): object {
  if (tokens.length === 0) return {};
  const top = tokens.map(({ top_logprobs: others }) => ({ candidates: others.map(candidateOf) }));
  return { logprobsResult: { topCandidates: top, chosenCandidates: tokens.map(candidateOf) } };
}

function candidateOf({ token, logprob, bytes }: Omit<TokenEntry, "top_logprobs">): object {
  const tokenId = 1 + bytes.reduce((sum, byte) => (sum * 31 + byte) % 200_000, 0);
  return { token, tokenId, logProbability: logprob };
}

export function head(answer: SimulatedAnswer): object {
  return { modelVersion: answer.model, responseId: answer.id };
}

/** Nothing at all, for reasons of policy: then the prompt was blocked, and there is no candidate. */
export function isBlocked(answer: SimulatedAnswer): boolean {
  const { finish, toolCalls, reasoning, refusal } = answer;
  const [piece] = answer.pieces();
  return finish === "policy" && piece === undefined && toolCalls.length === 0 && !reasoning && !refusal;
}

export function thoughtParts({ reasoning }: SimulatedAnswer): readonly Part[] {
  if (reasoning === undefined || reasoning.seal === "redacted" || reasoning.text === "") return [];
  return [{ text: reasoning.text, thought: true }];
}

/**
 * The calls as parts, the first one signed where the answer has a signature; `seal` is the signature that had no call
 * to stand on. Arguments that are no JSON make no call: Gemini then says that the call was malformed.
 */
export function callParts(
  answer: SimulatedAnswer,
  { issuer }: Saying,
): { readonly calls: readonly Part[]; readonly seal?: string } {
  const signs = answer.reasoning === undefined ? isGemini3(answer.model) : answer.reasoning.seal !== "none";
  const calls = answer.toolCalls.flatMap(({ id, name, argumentsJson }) => {
    const args = objectOf(argumentsJson);
    const own = id.startsWith("simcall") ? {} : { id };
    return args === undefined ? [] : [{ functionCall: { ...own, name, args } }];
  });
  if (!signs) return { calls };
  const [first, ...others] = calls;
  if (first !== undefined) {
    const { name, args } = first.functionCall;
    return { calls: [{ ...first, thoughtSignature: signature(issuer, signedCall(name, args)) }, ...others] };
  }
  return answer.reasoning === undefined
    ? { calls }
    : { calls, seal: signature(issuer, `thought\0${answer.reasoning.text}`) };
}

export function isGemini3(model: string): boolean {
  return /(?:^|\/)gemini-(?:[3-9]|\d\d)/.test(model);
}

export function finishOf(answer: SimulatedAnswer, wording: Wording): object {
  if (wording.omitFinish === true) return {};
  const broken = answer.toolCalls.find(({ argumentsJson }) => objectOf(argumentsJson) === undefined);
  if (broken !== undefined) {
    return { finishReason: "MALFORMED_FUNCTION_CALL", finishMessage: `Malformed function call: ${broken.name}` };
  }
  return { finishReason: finishWords[answer.finish] ?? answer.finish };
}

function objectOf(argumentsJson: string): JsonObject | undefined {
  try {
    return object(JSON.parse(argumentsJson === "" ? "{}" : argumentsJson));
  } catch {
    return undefined;
  }
}

export function usageOf({ usage }: SimulatedAnswer, wording: Wording): object {
  return wording.omitUsage === true ? {} : { usageMetadata: geminiUsage(usage) };
}

/** Gemini counts cached tokens in the prompt's, and thoughts beside the candidates'. */
function geminiUsage({ input, cacheRead, cacheWrite, output, reasoning }: SimulatedUsage): object {
  const prompt = input + cacheRead + cacheWrite;
  return {
    promptTokenCount: prompt,
    ...(output > 0 ? { candidatesTokenCount: output } : {}),
    totalTokenCount: prompt + output + reasoning,
    ...(cacheRead > 0 ? { cachedContentTokenCount: cacheRead } : {}),
    promptTokensDetails: [{ modality: "TEXT", tokenCount: prompt }],
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
  };
}
