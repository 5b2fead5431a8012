import type { AnswerView, ToolCallView } from "#domain/confidence";
import type { GenerateRequest, Tool } from "#domain/request";
import { checkSchema, type SchemaFault } from "#confidence/json-schema";
import { isObject, parsed } from "#confidence/json-value";
import { labelCore } from "#confidence/output-shape";
import type { FailedGate, GateRule } from "#confidence/signals";
import { isRefusal } from "./refusals.ts";

/** A caller who allows no more tokens than a label has wants the label, and expects the cut after it. */
const labelTokens = 3;

type Gate = (view: AnswerView, request: GenerateRequest) => FailedGate | undefined;

/** In order: the first that fails says why. */
const gates: readonly Gate[] = [malformed, refused, cut, empty, toolChoice, toolCalls, json];

/**
 * What no probability makes acceptable: an answer that is none, that refuses, that is not whole, or that breaks the form the
 * caller asked for. The reason quotes the caller's own words at most, and nothing of the answer.
 */
export function failedGate(view: AnswerView, request: GenerateRequest): FailedGate | undefined {
  for (const gate of gates) {
    const failed = gate(view, request);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

function failed(rule: GateRule, why: string): FailedGate {
  return { rule, why: why.slice(0, 200) };
}

function malformed({ finish }: AnswerView): FailedGate | undefined {
  return finish === "malformed" ? failed("malformed", "the model failed to form an answer") : undefined;
}

function refused(view: AnswerView): FailedGate | undefined {
  if (view.finish === "policy") return failed("refusal", "the provider filtered the answer, or the model refused");
  if (view.toolCalls.length > 0 || view.foreign === true) return undefined;
  if (view.refusal.trim() !== "") return failed("refusal", "the model refused");
  return isRefusal(view.text) ? failed("refusal", "the answer is a refusal and nothing else") : undefined;
}

function cut(
  { finish, text, toolCalls: calls }: AnswerView,
  { maxOutputTokens }: GenerateRequest,
): FailedGate | undefined {
  if (finish === "context") return failed("cut", "the model's context was full before the answer was whole");
  if (finish !== "length") return undefined;
  const isLabel = calls.length === 0 && labelCore(text.trim()) !== undefined;
  if (isLabel && maxOutputTokens !== undefined && maxOutputTokens <= labelTokens) return undefined;
  return failed("cut", "the answer reached its limit of tokens before it was whole");
}

function empty({ text, toolCalls: calls, foreign }: AnswerView): FailedGate | undefined {
  const isEmpty = text.trim() === "" && calls.length === 0 && foreign !== true;
  return isEmpty ? failed("empty", "the answer is empty") : undefined;
}

function toolChoice({ toolCalls: calls, foreign }: AnswerView, request: GenerateRequest): FailedGate | undefined {
  const choice = request.toolChoice;
  switch (choice?.kind) {
    case "none":
      return calls.length > 0
        ? failed("unwanted-tool", "the answer calls a tool, and the call allows none")
        : undefined;
    case "required":
      return calls.length > 0 || foreign === true ? undefined : failed("no-tool-call", "a tool's call was required");
    case "named":
      return calls.some(({ name }) => name === choice.name) || foreign === true
        ? undefined
        : failed("no-tool-call", `a call of the tool ${choice.name} was required`);
    default:
      return undefined;
  }
}

function toolCalls({ toolCalls: calls }: AnswerView, { tools }: GenerateRequest): FailedGate | undefined {
  for (const call of calls) {
    const tool = tools.find((each) => nameOf(each) === call.name);
    if (tool === undefined) {
      // Tools the hub has no word for may have names it does not see.
      if (tools.some((each) => each.kind === "foreign")) continue;
      return failed("unknown-tool", "the answer calls a tool that the call does not have");
    }
    const fault = tool.kind === "function" ? faultyArguments(call, tool) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function nameOf(tool: Tool): unknown {
  return tool.kind === "function" ? tool.name : isObject(tool.payload) ? tool.payload["name"] : undefined;
}

function faultyArguments(call: ToolCallView, { name, schema }: Tool & { kind: "function" }): FailedGate | undefined {
  const value = call.argumentsJson.trim() === "" ? {} : parsed(call.argumentsJson);
  if (!isObject(value)) return failed("invalid-arguments", `the arguments of ${name} are no JSON object`);
  const { fault } = checkSchema(value, schema);
  if (fault === undefined) return undefined;
  return fault.keyword === "required"
    ? failed("missing-argument", `the call of ${name} lacks the argument ${nameOfMissing(fault)}`)
    : failed("invalid-arguments", `the arguments of ${name} break their schema: ${faultText(fault)}`);
}

function json({ text, toolCalls: calls }: AnswerView, { output }: GenerateRequest): FailedGate | undefined {
  if (output === undefined || output.kind === "text" || calls.length > 0) return undefined;
  const value = parsed(text);
  if (value === undefined) return failed("invalid-json", "JSON was asked for, and the answer is none");
  if (output.kind === "json") return undefined;
  const { fault } = checkSchema(value, output.schema);
  return fault === undefined ? undefined : failed("schema", `the answer breaks its schema: ${faultText(fault)}`);
}

function faultText(fault: SchemaFault): string {
  const where = fault.path === "" ? "" : ` at ${fault.path}`;
  return fault.keyword === "required" ? `${nameOfMissing(fault)} is missing` : `${fault.keyword}${where}`;
}

function nameOfMissing({ path, missing = "" }: SchemaFault): string {
  return path === "" ? missing : `${path}.${missing}`;
}
