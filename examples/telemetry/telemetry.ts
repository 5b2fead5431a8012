import { seededChance } from "#simulation/outages/seeded-chance";
import { reasonOf, type Fault, type Verdict } from "./verdict.ts";

/** Ten seconds of a vehicle. */
export interface Sample {
  readonly seconds: number;
  readonly coolantC: number;
  readonly batteryV: number;
  readonly oilKpa: number;
  readonly rpm: number;
  readonly speedKmh: number;
  readonly intakeC: number;
}

export interface Batch {
  readonly id: string;
  readonly samples: readonly Sample[];
  /** What was injected. Never sent to anybody. */
  readonly truth: Verdict;
  /** How plain the injected fault is, 0 (hardly there) to 1; 0 where there is none. */
  readonly severity: number;
}

const samplesPerBatch = 18;
const secondsPerSample = 10;
const faults: readonly Fault[] = ["overheating", "voltage-sag", "oil-pressure-drop", "sensor-stuck", "sensor-drift"];
const shareNominal = 0.4;

/** The same seed gives the same batches: two fifths are sound, the others have one fault each, from plain to hardly visible. */
export function makeBatches(count: number, seed: number): readonly Batch[] {
  const chance = seededChance(seed);
  return Array.from({ length: count }, (_, at) => {
    const fault = chance() < shareNominal ? undefined : faults[Math.floor(chance() * faults.length)];
    const severity = fault === undefined ? 0 : chance() ** 1.3;
    const sound = soundSamples(chance);
    return {
      id: `T-${String(at + 1).padStart(3, "0")}`,
      samples: fault === undefined ? sound : sound.map((sample, place) => injected(sample, { fault, severity, place })),
      truth: reasonOf(fault),
      severity,
    };
  });
}

function soundSamples(chance: () => number): readonly Sample[] {
  const noise = (width: number): number => (chance() + chance() + chance() - 1.5) * width;
  // Some vehicles run warm, or have an old battery, without being broken.
  const [warm, tired, pace] = [chance() * 9, chance() * 0.5, chance() * 6.3];
  return Array.from({ length: samplesPerBatch }, (_, at) => {
    const speedKmh = 62 + 22 * Math.sin(pace + at / 3) + noise(4);
    const rpm = 900 + speedKmh * 22 + noise(120);
    return {
      seconds: at * secondsPerSample,
      coolantC: 91 + warm + noise(3),
      batteryV: 13.9 - tired + noise(0.3),
      oilKpa: 190 + rpm / 25 + noise(25),
      rpm,
      speedKmh,
      intakeC: 27 + noise(2),
    };
  });
}

const faultBegins = 5;
const stuckAfterSlack = 11;

function injected(
  sample: Sample,
  { fault, severity, place }: { readonly fault: Fault; readonly severity: number; readonly place: number },
): Sample {
  const since = place - faultBegins;
  if (since < 0) return sample;
  const grown = Math.min(1, since / 6);
  switch (fault) {
    case "overheating":
      return { ...sample, coolantC: sample.coolantC + grown * (7 + 26 * severity) };
    case "voltage-sag":
      return { ...sample, batteryV: sample.batteryV - grown * (0.9 + 2.4 * severity) };
    case "oil-pressure-drop":
      return { ...sample, oilKpa: sample.oilKpa * (1 - grown * (0.2 + 0.6 * severity)) };
    case "sensor-stuck":
      // The plainer, the longer it stands still.
      return place < stuckAfterSlack - 6 * severity + 3 ? sample : { ...sample, speedKmh: 57.3 };
    case "sensor-drift":
      return { ...sample, intakeC: sample.intakeC + (since / 12) * (3 + 17 * severity) };
  }
}

/** As it is sent: a table with one line for each sample. */
export function tableOf(samples: readonly Sample[]): string {
  const lines = samples.map(({ seconds, coolantC, batteryV, oilKpa, rpm, speedKmh, intakeC }) =>
    [
      seconds,
      coolantC.toFixed(1),
      batteryV.toFixed(2),
      oilKpa.toFixed(0),
      rpm.toFixed(0),
      speedKmh.toFixed(1),
      intakeC.toFixed(1),
    ].join(","),
  );
  return ["seconds,coolant_c,battery_v,oil_kpa,rpm,speed_kmh,intake_c", ...lines].join("\n");
}

/** Reads the table back out of any text around it; undefined where there is none. */
export function readTable(text: string): readonly Sample[] | undefined {
  const samples = text.split("\n").flatMap((line) => {
    const values = line.split(",").map(Number);
    if (values.length !== 7 || values.some((value) => !Number.isFinite(value))) return [];
    const [seconds = 0, coolantC = 0, batteryV = 0, oilKpa = 0, rpm = 0, speedKmh = 0, intakeC = 0] = values;
    return [{ seconds, coolantC, batteryV, oilKpa, rpm, speedKmh, intakeC }];
  });
  return samples.length === 0 ? undefined : samples;
}
