export type JsonView = Readonly<Record<string, unknown>>;

/** Lenient looks at unknown JSON: what has another shape reads as empty, so that a reader stays a straight line. */
export function objectOf(value: unknown): JsonView {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonView) : {};
}

export function objectsOf(value: unknown): readonly JsonView[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function countOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
