import type { ResponseFormat } from "@hedgerow/client";

export type Fault = "overheating" | "voltage-sag" | "oil-pressure-drop" | "sensor-stuck" | "sensor-drift";

/** What a model says of a batch. All three are words of a list: prose would differ each time, and could not be compared. */
export interface Verdict {
  readonly verdict: "nominal" | "anomaly";
  readonly component: string;
  readonly reason: string;
}

const nominal: Verdict = { verdict: "nominal", component: "none", reason: "within_limits" };

const anomalies: Readonly<Record<Fault, Verdict>> = {
  overheating: { verdict: "anomaly", component: "cooling", reason: "temperature_high" },
  "voltage-sag": { verdict: "anomaly", component: "battery", reason: "voltage_low" },
  "oil-pressure-drop": { verdict: "anomaly", component: "lubrication", reason: "pressure_low" },
  "sensor-stuck": { verdict: "anomaly", component: "speed_sensor", reason: "value_stuck" },
  "sensor-drift": { verdict: "anomaly", component: "intake_sensor", reason: "value_drifting" },
};

/** The right verdict on a fault, or on none. */
export function reasonOf(fault: Fault | undefined): Verdict {
  return fault === undefined ? nominal : anomalies[fault];
}

const all = [nominal, ...Object.values(anomalies)];

export const verdictFormat: ResponseFormat = {
  type: "json_schema",
  json_schema: {
    name: "verdict",
    strict: true,
    schema: {
      type: "object",
      properties: {
        verdict: { type: "string", enum: ["nominal", "anomaly"] },
        component: { type: "string", enum: all.map(({ component }) => component) },
        reason: { type: "string", enum: all.map(({ reason }) => reason) },
      },
      required: ["verdict", "component", "reason"],
      additionalProperties: false,
    },
  },
};

export const instructions = `You watch a vehicle. Judge one batch of telemetry, a sample every ten seconds.
Of a sound vehicle: coolant_c stays below 108; battery_v above 12.6; oil_kpa above 150; speed_kmh follows rpm and never
stands still to the tenth for more than four samples while driving; intake_c stays within 6 of where it began. Single
samples beyond a limit are noise. Answer with the verdict, the component, and the reason; of a sound vehicle none and
within_limits.`;

/** Undefined where the text is none of them. */
export function readVerdict(text: string): Verdict | undefined {
  try {
    const { verdict, component, reason } = JSON.parse(text) as Verdict;
    return all.find((each) => each.verdict === verdict && each.component === component && each.reason === reason);
  } catch {
    return undefined;
  }
}

export function isSame(one: Verdict | undefined, other: Verdict): boolean {
  return one?.verdict === other.verdict && one.component === other.component && one.reason === other.reason;
}

/** `anomaly: cooling` */
export function shown({ verdict, component }: Verdict): string {
  return verdict === "nominal" ? verdict : `${verdict}: ${component}`;
}
