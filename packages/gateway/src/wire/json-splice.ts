/** Byte range of a value, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The top level of a JSON object, found without parsing what is inside its values. */
export interface FieldScan {
  /** Value spans by key; a key that repeats keeps its first span and is listed in `repeated`. */
  readonly fields: ReadonlyMap<string, Span>;
  readonly repeated: readonly string[];
  /** Position of the object's closing brace. */
  readonly close: number;
}
