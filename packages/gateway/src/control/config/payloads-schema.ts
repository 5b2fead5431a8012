import { z } from "zod";
import { about, age, diskSize, mebibytes, sizeWithin } from "./schema-values.ts";

export const defaultPayloadBytes = 64 * 1024;
export const defaultPayloadsBytes = 1024 ** 3;
/**
 * A file has an eighth of the whole, and a line more. A line holds a request and an answer, six bytes for one where that is a
 * control character: so what is newest always has its place.
 */
export const leastPayloadParts = 32;
export const leastPayloadsBytes = 1024 ** 2;
export const defaultPayloadsKeepMs = 7 * 86_400_000;

export const payloadsSection = z
  .strictObject({
    sample: z.number().min(0).max(1).meta(about("The share of calls that are kept: 0.01 is one in a hundred.")),
    maxBytes: sizeWithin(
      "Of a request, and of an answer, at most 1MiB; what is longer is cut.",
      mebibytes(defaultPayloadBytes),
      1,
    ),
    keep: age("How long files are kept after their last line.", "7d"),
    maxTotal: diskSize(
      "Of all files, from 1MiB (and 32 times `maxBytes`) to 1024GiB; beyond it the oldest leave.",
      mebibytes(defaultPayloadsBytes),
    ),
  })
  .meta({
    description: "Keeps what some callers asked and were given, apart from the ledger. See docs/payloads.md.",
  })
  .exactOptional();
