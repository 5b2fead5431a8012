import { resolve } from "node:path";
import { seedSupply } from "#control/config/open-supply";
import type { OutageReplay } from "#simulation/outages/play-models";
import { poissonArrivals, readArrivals, type Arrivals } from "#simulation/outages/arrivals";
import { policies } from "#simulation/outages/policies";
import { readOutages } from "#simulation/outages/read-outages";
import { replayInThreads } from "#simulation/outages/replay-outages";
import { seededChance } from "#simulation/outages/seeded-chance";
import { cascadesUsage, replayCascades } from "#cli/cascades/replay-cascades";
import { UsageError, type Command, type CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { goalLines, summaryTable } from "#cli/outage-text";
import { progressBar } from "#cli/progress-bar";
import { terminalLine } from "#cli/terminal-text";

const defaults = { seed: 1, trainingDays: 18, judgedDays: 10_000, callsPerWindow: 200 };

/** Each has its own copy of the data. */
const mostThreads = 64;

const usage = `${cascadesUsage}
Usage: hedgerow replay outages --data DIR [--trace FILE] [--seed N] [--json]

Plays measured outages against this gateway's own planner and health code, under several policies, and says how many
calls fail with one backup. Policies are chosen on the first days and judged on the rest, over every model that
companies of at least two names run. A call at a moment to an endpoint succeeds with the measured chance.

      --data DIR           endpoints.csv (ep,model,operator,tag), polls.csv (poll,ts) and up30m.csv[.gz] (a row for each
                           poll, a column for each endpoint: percent of the last half hour's calls; empty: no data)
      --trace FILE         when calls come: CSV with TIMESTAMP, or JSON lines with timestamp (.gz or not), played faster
                           or slower to the rate of --calls (default: independent calls from the seed)
      --seed N             of all chance (default ${defaults.seed})
      --calls N            calls for each model in half an hour (default ${defaults.callsPerWindow})
      --training-days N    days to choose on (default ${defaults.trainingDays})
      --judged-days N      most days to judge on (default: the rest)
      --policy NAME        only this policy; may stand several times (default: all)
      --threads N          models played at once (default: one for each core); what comes out is the same
      --json               one JSON object

Exit code 1 where the data cannot be read or hold nothing to judge.
`;

export const replay: Command = {
  name: "replay",
  summary: "measured outages against the planner, stored answers against the gate",
  usage,
  run(args, io) {
    if (args.includes("cascades")) return replayCascades(args, io);
    const { values, words } = readCommandLine(args, {
      options: {
        data: { type: "string" },
        trace: { type: "string" },
        seed: { type: "string" },
        calls: { type: "string" },
        "training-days": { type: "string" },
        "judged-days": { type: "string" },
        threads: { type: "string" },
        policy: { type: "string", multiple: true },
        json: { type: "boolean" },
      },
      words: { least: 1, most: 1, what: "what to replay (outages or cascades)" },
    });
    if (words[0] !== "outages")
      throw new UsageError(`there is no replay of ${JSON.stringify(words[0])}, only outages and cascades`);
    if (values.data === undefined) throw new UsageError("--data DIR is missing");
    const number = (
      option: "seed" | "calls" | "training-days" | "judged-days" | "threads",
      usual: number,
      max: number,
    ) => {
      const text = values[option];
      return text === undefined ? usual : wholeNumber(`--${option}`, text, { min: 1, max });
    };
    const asked = {
      seed: number("seed", defaults.seed, 2 ** 31),
      callsPerWindow: number("calls", defaults.callsPerWindow, 100_000),
      trainingDays: number("training-days", defaults.trainingDays, 10_000),
      judgedDays: number("judged-days", defaults.judgedDays, 10_000),
      ...(values.policy === undefined ? {} : { only: policyNames(values.policy) }),
    };
    const threads = values.threads === undefined ? undefined : number("threads", 1, mostThreads);
    const paths = { data: resolve(io.cwd, values.data), trace: values.trace && resolve(io.cwd, values.trace) };
    return run({ asked, paths, threads, json: values.json === true }, io);
  },
};

interface Asked {
  readonly asked: Pick<OutageReplay, "seed" | "callsPerWindow" | "trainingDays" | "judgedDays" | "only">;
  readonly paths: { readonly data: string; readonly trace: string | undefined };
  readonly threads: number | undefined;
  readonly json: boolean;
}

async function run({ asked, paths, threads, json }: Asked, io: CommandIo): Promise<number> {
  const read = readOutages(paths.data);
  if (read.kind === "unreadable") return refuse(read.why, io);
  const arrivals = arrivalsFrom(paths.trace, asked.seed);
  if (typeof arrivals === "string") return refuse(arrivals, io);
  let bar: ReturnType<typeof progressBar> | undefined;
  const report = await replayInThreads(
    { ...asked, outages: read.outages, supply: seedSupply(), arrivals },
    {
      ...(threads === undefined ? {} : { threads }),
      onStep: (what, steps) => (bar ??= progressBar(steps, io)).step(what),
    },
  );
  bar?.done();
  if (report.models === 0) {
    return refuse(
      "no model there has two operating parents and data on both sides of the split; see --training-days",
      io,
    );
  }
  if (json) io.stdout(`${JSON.stringify({ ...asked, ...report }, null, 2)}\n`);
  else {
    const { models, trainingWindows, judgedWindows, summaries } = report;
    io.stdout(
      `${models} models; chosen on ${trainingWindows} half hours, judged on ${judgedWindows}; ` +
        `${asked.callsPerWindow} calls a half hour and model, 2 tries a call, seed ${asked.seed}\n\n`,
    );
    io.stdout(summaryTable(summaries));
    io.stdout(`\n${goalLines(summaries).join("\n")}\n`);
  }
  return 0;
}

function policyNames(written: readonly string[]): readonly string[] {
  const names = policies.map(({ name }) => name);
  const strange = written.find((name) => !names.includes(name));
  if (strange === undefined) return written;
  throw new UsageError(`there is no policy ${JSON.stringify(strange)}, only ${names.join("; ")}`);
}

function arrivalsFrom(trace: string | undefined, seed: number): Arrivals | string {
  if (trace === undefined) return poissonArrivals(seededChance(seed));
  const read = readArrivals(trace);
  return read.kind === "read" ? read.arrivals : read.why;
}

function refuse(why: string, io: CommandIo): number {
  io.stderr(`hedgerow replay: ${terminalLine(why)}\n`);
  return 1;
}
