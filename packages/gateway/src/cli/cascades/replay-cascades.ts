import { resolve } from "node:path";
import { pricesOf } from "#simulation/cascades/prices";
import { judgeCell, type JudgedCell } from "#simulation/cascades/judge-cells";
import { readStoredAnswers, type StoredTask } from "#simulation/cascades/read-stored-answers";
import { UsageError, type CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { progressBar } from "#cli/progress-bar";
import { terminalLine } from "#cli/terminal-text";
import { agreementLines, cascadeTable, cellTable, goalLines, readingTable, type PlayedAll } from "./cascade-text.ts";
import { agreementRoute, agreementRouteName, listPrices, playAgreement } from "./play-agreement.ts";
import { cascadeRoute, cascadeRouteName, playCascade, type PlayedCascade, type Tiers } from "./play-cascades.ts";
import { startReplayGateway, type ReplayGateway } from "./replay-gateway.ts";
import { scoreCell, scoringRoutes, type PlayedCell } from "./score-cells.ts";

const promise = 0.85;
const delta = 0.05;
/** Of the strong model's accuracy, on the calibration half: what is to be kept on the other. */
const keepShare = 0.975;
const tiers: Tiers = { weak: "gpt-4o-mini", strong: "gpt-4o" };
const defaults = { seeds: 20 };

export const cascadesUsage = `Usage: hedgerow replay cascades --data DIR [--seeds N] [--tasks A,B] [--json]

Serves stored answers of real models over the wire, with their log-probabilities, usage and prices, and sends every
question through a whole gateway with a confidence gate: what its scores mean before and after calibration, cell by cell
(a model on a task), what a cascade of two models gets right and costs beside other policies, and what agreement of two
cheap models is worth. Calibrated on one half of the rows, judged on the other, for each seed.

      --data DIR     rational-llm-cascades/{mmlu,triviaqa,gsm8k,…}.jsonl[.gz] and zeroeval/gsm.jsonl[.gz]; what is there
                     is played
      --seeds N      how many ways of halving the rows (default ${defaults.seeds})
      --tasks A,B    only these tasks
      --pace X       waits the stored latencies, multiplied by this (default 0: answers come at once)
      --json         one JSON object

Exit code 1 where the data cannot be read.
`;

export function replayCascades(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCommandLine([...args], {
    options: {
      data: { type: "string" },
      seeds: { type: "string" },
      tasks: { type: "string" },
      pace: { type: "string" },
      json: { type: "boolean" },
    },
    words: { least: 1, most: 1, what: "what to replay (cascades)" },
  });
  if (values.data === undefined) throw new UsageError("--data DIR is missing");
  const seeds =
    values.seeds === undefined ? defaults.seeds : wholeNumber("--seeds", values.seeds, { min: 1, max: 1000 });
  const pace = Number(values.pace ?? 0);
  if (!(pace >= 0 && pace <= 10)) throw new UsageError("--pace must be a number from 0 to 10");
  const wanted = values.tasks?.split(",");
  return run({ data: resolve(io.cwd, values.data), seeds, pace, wanted, json: values.json === true }, io);
}

interface Asked {
  readonly data: string;
  readonly seeds: number;
  readonly pace: number;
  readonly wanted: readonly string[] | undefined;
  readonly json: boolean;
}

async function run({ data, seeds, pace, wanted, json }: Asked, io: CommandIo): Promise<number> {
  const read = readStoredAnswers(data);
  if (read.kind === "unreadable") return refuse(read.why, io);
  const names = read.tasks.map(({ name }) => name);
  const strange = wanted?.find((name) => !names.includes(name));
  if (strange !== undefined) return refuse(`there is no task ${strange} there, only ${names.join(", ")}`, io);
  const tasks = read.tasks.filter(({ name }) => wanted?.includes(name) !== false);
  const gateway = await startReplayGateway({
    tasks,
    prices: new Map([...listPrices, ...pricesOf(tasks)]),
    routes: { ...scoringRoutes(tasks), ...cascadeRoutes(tasks), [agreementRouteName]: agreementRoute() },
    today: new Date().toISOString().slice(0, 10),
    pace,
  });
  try {
    const played = await playAll(gateway, { tasks, seeds, io });
    if (json) io.stdout(`${JSON.stringify({ seeds, ...played }, null, 2)}\n`);
    else print(played, seeds, io);
    return 0;
  } finally {
    await gateway.close();
  }
}

function isScored({ signal }: StoredTask): boolean {
  return signal !== "none";
}

function hasTiers(task: StoredTask): boolean {
  return isScored(task) && task.models.includes(tiers.weak) && task.models.includes(tiers.strong);
}

function cascadeRoutes(tasks: readonly StoredTask[]) {
  return Object.fromEntries(tasks.filter(hasTiers).map((task) => [cascadeRouteName(task), cascadeRoute(task, tiers)]));
}

interface Playing {
  readonly tasks: readonly StoredTask[];
  readonly seeds: number;
  readonly io: CommandIo;
}

async function playAll(gateway: ReplayGateway, { tasks, seeds, io }: Playing): Promise<PlayedAll> {
  const scored = tasks.filter(isScored);
  const steps = scored.reduce((sum, { models }) => sum + models.length, 0) + tasks.filter(hasTiers).length * seeds;
  const bar = progressBar(Math.max(1, steps), io);
  const cells: JudgedCell[] = [];
  const cascades: PlayedCascade[] = [];
  for (const task of scored) {
    const played = new Map<string, PlayedCell>();
    for (const model of task.models) {
      bar.step(`${task.name}: ${model}`);
      const cell = await scoreCell(gateway, task, model);
      played.set(model, cell);
      cells.push(judgeCell(cell, { seeds, promise, delta }));
    }
    const [weak, strong] = [played.get(tiers.weak), played.get(tiers.strong)];
    if (weak === undefined || strong === undefined) continue;
    const onSeed = (): void => bar.step(`${task.name}: ${tiers.weak}, then ${tiers.strong}`);
    cascades.push(await playCascade(gateway, { task, weak, strong }, { seeds, promise, keepShare, onSeed }));
    gateway.calibrate(undefined);
  }
  const compared = tasks.find((task) => !isScored(task));
  const agreement = compared === undefined ? undefined : await playAgreement(gateway, compared);
  bar.done();
  return { cells, cascades, promise, ...(agreement === undefined ? {} : { agreement }) };
}

function print(played: PlayedAll, seeds: number, io: CommandIo): void {
  const { cells, cascades, agreement } = played;
  if (cells.length > 0) {
    io.stdout(
      `Cells: error of calibration, accepted at ${promise}, accepted answers that are right; ${seeds} seeds\n\n`,
    );
    io.stdout(`${cellTable(cells)}\n${readingTable(cells, promise)}\n`);
  }
  for (const cascade of cascades) {
    io.stdout(`${cascade.task}: ${cascade.weak}, then ${cascade.strong}; ${cascade.calls} calls over the wire\n\n`);
    io.stdout(`${cascadeTable(cascade)}\n`);
  }
  if (agreement !== undefined) io.stdout(`${agreementLines(agreement).join("\n")}\n\n`);
  io.stdout(`${goalLines(played).join("\n")}\n`);
}

function refuse(why: string, io: CommandIo): number {
  io.stderr(`hedgerow replay: ${terminalLine(why)}\n`);
  return 1;
}
