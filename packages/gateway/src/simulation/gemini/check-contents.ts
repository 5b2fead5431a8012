import { object, objects, wordOf } from "#simulation/received-request";
import type { JsonObject } from "#simulation/received-request";
import type { CheckRules, Violation } from "#simulation/voice";
import type { Issuer } from "#simulation/issuer";
import { isGemini3 } from "./render-gemini.ts";
import { isOwnSignature, signedCall } from "./thought-signature.ts";

/** What a part may be; exactly one of them. */
const dataFields =
  "text inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall toolResponse".split(
    " ",
  );

const partFields = new Set([
  ...dataFields,
  ..."thought thoughtSignature videoMetadata partMetadata mediaResolution".split(" "),
]);

/** What Gemini refuses in `contents`, the first breach found. */
export function checkContents(json: JsonObject, model: string, rules: CheckRules): Violation | undefined {
  const given = json["contents"];
  if (!Array.isArray(given) || given.length === 0) {
    return { message: "* GenerateContentRequest.contents: contents is not specified" };
  }
  for (const [index, item] of (given as readonly unknown[]).entries()) {
    const turn = object(item) ?? {};
    const role = turn["role"];
    if (role !== undefined && role !== "user" && role !== "model") {
      return { message: "Please use a valid role: user, model." };
    }
    const wrong = checkParts(turn, `contents[${index}]`, rules.issuer);
    if (wrong) return wrong;
  }
  return checkTurns(joined(objects(given)), isGemini3(model));
}

/** Google's own client keeps each chunk of a stream as a turn of its own: turns of one role in a row are one turn. */
function joined(turns: readonly JsonObject[]): readonly JsonObject[] {
  const whole: JsonObject[] = [];
  for (const turn of turns) {
    const last = whole.at(-1);
    if (last?.["role"] === turn["role"]) {
      whole[whole.length - 1] = { ...last, parts: [...objects(last?.["parts"]), ...objects(turn["parts"])] };
    } else {
      whole.push(turn);
    }
  }
  return whole;
}

function checkTurns(turns: readonly JsonObject[], signed: boolean): Violation | undefined {
  const currentFrom = currentTurn(turns);
  let before: JsonObject | undefined;
  for (const [index, turn] of turns.entries()) {
    const wrong =
      checkCallTurns(before, turn) ?? (signed && index > currentFrom ? checkSigned(turn, index) : undefined);
    if (wrong) return wrong;
    before = turn;
  }
  return partsOf(before, "functionCall").length > 0 && before?.["role"] === "model" ? unanswered : undefined;
}

const unanswered: Violation = {
  message:
    "Please ensure that the number of function response parts is equal to the number of function call parts " +
    "of the function call turn.",
};

function checkParts(turn: JsonObject, at: string, issuer: Issuer): Violation | undefined {
  const parts = objects(turn["parts"]);
  if (parts.length === 0) return { message: `* GenerateContentRequest.${at}.parts: contents.parts must not be empty.` };
  for (const [index, part] of parts.entries()) {
    const wrong = checkPart(part, `${at}.parts[${index}]`, turn["role"]) ?? checkSignature(part, issuer);
    if (wrong) return wrong;
  }
  return undefined;
}

function checkPart(part: JsonObject, at: string, role: unknown): Violation | undefined {
  const odd = Object.keys(part).find((field) => !partFields.has(field));
  if (odd !== undefined) {
    return { message: `Invalid JSON payload received. Unknown name "${odd}" at '${at}': Cannot find field.` };
  }
  const data = dataFields.filter((field) => part[field] !== undefined);
  if (data.length === 0) {
    return {
      message: `* GenerateContentRequest.${at}.data: required oneof field 'data' must have one initialized field`,
    };
  }
  if (data.length > 1) {
    return { message: `Invalid value at '${at}' (oneof), oneof field 'data' is already set. Cannot set '${data[1]}'` };
  }
  if (part["text"] !== undefined && typeof part["text"] !== "string") {
    return { message: `Invalid value at '${at}.text' (TYPE_STRING)` };
  }
  return checkBlob(part, at) ?? checkCall(part, at, role);
}

function checkBlob(part: JsonObject, at: string): Violation | undefined {
  const blob = object(part["inlineData"]);
  if (blob !== undefined) {
    if (typeof blob["mimeType"] !== "string" || !/^\w+\/[\w.+-]+$/.test(blob["mimeType"])) {
      return { message: `* GenerateContentRequest.${at}.inline_data.mime_type: must be a media type` };
    }
    const data = blob["data"];
    if (typeof data !== "string" || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(data)) {
      return { message: `Invalid value at '${at}.inline_data.data' (TYPE_BYTES), Base64 decoding failed` };
    }
  }
  const file = object(part["fileData"]);
  return file !== undefined && typeof file["fileUri"] !== "string"
    ? { message: `* GenerateContentRequest.${at}.file_data.file_uri: missing field` }
    : undefined;
}

function checkCall(part: JsonObject, at: string, role: unknown): Violation | undefined {
  const call = object(part["functionCall"]);
  if (call !== undefined) {
    if (role !== "model") return { message: "Please ensure that function call turn contains only model content." };
    if (typeof call["name"] !== "string" || call["name"] === "") return emptyName(`${at}.function_call`);
    if (call["args"] !== undefined && object(call["args"]) === undefined) return notAStruct(`${at}.function_call.args`);
  }
  const response = object(part["functionResponse"]);
  if (response === undefined) return undefined;
  if (role === "model") return { message: "Please use a valid role: user, model." };
  if (typeof response["name"] !== "string" || response["name"] === "") return emptyName(`${at}.function_response`);
  return object(response["response"]) === undefined ? notAStruct(`${at}.function_response.response`) : undefined;
}

function emptyName(at: string): Violation {
  return { message: `* GenerateContentRequest.${at}.name: Name cannot be empty.` };
}

function notAStruct(at: string): Violation {
  return { message: `Invalid value at '${at}' (type.googleapis.com/google.protobuf.Struct)` };
}

/** Whatever the model: a signature that comes back is one of ours, on the call it was made for. */
function checkSignature(part: JsonObject, issuer: Issuer): Violation | undefined {
  const given = part["thoughtSignature"];
  if (given === undefined) return undefined;
  const call = object(part["functionCall"]);
  const about = call === undefined ? undefined : signedCall(call["name"], call["args"]);
  return isOwnSignature(issuer, given, about) ? undefined : { message: "Corrupted thought signature." };
}

/** Results come in the turn right after their calls, as many as there were, under the same names. */
function checkCallTurns(before: JsonObject | undefined, turn: JsonObject): Violation | undefined {
  const calls = partsOf(before, "functionCall");
  const responses = partsOf(turn, "functionResponse");
  if (responses.length > 0 && calls.length === 0) {
    return { message: "Please ensure that function response turn comes immediately after a function call turn." };
  }
  if (calls.length !== responses.length) return unanswered;
  if (partsOf(turn, "functionCall").length > 0 && before === undefined) {
    return {
      message:
        "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
    };
  }
  return namesOf(calls) === namesOf(responses)
    ? undefined
    : { message: "Please ensure that function response names are the names of the function calls." };
}

function namesOf(parts: readonly JsonObject[]): string {
  const names = parts.map(({ name }) => wordOf(name));
  return JSON.stringify(names.toSorted((a, b) => (a < b ? -1 : 1)));
}

/** Where the current turn begins: at the last thing a user said that is no result of a call. */
function currentTurn(turns: readonly JsonObject[]): number {
  return turns.findLastIndex((turn) => turn["role"] !== "model" && partsOf(turn, "functionResponse").length === 0);
}

/** Source: https://ai.google.dev/gemini-api/docs/thought-signatures (read 2026-11) */
function checkSigned(turn: JsonObject, index: number): Violation | undefined {
  const first = objects(turn["parts"]).find((part) => part["functionCall"] !== undefined);
  if (first === undefined || first["thoughtSignature"] !== undefined) return undefined;
  const name = String(object(first["functionCall"])?.["name"]);
  return {
    message:
      "Function call is missing a thought_signature in functionCall parts. This is required for tools to work " +
      "correctly, and missing thought_signature may lead to degraded model performance. " +
      `Additional data, function call \`default_api:${name}\` , position ${index + 1}.`,
  };
}

function partsOf(turn: JsonObject | undefined, field: string): readonly JsonObject[] {
  return objects(objects(turn?.["parts"]).map((part) => part[field]));
}
