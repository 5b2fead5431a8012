import { z } from "zod";
import type { Capabilities } from "#domain/model";
import { readDataFile, type DataFileRead } from "./data-file.ts";

/** The file's name inside the data folder. */
export const capabilityFile = "capabilities.json";

/**
 * `pass`: works. `lossy`: answered, but something was lost or is uncertain. `fail`: does not work. `untried`: what it
 * builds on failed, or the target could not be reached.
 */
const featureResults = ["pass", "lossy", "fail", "untried"] as const;

export type FeatureResult = (typeof featureResults)[number];

const feature = z.strictObject({ result: z.enum(featureResults), evidence: z.string() });
const probed = z.strictObject({
  /** When it was tried: ISO 8601. */
  at: z.string(),
  /** The languages it was asked in. */
  languages: z.array(z.string()),
  features: z.record(z.string(), feature),
});
const file = z.strictObject({
  format: z.literal(1),
  about: z.string(),
  targets: z.record(z.string(), probed),
});

export type ProbedFeature = z.infer<typeof feature>;
export type ProbedTarget = z.infer<typeof probed>;
export type CapabilityFile = z.infer<typeof file>;

export const emptyCapabilityFile: CapabilityFile = {
  format: 1,
  about: "What `hedgerow probe` found each target able to do. The gateway reads it at start and on every reload.",
  targets: {},
};

export function readCapabilityFile(path: string): DataFileRead<CapabilityFile> {
  return readDataFile(path, file);
}

/** What was found of a target, where it says more than the catalogue: only what was tried and is beyond doubt. */
export function probedCapabilities({ features }: ProbedTarget): Capabilities {
  const found = (name: string): boolean | undefined => {
    const result = features[name]?.result;
    if (result === "pass") return true;
    return result === "fail" ? false : undefined;
  };
  const tools = found("tool");
  const structuredOutput = found("json-schema");
  const sampling = found("temperature");
  return {
    ...(tools === undefined ? {} : { tools }),
    ...(structuredOutput === undefined ? {} : { structuredOutput }),
    ...(sampling === undefined ? {} : { sampling }),
  };
}
