import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";

/** A question with the answers that real models gave to it. */
export interface StoredRow {
  readonly id: string;
  readonly system?: string;
  /** The user's message, which no other row of the task has. */
  readonly prompt: string;
  readonly answers: ReadonlyMap<string, StoredAnswer>;
}

export interface StoredAnswer {
  readonly text: string;
  readonly correct: boolean;
  /** Natural logarithm: of the answer's tokens, or of "yes, this is right"; null: a certain no. Absent: nobody measured. */
  readonly logProbability?: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the answer alone, dollars. Absent where prices are the reader's own. */
  readonly costUsd?: number;
  /** Of asking the model whether the answer is right, dollars. */
  readonly judgeCostUsd?: number;
  readonly latencyMs?: number;
}

/** `logprobs`: the answer's own tokens. `judge`: the same model was asked whether the answer is right. */
export type StoredSignal = "logprobs" | "judge" | "none";

export interface StoredTask {
  /** The file it comes from, without endings. */
  readonly name: string;
  readonly signal: StoredSignal;
  readonly models: readonly string[];
  readonly rows: readonly StoredRow[];
}

export type StoredRead =
  | { readonly kind: "read"; readonly tasks: readonly StoredTask[] }
  | { readonly kind: "unreadable"; readonly why: string };

const measured = z.object({
  answer: z.string(),
  correct: z.union([z.literal(0), z.literal(1)]),
  conf_log: z.number().max(0).nullable(),
  cost_usd: z.number().min(0),
  gen_cost_usd: z.number().min(0),
  latency_ms: z.number().min(0),
  tok_in: z.int().min(0),
  tok_out: z.int().min(0),
});
const measuredRow = z.object({
  id: z.string(),
  system: z.string().optional(),
  user: z.string(),
  signal: z.enum(["mean_logprob", "p_true_log"]),
  models: z.record(z.string(), measured),
});
const compared = z.object({
  pred: z.string().nullable(),
  correct: z.union([z.literal(0), z.literal(1)]),
  out_chars: z.int().min(0),
});
const comparedRow = z.object({
  id: z.string(),
  prompt_chars: z.int().min(0),
  models: z.record(z.string(), compared),
});

/** Of one file, unpacked. */
const maxBytes = 512 * 1024 * 1024;
/** As the data's own cost figures count. */
const charactersPerToken = 4;

/** What is wrong with a file, for people. */
class Unreadable extends Error {}

/**
 * Reads what a folder holds of `rational-llm-cascades/*.jsonl[.gz]` (answers with their log-probabilities, costs and
 * latencies) and of `zeroeval/gsm.jsonl[.gz]` (final answers alone).
 */
export function readStoredAnswers(folder: string): StoredRead {
  try {
    const tasks: StoredTask[] = [];
    for (const name of ["mmlu", "medmcqa", "triviaqa", "truthfulqa", "gsm8k"]) {
      const lines = linesOf(join(folder, "rational-llm-cascades", `${name}.jsonl`));
      if (lines !== undefined) tasks.push(measuredTask(name, lines));
    }
    const lines = linesOf(join(folder, "zeroeval", "gsm.jsonl"));
    if (lines !== undefined) tasks.push(comparedTask("zeroeval", lines));
    if (tasks.length > 0) return { kind: "read", tasks };
    return {
      kind: "unreadable",
      why: `${folder} holds neither rational-llm-cascades/{mmlu,triviaqa,gsm8k,…}.jsonl.gz nor zeroeval/gsm.jsonl.gz`,
    };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { kind: "unreadable", why: error.message };
  }
}

function measuredTask(name: string, lines: readonly string[]): StoredTask {
  const read = lines.map((line, at) => parse(measuredRow, line, `line ${at + 1} of ${name}`));
  const rows = read.map(({ id, system, user, models }): StoredRow => {
    const answers = Object.entries(models).map(([model, answer]): [string, StoredAnswer] => [
      model,
      {
        text: answer.answer,
        correct: answer.correct === 1,
        logProbability: answer.conf_log,
        inputTokens: answer.tok_in,
        outputTokens: answer.tok_out,
        costUsd: answer.gen_cost_usd,
        judgeCostUsd: Math.max(0, answer.cost_usd - answer.gen_cost_usd),
        latencyMs: answer.latency_ms,
      },
    ]);
    return { id, prompt: user, ...(system === undefined ? {} : { system }), answers: new Map(answers) };
  });
  const signal = read[0]?.signal === "mean_logprob" ? "logprobs" : "judge";
  return taskOf({ name, signal, rows });
}

/** The questions are not stored: a row's id stands for it, padded to the length it had. */
function comparedTask(name: string, lines: readonly string[]): StoredTask {
  const rows = lines.map((line, at): StoredRow => {
    const { id, prompt_chars: length, models } = parse(comparedRow, line, `line ${at + 1} of ${name}`);
    const answers = Object.entries(models).map(
      ([model, { pred, correct, out_chars: said }]): [string, StoredAnswer] => [
        model,
        {
          text: pred === null ? "No answer." : `#### ${pred}`,
          correct: correct === 1,
          inputTokens: Math.ceil(length / charactersPerToken),
          outputTokens: Math.ceil(said / charactersPerToken),
        },
      ],
    );
    return { id, prompt: `Problem ${id}`, answers: new Map(answers) };
  });
  return taskOf({ name, signal: "none", rows });
}

function taskOf(task: Omit<StoredTask, "models">): StoredTask {
  const [first] = task.rows;
  if (first === undefined) throw new Unreadable(`${task.name} has no rows`);
  const models = [...first.answers.keys()];
  const prompts = new Map<string, string>();
  for (const { id, prompt, answers } of task.rows) {
    const missing = models.find((model) => !answers.has(model));
    if (missing !== undefined) throw new Unreadable(`row ${id} of ${task.name} has no answer of ${missing}`);
    const twin = prompts.get(prompt);
    if (twin !== undefined) continue;
    prompts.set(prompt, id);
  }
  // The same question twice has two answers of a model; the first is as good.
  return { ...task, models, rows: task.rows.filter(({ id, prompt }) => prompts.get(prompt) === id) };
}

function parse<T>(schema: z.ZodType<T>, line: string, where: string): T {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new Unreadable(`${where} is no JSON`);
  }
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Unreadable(`${where}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "has another form"}`);
}

function linesOf(path: string): readonly string[] | undefined {
  const found = [path, `${path}.gz`].find((each) => existsSync(each));
  if (found === undefined) return undefined;
  try {
    const bytes = readFileSync(found);
    const text = (found.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: maxBytes }) : bytes).toString("utf8");
    return text.split(/\r?\n/u).filter((line) => line !== "");
  } catch (error) {
    throw new Unreadable(`${found} cannot be read: ${(error as Error).message}`);
  }
}
