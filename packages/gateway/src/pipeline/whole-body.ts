import { failure, type Failure } from "#domain/failure";
import type { Classify } from "./attempt-input.ts";

/** Of a complaint, no more is read. */
export const maxErrorBytes = 64 * 1024;

/** What comes in one piece, an answer or a complaint, while its pieces arrive. */
export class WholeBody {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** False where it is larger than `most` bytes: the piece that made it so is not kept. */
  add(bytes: Uint8Array, most: number): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes > most) return false;
    this.#pieces.push(bytes);
    return true;
  }

  /** Once. */
  take(): Uint8Array {
    const [only] = this.#pieces;
    const body = this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces);
    this.#pieces = [];
    return body;
  }
}

/** A 200 that is no event stream although one was asked for: an error object, or nonsense. */
export function insteadOfStream(body: Uint8Array, classify: Classify): Failure {
  try {
    const json: unknown = JSON.parse(textOf(body));
    if (typeof json === "object" && json !== null && "error" in json) return classify(json);
  } catch {
    // Not JSON either: said below.
  }
  return failure("bad_upstream_response", "The provider answered a streaming request with something else.");
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxErrorBytes)).toString("utf8");
}
