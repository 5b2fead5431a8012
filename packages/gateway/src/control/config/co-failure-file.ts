import { z } from "zod";
import { readDataFile, type DataFileRead } from "./data-file.ts";

/** The file's name inside the data folder. */
export const coFailureFile = "co-failures.json";

/** Each ordered pair of some hundred targets; the ones with most events are kept. */
export const maxPairs = 5000;

const share = z.number().min(0).max(1);
const pair = z.strictObject({
  failed: z.string(),
  other: z.string(),
  beta: share,
  lo: share,
  hi: share,
  events: z.int().min(1),
  joint: z.int().min(0),
});
const file = z.strictObject({
  format: z.literal(1),
  about: z.string(),
  /** When it was measured, over what: ISO 8601. */
  at: z.string(),
  since: z.string(),
  pairs: z.array(pair).max(maxPairs),
});

export type CoFailureFile = z.infer<typeof file>;

export const aboutCoFailures =
  "How often one target takes another along, measured by `hedgerow supply measure`. The gateway reads it at start and on every reload.";

export function readCoFailureFile(path: string): DataFileRead<CoFailureFile> {
  return readDataFile(path, file);
}
