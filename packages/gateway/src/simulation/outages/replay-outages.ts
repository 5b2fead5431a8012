import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { policies } from "./policies.ts";
import { playModels, split, type OutageReplay, type Played, type Playing } from "./play-models.ts";
import type { Replayed } from "./replay-model.ts";
import type { ThreadMessage, ThreadTask } from "./replay-thread.ts";
import { summarise, type Summary } from "./summarise.ts";

export interface ReplayReport {
  readonly models: number;
  /** Half hours. */
  readonly trainingWindows: number;
  readonly judgedWindows: number;
  readonly summaries: readonly Summary[];
}

const listPolicy = policies[0]?.name ?? "";
const oraclePolicy = policies.at(-1)?.name ?? "";

/** Plays measured outages for every model with two operating parents at least, under every policy. */
export function replayOutages(asked: OutageReplay, { priceOf, onStep }: Partial<Playing> = {}): ReplayReport {
  const all = { at: 0, of: 1 };
  const playing = { asked, part: all, priceOf: priceOf ?? (() => undefined), onStep: onStep ?? (() => {}) };
  return reportOf(asked, playModels(playing));
}

/** The same on all cores, with the catalogue's prices. */
export async function replayInThreads(
  asked: OutageReplay,
  { threads = availableParallelism(), onStep }: { readonly threads?: number } & Pick<Playing, "onStep">,
): Promise<ReplayReport> {
  const parts = Array.from({ length: threads }, (_, at) => inThread({ asked, part: { at, of: threads } }, onStep));
  return reportOf(asked, (await Promise.all(parts)).flat());
}

function inThread(task: ThreadTask, onStep: Playing["onStep"]): Promise<readonly Played[]> {
  const extension = extname(import.meta.url);
  const worker = new Worker(new URL(`./replay-thread${extension}`, import.meta.url), {
    workerData: task,
    // From the sources, names of rooms stand for sources, too.
    execArgv: extension === ".ts" ? ["--conditions=hedgerow-source"] : [],
  });
  return new Promise((resolve, reject) => {
    worker.on("message", (message: ThreadMessage) => {
      if (message.kind === "step") onStep(message.what, message.steps);
      else resolve(message.played);
    });
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`a thread of the replay ended early with ${code}`)));
  });
}

function reportOf(asked: OutageReplay, played: readonly Played[]): ReplayReport {
  const { training, judged } = split(asked);
  const inOrder = played.toSorted((a, b) => (a.model < b.model ? -1 : Number(a.model > b.model)));
  const runs = new Map(policies.map(({ name }) => [name, new Map<string, Replayed>()]));
  for (const { model, policy, replayed } of inOrder) runs.get(policy)?.set(model, replayed);
  const models = Math.max(...[...runs.values()].map(({ size }) => size));
  for (const [policy, { size }] of runs) if (size === 0) runs.delete(policy);
  const summaries = summarise({ runs, list: listPolicy, oracle: oraclePolicy, seed: asked.seed });
  return { models, trainingWindows: training.length, judgedWindows: judged.length, summaries };
}
