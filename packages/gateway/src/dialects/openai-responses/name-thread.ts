import type { ThreadWish } from "#dialects/threads";
import { editFields, scanFields } from "#wire/json-splice";

const deepest = 1000;
const brace = 0x7b;
const dataLine = Buffer.from("\ndata:");
const lineFeed = Buffer.from("\n");

/**
 * Puts back into a relayed answer what its call named, which the provider was told whole and so does not repeat: into a
 * response, or into the events of a stream that hold one. All other bytes stay.
 */
export function nameThread(answer: Uint8Array, wish: ThreadWish): Uint8Array {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
  if (bytes[0] === brace) return named(bytes, wish);
  if (!bytes.includes('"response"')) return answer;
  const line = bytes.subarray(0, 5).equals(dataLine.subarray(1)) ? 0 : bytes.indexOf(dataLine) + 1;
  const end = bytes.indexOf(lineFeed, line);
  const start = bytes.indexOf("{", line);
  // An event of several lines, or several events, is none that is known: it stays as it is.
  if (end === -1 || start === -1 || start > end || bytes.indexOf(dataLine, end) !== -1) return answer;
  const event = bytes.subarray(start, end);
  const scan = scanFields(event, { maxDepth: deepest });
  const span = "problem" in scan ? undefined : scan.fields.get("response");
  if (span === undefined) return answer;
  const response = named(event.subarray(span.start, span.end), wish);
  return Buffer.concat([bytes.subarray(0, start + span.start), response, bytes.subarray(start + span.end)]);
}

function named(response: Buffer, { previous, conversation }: ThreadWish): Uint8Array {
  const scan = scanFields(response, { maxDepth: deepest });
  if ("problem" in scan) return response;
  const edits = new Map<string, string>();
  if (previous !== undefined) edits.set("previous_response_id", JSON.stringify(previous));
  if (conversation !== undefined) edits.set("conversation", JSON.stringify({ id: conversation }));
  return editFields(response, scan, edits);
}
