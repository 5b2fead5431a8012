import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A host of a model, and what fails there of a hundred calls on a day, in a half hour of that day. */
export interface MadeUp {
  readonly model: string;
  readonly operator: string;
  readonly tag: string;
  /** Undefined: no data. */
  readonly failing: (day: number, slot: number) => number | undefined;
}

const startMs = Date.UTC(2030, 0, 1, 0, 30);
const slotMs = 6 * 60 * 60_000;
const slotsPerDay = 4;

/** Writes a folder as `hedgerow replay outages` reads it: four half hours a day. */
export function writeOutages(folder: string, endpoints: readonly MadeUp[], days: number): void {
  mkdirSync(folder, { recursive: true });
  const names = endpoints.map(({ model, operator, tag }, at) => `${at},${model},${operator},${tag}`);
  writeFileSync(join(folder, "endpoints.csv"), `${["ep,model,operator,tag", ...names].join("\n")}\n`);
  const slots = Array.from({ length: days * slotsPerDay }, (_, at) => at);
  const polls = slots.map((at) => `${at},${new Date(startMs + at * slotMs).toISOString()}`);
  writeFileSync(join(folder, "polls.csv"), `${["poll,ts", ...polls].join("\n")}\n`);
  const rows = slots.map((at) =>
    endpoints
      .map(({ failing }) => failing(Math.floor(at / slotsPerDay), at % slotsPerDay))
      .map((each) => (each === undefined ? "" : String(100 - each)))
      .join(","),
  );
  writeFileSync(join(folder, "up30m.csv.gz"), gzipSync(`${rows.join("\n")}\n`));
}

const claude = "anthropic/claude-made-up-1";
const llama = "meta-llama/llama-made-up-1";

/**
 * Six quiet days, six others. Claude: on the seventh day everything that Anthropic runs goes down together, at whoever's
 * shop. Llama: the best host of the first days is a poor one afterwards. The third model has nobody but one operator.
 */
export const madeUp: readonly MadeUp[] = [
  { model: claude, operator: "Anthropic", tag: "anthropic", failing: (day) => (day === 6 ? 95 : 0.1) },
  { model: claude, operator: "Amazon Bedrock", tag: "amazon-bedrock/claude-on-aws", failing: anthropicOnAws },
  { model: claude, operator: "Azure", tag: "azure", failing: (day) => (day === 6 ? 97 : 0.4) },
  { model: claude, operator: "Amazon Bedrock", tag: "amazon-bedrock/us-east-1", failing: () => 2 },
  { model: llama, operator: "Costly", tag: "costly/fp8", failing: (day) => (day < 6 ? 5 : 0.5) },
  { model: llama, operator: "Fickle", tag: "fickle", failing: (day) => (day < 6 ? 0.1 : 30) },
  { model: llama, operator: "Plain", tag: "plain", failing: (day, slot) => (slot === 3 ? undefined : day / 2) },
  { model: "lone/model-made-up-1", operator: "Lone", tag: "lone", failing: () => 10 },
  { model: "lone/model-made-up-1", operator: "Lone", tag: "lone/fast", failing: () => 10 },
];

function anthropicOnAws(day: number, slot: number): number {
  if (day === 6) return 90;
  // Once before, on a training day, half of it failed together with nothing else.
  return day === 2 && slot === 1 ? 50 : 0.2;
}
