import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chatBody, saturate, type Saturation } from "./saturation.ts";
import { endAll, setUpstream, startBareRelay, startHedgerow, startUpstream, type HedgerowOptions } from "./subjects.ts";

/** What a lane cost when the baseline was taken, in bare relays of the same run; the middle of several runs. */
export type Baseline = Readonly<Record<string, number>>;

export interface LaneRatio {
  readonly lane: string;
  /** Processor time of worker and supervisor to the bare relay's, the best round of all. */
  readonly best: number;
}

export interface Verdict extends LaneRatio {
  readonly baseline: number | undefined;
  readonly right: boolean;
}

/** How much worse than the baseline a lane's best round may be. */
const tolerance = 1.15;
/** A machine that is busy with something else gets another chance. */
const tries = 3;
const rounds = 4;

export const lanes: readonly Saturation[] = [
  { name: "1 KB, whole", requests: 3000, body: chatBody(false, 1024) },
  { name: "64-chunk stream", requests: 1000, body: chatBody(true, 1024), chunks: 64 },
  { name: "800 KB, whole", requests: 120, body: chatBody(false, 800 * 1024) },
];

const file = fileURLToPath(new URL("baseline.json", import.meta.url));

export function readBaseline(): Baseline {
  return JSON.parse(readFileSync(file, "utf8")) as Baseline;
}

/** A lane without a baseline is right: it is new. */
export function judge({ lane, best }: LaneRatio, baseline: Baseline): Verdict {
  const was = baseline[lane];
  return { lane, best, baseline: was, right: was === undefined || best <= was * tolerance };
}

/** The gateway beside the bare relay, round by round. */
export async function measureLane(lane: Saturation, options: HedgerowOptions = {}): Promise<readonly number[]> {
  const upstream = await startUpstream();
  const subjects = [await startBareRelay(upstream), await startHedgerow(upstream, { ...options, fromSource: true })];
  try {
    await setUpstream(upstream, { chunks: lane.chunks ?? 64 });
    const { rows } = await saturate(lane, subjects, { rounds, connections: 64 });
    const row = rows.find(({ subject }) => subject.endsWith("worker and supervisor"));
    const ratio = row?.figures["ratio to the bare relay"];
    if (ratio === undefined) throw new Error("the gateway was not measured");
    return [ratio.least, ratio.median];
  } finally {
    await endAll([...subjects, upstream]);
  }
}

/** Whether every lane costs what it did, or nearly; one that does not is looked at again. */
export async function guard(baseline: Baseline, say: (line: string) => void): Promise<boolean> {
  let right = true;
  for (const lane of lanes) {
    let verdict: Verdict | undefined;
    for (let time = 0; time < tries && verdict?.right !== true; time += 1) {
      const [least = Number.NaN] = await measureLane(lane);
      verdict = judge({ lane: lane.name, best: Math.min(least, verdict?.best ?? Number.POSITIVE_INFINITY) }, baseline);
      const { best, baseline: was } = verdict;
      say(
        `${lane.name}: ${best.toFixed(2)} bare relays, baseline ${was?.toFixed(2) ?? "none"}${verdict.right ? "" : ": worse"}`,
      );
    }
    right &&= verdict?.right === true;
  }
  return right;
}

/** Takes the baseline anew: of each lane the middle of the middles of three runs. */
export async function takeBaseline(say: (line: string) => void): Promise<void> {
  const taken: Record<string, number> = {};
  for (const lane of lanes) {
    const medians: number[] = [];
    for (let run = 0; run < 3; run += 1) medians.push((await measureLane(lane))[1] ?? Number.NaN);
    taken[lane.name] = Math.round((medians.toSorted((a, b) => a - b)[1] ?? Number.NaN) * 100) / 100;
    say(`${lane.name}: ${medians.map((each) => each.toFixed(2)).join(", ")}`);
  }
  writeFileSync(file, `${JSON.stringify(taken, null, 2)}\n`);
}
