import { objectOf, objectsOf, type JsonView } from "../json-view.ts";
import { readSse } from "../sse-messages.ts";

const endings = new Set<unknown>(
  (
    "STOP MAX_TOKENS SAFETY RECITATION LANGUAGE OTHER BLOCKLIST PROHIBITED_CONTENT SPII MALFORMED_FUNCTION_CALL " +
    "UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MALFORMED_RESPONSE CONTINUATION IMAGE_SAFETY NO_IMAGE"
  ).split(" "),
);

/** What in an event stream's framing differs from Google's: data lines alone, and no end marker. */
export function streamFramingFaults(text: string): readonly string[] {
  const messages = readSse(text);
  const faults: string[] = [];
  if (messages.map(({ raw }) => raw).join("") !== text) faults.push("bytes outside of any message");
  for (const { event, data, raw } of messages) {
    if (event !== undefined) faults.push(`an event line: ${event}`);
    // An empty line is no message: the official client takes a comment for one.
    if (data === undefined && !raw.startsWith(":") && raw.trim() !== "")
      faults.push(`neither data nor comment: ${raw}`);
    if (data === "[DONE]") faults.push("[DONE]");
  }
  return faults;
}

/** What in an answer, whole or as the chunks of a stream, a strict client could stumble over, in words. */
export function chunksFaults(chunks: readonly JsonView[]): readonly string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, what: string): void => void (holds || faults.push(what));
  let finish: unknown;
  for (const chunk of chunks) {
    expect(chunk["error"] === undefined, "an error");
    expect(typeof chunk["responseId"] === "string" && chunk["responseId"] !== "", "no responseId");
    expect(typeof chunk["modelVersion"] === "string" && chunk["modelVersion"] !== "", "no modelVersion");
    expect(chunk["responseId"] === chunks[0]?.["responseId"], "the answer's id changed");
    const candidates = objectsOf(chunk["candidates"]);
    expect(candidates.length <= 1, "several candidates");
    for (const candidate of candidates) {
      const { content, finishReason, index } = candidate;
      expect(index === 0, `index ${String(index)}`);
      expect(finish === undefined, "a candidate behind the finish");
      const parts = objectsOf(objectOf(content)["parts"]);
      if (content !== undefined) expect(objectOf(content)["role"] === "model", "role");
      for (const part of parts) expect(isPart(part), `part ${JSON.stringify(part)}`);
      if (finishReason === undefined) expect(parts.length > 0, "a candidate that says nothing");
      else expect(endings.has(finishReason), `finishReason ${JSON.stringify(finishReason)}`);
      finish = finishReason;
    }
    if (chunk["usageMetadata"] !== undefined) expect(addsUp(objectOf(chunk["usageMetadata"])), "usage does not add up");
  }
  // A prompt nobody answered has no candidate.
  const isBlocked = chunks.some(({ promptFeedback }) => typeof objectOf(promptFeedback)["blockReason"] === "string");
  expect(finish !== undefined || isBlocked, "no finishReason");
  return faults;
}

function isPart(part: JsonView): boolean {
  const { text, functionCall, thought, thoughtSignature } = part;
  if (thoughtSignature !== undefined && (typeof thoughtSignature !== "string" || thoughtSignature === "")) return false;
  if (typeof text === "string") return functionCall === undefined && (thought === undefined || thought === true);
  const { name, args } = objectOf(functionCall);
  return typeof name === "string" && name !== "" && typeof args === "object" && args !== null && !Array.isArray(args);
}

function addsUp(usage: JsonView): boolean {
  const of = (name: string): number => Number(usage[name] ?? 0);
  return of("promptTokenCount") + of("candidatesTokenCount") + of("thoughtsTokenCount") === usage["totalTokenCount"];
}
