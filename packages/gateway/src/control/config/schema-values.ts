import { z } from "zod";
import { Secret } from "#domain/secret";
import {
  durationPattern,
  moneyPattern,
  parseAge,
  parseDiskSize,
  parseDuration,
  parseMoney,
  parseSize,
  sizePattern,
} from "./units.ts";
import type { Parsed } from "./units.ts";

interface Measure {
  readonly parse: (text: string) => Parsed;
  readonly expected: string;
  readonly pattern: string;
}

const durations: Measure = {
  parse: parseDuration,
  expected: "a duration with its unit, such as 10s",
  pattern: durationPattern,
};
const ages: Measure = { ...durations, parse: parseAge, expected: "a duration with its unit, such as 90d" };
const sizes: Measure = { parse: parseSize, expected: "a size with its unit, such as 4MiB", pattern: sizePattern };
const diskSizes: Measure = { ...sizes, parse: parseDiskSize };
const amounts: Measure = { parse: parseMoney, expected: "an amount such as 3usd", pattern: moneyPattern };

/** A number with its unit, read from text. What is said of it stands on the text, for the JSON Schema shows that. */
function measured({ parse, expected, pattern }: Measure, words: About = {}) {
  return z
    .string({ error: () => `expected ${expected}` })
    .meta({ pattern, ...words })
    .transform((text, context) => {
      const parsed = parse(text);
      if (parsed.kind === "parsed") return parsed.value;
      context.issues.push({ code: "custom", message: parsed.why, input: text });
      return z.NEVER;
    });
}

export const duration = (description: string, byDefault: string) =>
  measured(durations, about(description, byDefault)).exactOptional();

/** How long something is kept: days and years, where nobody waits. */
export const age = (description: string, byDefault: string) =>
  measured(ages, about(description, byDefault)).exactOptional();

/** The same, without a default. */
export const ageText = (description: string) => measured(ages, { description });

/** A duration that stands among other values. */
export const durationText = (description: string) => measured(durations, { description });

export const size = (description: string, byDefault: string) =>
  measured(sizes, about(description, byDefault)).exactOptional();

/** What files may have of a disk, where {@link size} is of what is held in memory. */
export const diskSize = (description: string, byDefault: string) =>
  measured(diskSizes, about(description, byDefault)).exactOptional();

/** One that makes no sense beyond a bound: so many MiB. */
export const sizeWithin = (description: string, byDefault: string, mostMib: number) =>
  measured(sizes, about(description, byDefault))
    .refine((bytes) => bytes <= mostMib * 1024 * 1024, `expected at most ${mostMib}MiB`)
    .exactOptional();

/** Nano-dollars from `3usd`, or from a plain number of dollars. */
export const money = (description: string) =>
  z
    .union([
      measured(amounts),
      z
        .number()
        .min(0)
        .max(1_000_000)
        .transform((dollars) => Math.round(dollars * 1_000_000_000)),
    ])
    .meta({ description })
    .exactOptional();

export const count = (description: string, range: { min: number; max: number; byDefault?: number }) =>
  z.int().min(range.min).max(range.max).meta(about(description, range.byDefault)).exactOptional();

/** Names appear in headers, records and paths. A provider's ends at the first slash of `provider/model`. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/u;
const nameRule =
  "a name begins with a letter or digit and has at most 64 letters, digits, dots, dashes and underscores";

export const name = z.string().regex(namePattern, nameRule);

export const word = z.string().min(1).max(200);

export const text = (description: string) => z.string().min(1).max(200).meta({ description }).exactOptional();

export const secretText = (description: string) =>
  z
    .string()
    .min(1, "a secret must not be empty")
    .meta({ description })
    .transform((value) => new Secret(value));

export const flag = (description: string) => z.boolean().meta({ description }).exactOptional();

// A type, not an interface: only a type fits zod's open-ended metadata.
type About = { readonly description?: string; readonly default?: string | number };

export function about(description: string, byDefault?: string | number): About {
  return byDefault === undefined ? { description } : { description, default: byDefault };
}

export const seconds = (ms: number) => `${ms / 1000}s`;
export const mebibytes = (bytes: number) => (bytes < 1024 ** 2 ? `${bytes / 1024}KiB` : `${bytes / 1024 ** 2}MiB`);
