import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import { nearestNames } from "#catalogue/catalogue";
import { UsageError } from "./command.ts";

export interface CommandLineShape<Options extends ParseArgsOptionsConfig> {
  readonly options: Options;
  /** How many words without a dash there may be. */
  readonly words: { readonly least: number; readonly most: number; readonly what: string };
}

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Options; allowPositionals: true; strict: true }>
>["values"];

/** Reads a command's words. Throws {@link UsageError} with what to write instead. */
export function readCommandLine<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  shape: CommandLineShape<Options>,
): { readonly values: Values<Options>; readonly words: readonly string[] } {
  const { options, words } = shape;
  const read = parse(args, options);
  const count = read.positionals.length;
  if (count < words.least) throw new UsageError(`${words.what} is missing`);
  if (count > words.most) throw new UsageError(`unexpected ${JSON.stringify(read.positionals[words.most])}`);
  return { values: read.values, words: read.positionals };
}

function parse<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    const written = /^Unknown option '(-[^']*)'/u.exec((error as Error).message)?.[1];
    if (written === undefined) throw new UsageError((error as Error).message.split("\n", 1)[0] ?? "wrong options");
    // Without the dashes, which all have in common: they would make any short word look like any other.
    const [near] = nearestNames(written.replace(/^-+/u, ""), Object.keys(options), 1);
    const hint = near === undefined ? `options: ${known.join(", ")}` : `did you mean --${near}?`;
    throw new UsageError(`unknown option ${written}; ${hint}`);
  }
}

/** A whole number within bounds, from an option's text. */
export function wholeNumber(
  option: string,
  text: string,
  range: { readonly min: number; readonly max: number },
): number {
  const value = /^[0-9]{1,15}$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw new UsageError(`${option} takes a whole number from ${range.min} to ${range.max}, not ${JSON.stringify(text)}`);
}

/** A number from 0 to 1, from an option's text. */
export function fraction(option: string, text: string): number {
  const value = /^(?:0|1|0?\.[0-9]+|[01]\.[0-9]+)$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new UsageError(`${option} takes a number from 0 to 1, not ${JSON.stringify(text)}`);
}
