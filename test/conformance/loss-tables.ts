import { isObject } from "#dialects/shape";
import type { DialectId } from "#domain/call";

/** Rows of one language's written table: name, words, treatment. */
export interface LossTable {
  readonly asked: readonly LossRow[];
  /** What answers of other languages lose on their way to its callers. */
  readonly answers: readonly LossRow[];
}

export interface LossRow {
  readonly name: string;
  readonly words: string;
  readonly treatment: string;
}

/** Read from the language's folder, where its code reads it too. */
export async function lossTable(dialect: DialectId): Promise<LossTable> {
  const path = new URL(`../../packages/gateway/src/dialects/${dialect}/losses.ts`, import.meta.url).href;
  const module = (await import(path)) as { readonly losses: object; readonly answerLosses?: object };
  return { asked: rowsOf(module.losses), answers: rowsOf(module.answerLosses ?? {}) };
}

function rowsOf(table: object): readonly LossRow[] {
  return Object.entries(table).flatMap(([name, row]: [string, unknown]) => {
    if (!isObject(row)) return [];
    return [{ name, words: String(row["words"] ?? row["why"]), treatment: String(row["treatment"]) }];
  });
}

/** The row that a refusal speaks of; undefined where it speaks of none. */
export function refusalIn(table: LossTable, message: string): string | undefined {
  const rows = table.asked.filter(({ treatment, words }) => treatment === "refused" && message.includes(words));
  return rows.toSorted((a, b) => b.words.length - a.words.length)[0]?.name;
}

/** The row a warning begins with; undefined where there is none of that name that is not a refusal. */
export function warningIn(tables: readonly LossTable[], warning: string): string | undefined {
  const name = /^([\w-]+): /.exec(warning)?.[1];
  const rows = tables.flatMap(({ asked, answers }) => [...asked, ...answers]);
  return rows.some((row) => row.name === name && row.treatment !== "refused") ? name : undefined;
}
