import type { AnswerView } from "#domain/confidence";
import type { GenerateRequest } from "#domain/request";
import { isObject } from "#confidence/json-value";
import { renderedTurns } from "#confidence/rendered-request";

/**
 * What a caller's own check is sent: `{ call_id, target, route?, request: { model, messages }, answer, tool_calls }`.
 * `arguments` of tool calls are JSON text, as the model wrote it.
 */
export function verifierBody(asked: {
  readonly request: GenerateRequest;
  readonly view: AnswerView;
  readonly callId: string;
  readonly target: string;
  readonly route?: string;
}): object {
  const { request, view, callId, target, route } = asked;
  return {
    call_id: callId,
    target,
    ...(route === undefined ? {} : { route }),
    request: { model: request.model, messages: renderedTurns(request) },
    answer: view.text,
    tool_calls: view.toolCalls.map(({ id, name, argumentsJson }) => ({ id, name, arguments: argumentsJson })),
  };
}

/** A check's answer: `{ "correct": true }`, `{ "correct": 0.7 }` or `{ "valid": false }`. Undefined for anything else. */
export function readVerifierAnswer(json: unknown): { readonly correct: number } | undefined {
  if (!isObject(json)) return undefined;
  const { correct, valid } = json;
  if (typeof correct === "number") return correct >= 0 && correct <= 1 ? { correct } : undefined;
  const verdict = correct === undefined ? valid : correct;
  return typeof verdict === "boolean" ? { correct: verdict ? 1 : 0 } : undefined;
}
