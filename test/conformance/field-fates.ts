import { isObject } from "#dialects/shape";

/**
 * What becomes of one documented field on its way into the other language. `carried`: said in full · `mapped`: said
 * in another form, with a warning · `dropped`: left out, with a warning · `refused`: the target is not asked ·
 * `own`: the gateway's, or the frame that everything else stands in.
 */
export const fates = ["carried", "mapped", "dropped", "refused", "own"] as const;
export type Fate = (typeof fates)[number];

/** A value that says something, beside what becomes of it; absent where the page alone says it. */
export type Row = readonly [value: unknown, fate?: Fate];

export interface Place {
  /** As the document heads its table, and as the field's path begins. */
  readonly name: string;
  readonly rows: Readonly<Record<string, Row>>;
  /** Words of a choice: one that nobody knows makes no request. */
  readonly closed?: true;
  /** A body with these fields at this place; `name`: the one that is tried, also where it is left out. */
  readonly body: (fields: object, name: string) => object;
}

/** The names of a union's fields, not only of those that all of its members share. */
export type KeysOf<Union> = Union extends unknown ? keyof Union : never;

/** The rows of a place whose keys are words of one `type`: the value is what stands beside it. */
export function ofType(body: (typed: object) => object, plain: object = { type: "text", text: "t" }): Place["body"] {
  return (fields) => {
    const [type] = Object.keys(fields);
    if (type === undefined) return body(plain);
    const [beside] = Object.values(fields) as readonly unknown[];
    return body({ type, ...(isObject(beside) ? beside : {}) });
  };
}
