import { createHash } from "node:crypto";
import { seededChance } from "#simulation/outages/seeded-chance";
import type { Behaviour } from "#simulation/behaviour";
import type { ReceivedRequest } from "#simulation/received-request";
import { startSimulator, type Simulator } from "#simulation/server";
import { readTable, type Sample } from "./telemetry.ts";
import { reasonOf, type Fault, type Verdict } from "./verdict.ts";

/** How well a simulated model reads a table. */
interface Eyes {
  /** Standard deviation of what it misjudges each measure by, in units of the measure's own noise. */
  readonly blur: number;
  /** Log-odds of its own certainty for one unit of distance from a limit. */
  readonly certainty: number;
  /** How often it is far surer than it has reason to be, as real models are. */
  readonly overconfident: number;
  readonly tellsLogprobs: boolean;
}

const models: Readonly<Record<"grok-4.6" | "claude-sonnet-5", Eyes>> = {
  "grok-4.6": { blur: 1.5, certainty: 2.6, overconfident: 0.08, tellsLogprobs: true },
  "claude-sonnet-5": { blur: 0.9, certainty: 5, overconfident: 0, tellsLogprobs: false },
};

export interface SimulatedVendors extends AsyncDisposable {
  /** What the configuration's variables are set to. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Two vendors on this machine. Their models see what real ones would: the prompt, and nothing else. They measure each
 * limit, misjudge it by chance (seeded by model and prompt: asked again they say the same), and are as sure as they are far from it.
 */
export async function startSimulatedVendors(): Promise<SimulatedVendors> {
  const vendors = await Promise.all([vendorOf("grok-4.6"), vendorOf("claude-sonnet-5")]);
  const [xai, anthropic] = vendors;
  return {
    environment: {
      XAI_API_KEY: "simulated-xai",
      ANTHROPIC_API_KEY: "simulated-anthropic",
      TELEMETRY_XAI_URL: `${xai.url}/v1`,
      TELEMETRY_ANTHROPIC_URL: `${anthropic.url}/v1`,
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(vendors.map((vendor) => vendor.close()));
    },
  };
}

function vendorOf(model: keyof typeof models): Promise<Simulator> {
  const script = {
    rules: [{ match: { model }, behaviour: (request: ReceivedRequest) => answerTo(request, models[model]) }],
    models: [model],
  };
  return startSimulator({ script });
}

const thinkingMs = 60;

function answerTo(request: ReceivedRequest, eyes: Eyes): Behaviour {
  const samples = readTable(request.lastUserText);
  if (samples === undefined) return { answer: { text: "There is no telemetry to judge." } };
  const opinion = opinionOf(samples, eyes, chanceOf(`${request.model}\n${request.lastUserText}`));
  const { verdict, component, reason } = opinion.verdict;
  // A token for each value and for what stands between, as a tokenizer would cut words of a list.
  const chunks = ['{"verdict":"', verdict, '","component":"', component, '","reason":"', reason, '"}'];
  const rest = 0.99999;
  const confidence = eyes.tellsLogprobs
    ? [rest, opinion.sure, rest, opinion.sureOfPart, rest, opinion.sureOfPart, rest]
    : ("untold" as const);
  return { delayMs: thinkingMs, answer: { chunks, confidence } };
}

interface Opinion {
  readonly verdict: Verdict;
  /** Probabilities, of the verdict and of component and reason. */
  readonly sure: number;
  readonly sureOfPart: number;
}

function opinionOf(samples: readonly Sample[], eyes: Eyes, chance: () => number): Opinion {
  const seen = distances(samples)
    .map(({ fault, beyond }) => ({ fault, beyond: beyond + eyes.blur * normal(chance) }))
    .toSorted((a, b) => b.beyond - a.beyond);
  const [worst, next] = seen;
  if (worst === undefined || next === undefined) throw new RangeError("there are at least two limits");
  const isAnomaly = worst.beyond > 0;
  const boost = chance() < eyes.overconfident ? 4 : 1;
  return {
    verdict: reasonOf(isAnomaly ? worst.fault : undefined),
    sure: probability(eyes.certainty * boost * Math.abs(worst.beyond)),
    sureOfPart: isAnomaly ? probability(eyes.certainty * boost * (worst.beyond - next.beyond)) : 0.9999,
  };
}

/** How far beyond its limit each measure is, in units of its noise; below 0: within. */
function distances(samples: readonly Sample[]): readonly { readonly fault: Fault; readonly beyond: number }[] {
  const late = samples.slice(-6);
  const mean = (of: (sample: Sample) => number, over = late): number =>
    over.reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, over.length);
  return [
    { fault: "overheating", beyond: (mean(({ coolantC }) => coolantC) - 104) / 2 },
    { fault: "voltage-sag", beyond: (13 - mean(({ batteryV }) => batteryV)) / 0.2 },
    { fault: "oil-pressure-drop", beyond: (205 - mean(({ oilKpa }) => oilKpa)) / 18 },
    { fault: "sensor-stuck", beyond: (longestStandstill(samples) - 4) / 0.7 },
    {
      fault: "sensor-drift",
      beyond: (mean(({ intakeC }) => intakeC) - mean(({ intakeC }) => intakeC, samples.slice(0, 6)) - 4) / 1.2,
    },
  ];
}

/** Samples in a row with one and the same speed. */
function longestStandstill(samples: readonly Sample[]): number {
  let longest = 1;
  let run = 1;
  for (const [at, { speedKmh }] of samples.entries()) {
    run = samples[at - 1]?.speedKmh === speedKmh ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

function chanceOf(text: string): () => number {
  return seededChance(createHash("sha256").update(text).digest().readUInt32LE(0));
}

/** Standard normal, by Box and Muller's transform. */
function normal(chance: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
}

function probability(logOdds: number): number {
  return Math.min(0.999_99, 1 / (1 + Math.exp(-logOdds)));
}
