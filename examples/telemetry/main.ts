import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Hedgerow } from "@hedgerow/client";
import { runCommand, startGateway } from "./gateway.ts";
import { judgeBatch, judgeBatches, type Outcome } from "./judge-batch.ts";
import { outcomeTable, summary, tallyOf, type Costs } from "./printed.ts";
import { startSimulatedVendors, type SimulatedVendors } from "./simulated-vendors.ts";
import { makeBatches } from "./telemetry.ts";
import { isSame, readVerdict, shown } from "./verdict.ts";

const usage = `Usage: npm run example -- [--batches N] [--seed N] [--data FOLDER] [--simulated] [--compare]

Judges batches of vehicle telemetry with two rival models, and leaves to a person what neither is sure of.

      --batches N     how many, 1 to 500 (default 50)
      --seed N        other batches (default 7)
      --data FOLDER   the gateway's data, kept; without it a temporary folder is used and removed
      --simulated     simulated vendors, though XAI_API_KEY and ANTHROPIC_API_KEY are set
      --compare       with real vendors, too: ask the second model alone about all batches (costs as much again)
`;

interface Wishes {
  readonly batches: number;
  readonly seed: number;
  readonly data: string | undefined;
  readonly simulated: boolean;
  readonly compare: boolean;
}

const print = (text = ""): void => void process.stdout.write(`${text}\n`);

/** Everything that is open is closed in the end, whatever happened. */
class Opened {
  readonly #closing: (() => unknown)[] = [];
  #closed: Promise<void> | undefined;

  /** Throws an Error where all is closed already: who was interrupted opens nothing more. */
  add<T extends AsyncDisposable>(thing: T): T {
    this.onClose(() => thing[Symbol.asyncDispose]());
    return thing;
  }

  onClose(close: () => unknown): void {
    if (this.#closed !== undefined) {
      void close();
      throw new Error("interrupted");
    }
    this.#closing.push(close);
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** The last first. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close();
  }
}

async function run(wishes: Wishes, opened: Opened): Promise<void> {
  const startedMs = performance.now();
  const vendors = areReal(wishes) ? undefined : opened.add(await startSimulatedVendors());
  const data = dataFolder(wishes, opened);
  const environment = { ...process.env, ...vendors?.environment };
  const url = await opened.add(startGateway({ data, environment })).url;
  const hedgerow = new Hedgerow({ baseURL: url });
  introduce(vendors, url);

  const batches = makeBatches(wishes.batches, wishes.seed);
  const outcomes = await judgeBatches(batches, (batch) => judgeBatch(hedgerow, batch));
  const isCompared = vendors !== undefined || wishes.compare;
  const alone = isCompared
    ? await judgeBatches(batches, (batch) => judgeBatch(hedgerow, batch, "anthropic/claude-sonnet-5"))
    : undefined;
  const costs = await costsOf(data, [...outcomes, ...(alone ?? [])]);
  print(outcomeTable(outcomes, costs));
  print();
  print(summary(tallyOf(outcomes, costs), alone && tallyOf(alone, costs)));

  await showReview(hedgerow, outcomes, data);
  await giveFeedback(hedgerow, outcomes);
  print();
  print(`Done in ${((performance.now() - startedMs) / 1000).toFixed(0)} s. Next:`);
  for (const line of nextSteps(wishes, vendors)) print(`  ${line}`);
}

function areReal({ simulated }: Wishes): boolean {
  const keys = [process.env["XAI_API_KEY"], process.env["ANTHROPIC_API_KEY"]];
  return !simulated && keys.every((key = "") => key.trim() !== "");
}

function dataFolder({ data }: Wishes, opened: Opened): string {
  // As npm was called, not where npm runs scripts.
  if (data !== undefined) return resolve(process.env["INIT_CWD"] ?? process.cwd(), data);
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-telemetry-"));
  opened.onClose(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return folder;
}

function introduce(vendors: SimulatedVendors | undefined, url: string): void {
  print(
    vendors === undefined
      ? "xAI and Anthropic answer, with your keys and at your cost."
      : "Simulated vendors answer, not language models: XAI_API_KEY and ANTHROPIC_API_KEY are not both set, or not wanted.\n" +
          "All else is as with real ones: the gateway, its route, this program.",
  );
  print(`The gateway runs on ${url} with examples/telemetry/hedgerow.yaml.`);
  print();
}

const recordedWithinMs = 15_000;

/** From the gateway's records, because a refused call costs money too, which its error does not tell. */
async function costsOf(data: string, outcomes: readonly Outcome[]): Promise<Costs> {
  const wanted = outcomes.flatMap(({ requestId }) => requestId ?? []);
  const untilMs = performance.now() + recordedWithinMs;
  for (;;) {
    const costs = existsSync(join(data, "hedgerow.sqlite")) ? readCosts(data) : new Map<string, number>();
    if (wanted.every((id) => costs.has(id)) || performance.now() > untilMs) return costs;
    await delay(500);
  }
}

function readCosts(data: string): Costs {
  const { calls } = JSON.parse(runCommand(["report", "calls", "--limit", "1000", "--json", "--data", data])) as {
    readonly calls: readonly { readonly id: string; readonly costNanoUsd?: number }[];
  };
  return new Map(calls.flatMap(({ id, costNanoUsd }) => (costNanoUsd === undefined ? [] : [[id, costNanoUsd / 1e9]])));
}

/** One of them from the caller's wait to its end; the reviewer is played by who made the batches and knows. */
async function showReview(hedgerow: Hedgerow, outcomes: readonly Outcome[], data: string): Promise<void> {
  const left = outcomes.filter(({ reviewId }) => reviewId !== undefined);
  const [first] = left;
  if (first?.reviewId === undefined) return;
  const id = first.reviewId;
  print();
  print(`$ hedgerow review show ${id}`);
  print(runCommand(["review", "show", id, "--data", data]).trimEnd());
  print();
  const waiting = hedgerow.reviews.wait(id, { timeoutMs: 60_000 });
  const right = candidatesOf(id, data).find(({ text }) => isSame(readVerdict(text), first.batch.truth));
  const words = JSON.stringify(first.batch.truth);
  const answer = right === undefined ? ["--write", words] : ["--accept", right.target];
  print(`$ hedgerow review answer ${id} ${right === undefined ? `--write '${words}'` : answer.join(" ")} --by ann`);
  print(runCommand(["review", "answer", id, ...answer, "--by", "ann", "--data", data]).trimEnd());
  const { text, decision } = await waiting;
  print(
    `The caller, who waited with hedgerow.reviews.wait, has it: ${text} (${decision?.kind} by ${decision?.reviewer})`,
  );
  if (left.length > 1) print(`${left.length - 1} more wait: hedgerow review list`);
}

function candidatesOf(id: string, data: string): readonly { readonly target: string; readonly text: string }[] {
  const review = JSON.parse(runCommand(["review", "show", id, "--json", "--data", data])) as {
    readonly candidates: readonly { readonly target: string; readonly text: string }[];
  };
  return review.candidates;
}

/** Later somebody knows what was right: the gateway learns from it what its confidence is worth. */
async function giveFeedback(hedgerow: Hedgerow, outcomes: readonly Outcome[]): Promise<void> {
  let [right, wrong] = [0, 0];
  for (const { requestId, reviewId, verdict, batch } of outcomes) {
    if (requestId === undefined || reviewId !== undefined) continue;
    const correct = isSame(verdict, batch.truth);
    await hedgerow.feedback.create({ id: requestId, correct, note: `truth: ${shown(batch.truth)}` });
    if (correct) right += 1;
    else wrong += 1;
  }
  print();
  print(
    `Feedback sent with hedgerow.feedback.create: ${right} answers were right, ${wrong} wrong. The gateway learns from`,
  );
  print("it what a score is worth for just these models and this kind of answer.");
}

function nextSteps({ data }: Wishes, vendors: SimulatedVendors | undefined): readonly string[] {
  const folder = data ?? ".hedgerow/telemetry";
  const steps: readonly (readonly [string, string])[] = [
    ...(data === undefined
      ? [[`npm run example -- --data ${folder}`, "keeps what was recorded and learned, for"] as const]
      : []),
    [`npx hedgerow review list --data ${folder}`, "what still waits for a person"],
    [`npx hedgerow report confidence --data ${folder}`, "what the scores were worth"],
    ...(vendors === undefined
      ? []
      : [["export XAI_API_KEY=… ANTHROPIC_API_KEY=…", "asks real models the same"] as const]),
    ["examples/telemetry/README.md", "what is to be seen here"],
  ];
  const width = Math.max(...steps.map(([what]) => what.length));
  return steps.map(([what, why]) => `${what.padEnd(width)}  ${why}`);
}

function readWishes(): Wishes | string {
  try {
    const { values } = parseArgs({
      options: {
        batches: { type: "string", default: "50" },
        seed: { type: "string", default: "7" },
        data: { type: "string" },
        simulated: { type: "boolean", default: false },
        compare: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    const [batches, seed] = [Number(values.batches), Number(values.seed)];
    if (values.help) return usage;
    if (!Number.isInteger(batches) || batches < 1 || batches > 500) return "--batches takes 1 to 500";
    if (!Number.isInteger(seed) || seed < 0) return "--seed takes a whole number from 0 on";
    if (values.data === "") return "--data takes a folder";
    return { batches, seed, data: values.data, simulated: values.simulated, compare: values.compare };
  } catch (error) {
    return (error as Error).message;
  }
}

const wishes = readWishes();
if (typeof wishes === "string") {
  process.stderr.write(wishes === usage ? usage : `example: ${wishes}\n${usage}`);
  process.exitCode = wishes === usage ? 0 : 2;
} else {
  const opened = new Opened();
  const stopEarly = (): void => void opened.close().finally(() => process.exit(130));
  process.on("SIGINT", stopEarly).on("SIGTERM", stopEarly);
  try {
    await run(wishes, opened);
  } catch (error) {
    if (!opened.isClosed) process.stderr.write(`example: ${(error as Error).message}\n`);
    process.exitCode = 1;
  } finally {
    await opened.close();
  }
}
