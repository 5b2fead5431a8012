const bytesPerNumber = 4;

/** Numbers as OpenAI packs them: 32-bit floats, the little end first whatever the machine, in base64. */
export function packVector(vector: ArrayLike<number>): string {
  const bytes = Buffer.alloc(vector.length * bytesPerNumber);
  for (let at = 0; at < vector.length; at += 1) bytes.writeFloatLE(vector[at] ?? 0, at * bytesPerNumber);
  return bytes.toString("base64");
}

/** The numbers of a packed vector; undefined where it is none. */
export function unpackVector(packed: string): Float32Array | undefined {
  const bytes = Buffer.from(packed, "base64");
  const isWhole = bytes.length > 0 && bytes.length % bytesPerNumber === 0;
  if (!isWhole || bytes.toString("base64").replace(/=+$/u, "") !== packed.replace(/=+$/u, "")) return undefined;
  const vector = new Float32Array(bytes.length / bytesPerNumber);
  for (let at = 0; at < vector.length; at += 1) vector[at] = bytes.readFloatLE(at * bytesPerNumber);
  return vector.every((number) => Number.isFinite(number)) ? vector : undefined;
}

/** A list of numbers as JSON brings it, or a packed one; undefined where it is neither. */
export function readVector(value: unknown): readonly number[] | Float32Array | undefined {
  if (typeof value === "string") return unpackVector(value);
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const numbers = value as readonly unknown[];
  return numbers.every((number) => typeof number === "number") ? numbers : undefined;
}

/** A vector as a caller wants it written. */
export function writtenVector(
  vector: readonly number[] | Float32Array,
  encoding: "float" | "base64",
): string | readonly number[] {
  if (encoding === "base64") return packVector(vector);
  return vector instanceof Float32Array ? Array.from(vector, shortest) : vector;
}

/** The shortest decimal that is the same 32-bit number: 0.1, not 0.10000000149011612. */
function shortest(number: number): number {
  for (let digits = 6; digits < 10; digits += 1) {
    const short = Number(number.toPrecision(digits));
    if (Math.fround(short) === number) return short;
  }
  return number;
}
