import { createHash } from "node:crypto";
import type { Seal } from "#domain/request";

/** A tool call as both its answer and a later request have it. */
export interface KeyedCall {
  readonly id: string;
  readonly name: string;
  readonly argumentsJson: string;
}

/** Ids that count (`functions.weather:0`, `call_1`, recorded 2025 and 2026) come again in every conversation. */
const counted = /^[^0-9]*\d{0,4}$/u;

/**
 * Under what the thought that led to a call is kept. Where the id alone does not tell conversations apart, the call's
 * name and arguments do: thoughts of one must not get into another.
 */
export function callKey({ id, name, argumentsJson }: KeyedCall): string {
  return counted.test(id) ? `${id}#${digestOf(`${name}\0${canonical(argumentsJson)}`)}` : id;
}

/** Of a thought that led to no call. No call has such an id: it has a character that ids of no language allow. */
export function sealKey({ value }: Pick<Seal, "value">): string {
  return `seal:${digestOf(value)}`;
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** Clients parse arguments and write them anew: white space, escapes and the order of members say nothing. */
function canonical(json: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(json.trim() === "" ? "{}" : json)));
  } catch {
    return json;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return members.map(([name, inside]) => [name, sorted(inside)]);
}
