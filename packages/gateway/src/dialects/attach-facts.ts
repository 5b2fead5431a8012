import type { LateMembers } from "./dialect.ts";

const openingBrace = 0x7b;
const closingBrace = 0x7d;
const space = 0x20;

/**
 * Puts members into the JSON of the last event, behind which nothing has a brace, without touching another byte:
 * providers pad their JSON, and a caller compares nothing but the object.
 */
export function attachFacts(terminal: Uint8Array, facts: LateMembers): Uint8Array {
  const bytes = Buffer.from(terminal.buffer, terminal.byteOffset, terminal.byteLength);
  const at = bytes.lastIndexOf(closingBrace);
  const members = JSON.stringify(facts).slice(1, -1);
  if (at === -1 || members === "") return terminal;
  let before = at - 1;
  while (bytes[before] === space) before -= 1;
  const comma = bytes[before] === openingBrace ? "" : ",";
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(comma + members), bytes.subarray(at)]);
}
