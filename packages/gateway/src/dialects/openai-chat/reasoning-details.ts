import type { Seal } from "#domain/request";
import { isObject, type JsonObject } from "#dialects/shape";

/** Of one thought; a longer one goes on without its seal. */
const mostCharacters = 4 * 1024 * 1024;

/**
 * Gathers `reasoning_details` as an answer brings them, to be given back as the list they were. In a stream the first
 * entry of a chunk goes on from the last one before it, where kind and place are the same.
 */
export class DetailCollector {
  #details: Record<string, unknown>[] = [];
  #length = 0;

  add(details: readonly JsonObject[]): void {
    for (const [at, detail] of details.entries()) {
      this.#length += JSON.stringify(detail).length;
      if (this.#length > mostCharacters) continue;
      const last = this.#details.at(-1);
      if (at > 0 || last === undefined || !continues(last, detail)) {
        this.#details.push({ ...detail });
        continue;
      }
      for (const [name, value] of Object.entries(detail)) {
        const before = last[name];
        const isPiece = (name === "text" || name === "summary") && typeof value === "string";
        if (isPiece) last[name] = (typeof before === "string" ? before : "") + value;
        else if (value !== null) last[name] = value;
      }
    }
  }

  /** What was gathered, as one opaque text, and begins anew; undefined where there is nothing, or too much of it. */
  take(): string | undefined {
    const details = this.#details;
    const isWhole = this.#length <= mostCharacters;
    this.#details = [];
    this.#length = 0;
    return details.length > 0 && isWhole ? Buffer.from(JSON.stringify(details)).toString("base64") : undefined;
  }
}

/** Encrypted thoughts come whole. */
function continues(last: JsonObject, detail: JsonObject): boolean {
  return typeof detail["data"] !== "string" && last["type"] === detail["type"] && last["index"] === detail["index"];
}

/** The list that `DetailCollector` sealed; empty where it is none. */
export function readDetails({ value }: Seal): readonly unknown[] {
  try {
    const details = JSON.parse(Buffer.from(value, "base64").toString("utf8")) as unknown;
    return Array.isArray(details) ? details : [];
  } catch {
    return [];
  }
}

/** The list of an earlier answer as a caller brings it, sealed as it was. */
export function sealDetails(details: readonly JsonObject[]): string | undefined {
  const collector = new DetailCollector();
  // Clients that collect a stream send one entry for each of its chunks.
  for (const detail of details) collector.add([detail]);
  return collector.take();
}

export function detailText(detail: JsonObject): string {
  const text = detail["text"] ?? detail["summary"];
  return typeof text === "string" ? text : "";
}

export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
