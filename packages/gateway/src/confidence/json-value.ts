export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object: no array, not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a JSON text; undefined, which no JSON text says, where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What stands in a Markdown fence, where the text is one fence and nothing else; else the text. */
export function withoutFence(text: string): string {
  const trimmed = text.trim();
  const lineEnd = trimmed.indexOf("\n");
  if (lineEnd < 0 || trimmed.length < lineEnd + 4 || !trimmed.endsWith("```")) return text;
  return /^```[\w-]*\s*$/u.test(trimmed.slice(0, Math.min(lineEnd, 64))) ? trimmed.slice(lineEnd + 1, -3).trim() : text;
}
