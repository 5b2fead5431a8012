import { goalLine } from "./goal.ts";
import { generate } from "./load.ts";
import { generateOpen, quantile, type OpenResult } from "./open-loop.ts";
import { failedNotes, figure, type Figure, type WorkloadReport } from "./report.ts";
import { chatBody } from "./saturation.ts";
import type { Subject } from "./subjects.ts";

interface Wish {
  readonly upstream: Subject;
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly seconds: number;
}

const quantiles = [
  ["p50", 0.5],
  ["p99", 0.99],
  ["p99.9", 0.999],
] as const;

/**
 * Calls at half of what the slowest subject takes, sent when they are due: what each adds to the provider's own latency,
 * quantile for quantile of the same round.
 */
export async function halfLoad({ upstream, subjects, rounds, seconds }: Wish): Promise<WorkloadReport> {
  const body = chatBody(false, 1024);
  const path = "/v1/chat/completions";
  const load = ({ url, headers = {} }: Subject) => ({ url, headers, path, body });
  const rates: number[] = [];
  for (const subject of subjects) {
    const requests = Math.round(600 * seconds);
    await generate({ ...load(subject), requests: requests * 2, connections: 64 });
    const { seconds: took } = await generate({ ...load(subject), requests, connections: 64 });
    rates.push(requests / took);
  }
  const perSecond = Math.floor(Math.min(...rates) / 2);
  const all = [{ ...upstream, name: "no gateway" }, ...subjects];
  const results = new Map<string, OpenResult[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of all) {
      results.get(subject.name)?.push(await generateOpen({ ...load(subject), perSecond, seconds }));
    }
  }
  const direct = results.get("no gateway") ?? [];
  const rows = all.map(({ name }) => ({ subject: name, figures: figuresOf(results.get(name) ?? [], direct) }));
  const late = figure(direct.map(({ latenessMs }) => quantile(latenessMs, 0.99)));
  const cores = figure([...results.values()].flat().map(({ generatorCores }) => generatorCores));
  return {
    workload: "half load",
    how: `${rounds} interleaved rounds of ${seconds} s at ${perSecond} calls/s of 1 KB, open loop, timed from when each was due`,
    rows,
    notes: [
      `half of the slowest subject's ${Math.min(...rates).toFixed(0)} calls/s; the generator sent 99 % within ${late.median.toFixed(2)} ms of their time and used ${cores.median.toFixed(2)} of a core`,
      goalLine(
        "hedgerow's added p99, ms,",
        rows.find(({ subject }) => subject === "hedgerow")?.figures["added p99 ms"],
        2,
      ),
      ...failedNotes(results, "requests"),
    ],
  };
}

function figuresOf(own: readonly OpenResult[], direct: readonly OpenResult[]): Readonly<Record<string, Figure>> {
  return Object.fromEntries(
    quantiles.flatMap(([name, q]) => {
      const values = own.map(({ latenciesMs }) => quantile(latenciesMs, q));
      const added = values.map((value, at) => value - quantile(direct[at]?.latenciesMs ?? [], q));
      return [
        [`${name} ms`, figure(values)],
        [`added ${name} ms`, figure(added)],
      ];
    }),
  );
}
