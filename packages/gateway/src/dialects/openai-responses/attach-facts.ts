import { attachFacts as attachToEvent } from "#dialects/attach-facts";
import type { LateMembers } from "#dialects/dialect";
import { editFields, scanFields } from "#wire/json-splice";

const openingBrace = 0x7b;
const closingBrace = 0x7d;
/** Deeper ones were refused when they were read. */
const deepest = 1000;

/** At the top of the last event, and what an answer in one piece has too in its `response`, all that SDKs hand on. */
export function attachFacts(terminal: Uint8Array, facts: LateMembers): Uint8Array {
  const { hedgerow: _, ...members } = facts;
  return attachToEvent(inResponse(terminal, members), facts);
}

function inResponse(terminal: Uint8Array, members: LateMembers): Uint8Array {
  const edits = Object.entries(members).map(([name, value]): [string, string] => [name, JSON.stringify(value)]);
  const bytes = Buffer.from(terminal.buffer, terminal.byteOffset, terminal.byteLength);
  const start = bytes.indexOf(openingBrace, lastEvent(bytes));
  const end = bytes.lastIndexOf(closingBrace) + 1;
  if (edits.length === 0 || start === -1 || end <= start) return terminal;
  const event = bytes.subarray(start, end);
  const response = valueOf(event, "response");
  const scan = response === undefined ? undefined : scanFields(response, { maxDepth: deepest });
  if (response === undefined || scan === undefined || "problem" in scan) return terminal;
  const at = start + response.byteOffset - event.byteOffset;
  const written = editFields(response, scan, new Map(edits));
  return Buffer.concat([bytes.subarray(0, at), written, bytes.subarray(at + response.length)]);
}

/** Where the last line begins that holds an event's data: no line of JSON begins like that. */
function lastEvent(bytes: Buffer): number {
  const end = bytes.lastIndexOf(closingBrace);
  const at = Math.max(bytes.lastIndexOf("\ndata:", end), bytes.lastIndexOf("\rdata:", end));
  return Math.max(0, at);
}

function valueOf(object: Buffer, name: string): Buffer | undefined {
  const scan = scanFields(object, { maxDepth: deepest });
  const span = "problem" in scan ? undefined : scan.fields.get(name);
  return span === undefined ? undefined : object.subarray(span.start, span.end);
}
