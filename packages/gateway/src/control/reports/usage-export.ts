/** One line of a provider's own account of what was used. */
export interface ExportRow {
  /** `2026-11-26`, UTC. */
  readonly day: string;
  readonly model: string;
  /** Nano-dollars; absent where the export has only tokens. */
  readonly costNanoUsd?: bigint;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
}

export type ExportRead =
  | { readonly kind: "read"; readonly rows: readonly ExportRow[] }
  /** What is wrong, with the row's number, and what to do. */
  | { readonly kind: "refused"; readonly why: string };

/** Names of columns, where they are others than the usual ones. */
export type ExportColumns = Readonly<Partial<Record<keyof typeof usualColumns, string>>>;

type Cells = Readonly<Record<string, unknown>>;

const usualColumns = {
  date: ["date", "day", "usage_date", "start_time", "starting_at", "timestamp"],
  model: ["model", "model_id", "line_item", "description"],
  cost: ["cost", "cost_usd", "amount_usd", "amount", "total_cost"],
  input: ["input_tokens", "prompt_tokens", "n_context_tokens_total", "uncached_input_tokens"],
  output: ["output_tokens", "completion_tokens", "n_generated_tokens_total"],
} as const;
export const exportColumns = Object.keys(usualColumns) as readonly (keyof typeof usualColumns)[];

/**
 * Reads a usage or cost export: comma-separated values with a head, a JSON array of objects, or the buckets of OpenAI's and
 * Anthropic's administration APIs (`data: [{ start_time | starting_at, results: [...] }]`;
 * platform.openai.com/docs/api-reference/usage, docs.anthropic.com/en/api/admin-api/usage-cost).
 */
export function readExport(text: string, columns: ExportColumns = {}): ExportRead {
  const trimmed = text.replace(/^\uFEFF/u, "").trimStart();
  const cells = /^[[{]/u.test(trimmed) ? fromJson(trimmed) : fromCsv(trimmed);
  if (typeof cells === "string") return { kind: "refused", why: cells };
  const rows: ExportRow[] = [];
  for (const [at, each] of cells.entries()) {
    const row = rowOf(each, columns);
    if (typeof row === "string") return { kind: "refused", why: `row ${at + 1}: ${row}` };
    rows.push(row);
  }
  return { kind: "read", rows };
}

function rowOf(cells: Cells, columns: ExportColumns): ExportRow | string {
  const of = (name: keyof typeof usualColumns): unknown => {
    const written = columns[name];
    return written === undefined ? usualColumns[name].map((each) => cells[each]).find(isSaid) : cells[written];
  };
  const day = dayOf(of("date"));
  if (day === undefined) return "it has no date; name its column with --columns date=NAME";
  const model = of("model");
  if (typeof model !== "string") return "it has no model; name its column with --columns model=NAME";
  const [cost, input, output] = [of("cost"), of("input"), of("output")];
  const money = isSaid(cost) ? moneyOf(cost, cells["currency"]) : undefined;
  if (isSaid(cost) && money === undefined) return `its cost ${JSON.stringify(cost)} is no amount of US dollars`;
  const tokens = [input, output].map((each) => (isSaid(each) ? Number(each) : undefined));
  if (tokens.some((each) => each !== undefined && !Number.isSafeInteger(each)))
    return "its tokens are no whole numbers";
  const [inputTokens, outputTokens] = tokens;
  if (money === undefined && inputTokens === undefined && outputTokens === undefined) {
    return "it has neither a cost nor tokens; name their columns with --columns cost=NAME,input=NAME,output=NAME";
  }
  return {
    day,
    model,
    ...(money === undefined ? {} : { costNanoUsd: money }),
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  };
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

/** Seconds since 1970, or any date; the day in UTC. */
function dayOf(value: unknown): string | undefined {
  const text = String(value);
  const ms = /^\d{9,11}$/u.test(text) ? Number(text) * 1000 : /^\d{4}-\d{2}-\d{2}/u.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().slice(0, 10);
}

/** OpenAI writes `{ value, currency }` in dollars, Anthropic a decimal text in cents beside `currency`; others plain dollars. */
function moneyOf(value: unknown, currency: unknown): bigint | undefined {
  if (typeof value === "object" && value !== null) {
    const { value: amount, currency: unit } = value as { readonly value?: unknown; readonly currency?: unknown };
    return isDollars(unit) ? nanoOf(String(amount)) : undefined;
  }
  if (currency === undefined || currency === "") return nanoOf(String(value));
  if (!isDollars(currency)) return undefined;
  const cents = nanoOf(String(value));
  return cents === undefined ? undefined : cents / 100n;
}

function isDollars(unit: unknown): boolean {
  return String(unit).toLowerCase() === "usd";
}

/** A decimal text, exactly to the nano-dollar; what is smaller is cut. */
export function nanoOf(text: string): bigint | undefined {
  const plain = text.trim().replace(/^\$/u, "");
  const [, sign, whole, part = "", power = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/u.exec(plain) ?? [];
  if (whole === undefined) return undefined;
  const shift = 9 + Number(power) - part.length;
  const digits = BigInt(whole + part);
  const nano = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  return sign === "-" ? -nano : nano;
}

function fromJson(text: string): readonly Cells[] | string {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return `it is no JSON: ${(error as Error).message}`;
  }
  const list = Array.isArray(read) ? read : (read as { readonly data?: unknown }).data;
  if (!Array.isArray(list)) return "it is neither a list of rows nor an object with `data`";
  return list.flatMap((each): readonly Cells[] => {
    const { results, ...bucket } = (each ?? {}) as Cells & { readonly results?: unknown };
    if (!Array.isArray(results)) return [bucket];
    return results.map((result) => Object.assign({}, bucket, result as Cells));
  });
}

function fromCsv(text: string): readonly Cells[] | string {
  const records = csvRecords(text);
  if (records === undefined) return "a quoted field has no end";
  const [head, ...rows] = records;
  if (head === undefined) return "it is empty";
  const names = head.map((name) => name.trim().toLowerCase());
  return rows
    .filter((row) => row.some((cell) => cell !== ""))
    .map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? ""])));
}

/** RFC 4180, with any line ends; undefined where a quote is left open. */
export function csvRecords(text: string): readonly (readonly string[])[] | undefined {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      for (;;) {
        const end = text.indexOf('"', at + 1);
        if (end === -1) return undefined;
        cell += text.slice(at + 1, end);
        at = end + 1;
        if (text[at] !== '"') break;
        cell += '"';
      }
    }
    const rest = /[^,\r\n]*/uy;
    rest.lastIndex = at;
    cell += rest.exec(text)?.[0] ?? "";
    at = rest.lastIndex;
    record.push(cell);
    if (text[at] === ",") {
      at += 1;
      if (at < text.length) continue;
      record.push("");
    }
    records.push(record);
    record = [];
    at += text.startsWith("\r\n", at) ? 2 : 1;
  }
  return records;
}
