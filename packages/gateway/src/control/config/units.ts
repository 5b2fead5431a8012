/** A value read from a configuration's text, or in words why it cannot be read. */
export type Parsed =
  | { readonly kind: "parsed"; readonly value: number }
  | { readonly kind: "refused"; readonly why: string };

const durationUnitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Longer waits are mistakes, and Node's timers end at 24.8 days. */
const longestDurationMs = 7 * 86_400_000;
/** Ten years: as long as anybody has to keep books. */
const longestAgeMs = 3_653 * 86_400_000;
const largestSizeBytes = 1024 ** 3;
/** Of a disk: nothing of ours is worth more. */
const largestDiskBytes = 1024 ** 4;
const nanoPerUsd = 1_000_000_000;
/** Above it, nano-dollars would leave the integers a double holds exactly. */
const mostUsd = 1_000_000;

export const durationPattern = String.raw`^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$`;
export const sizePattern = String.raw`^[0-9]+(\.[0-9]+)?(B|KB|MB|GB|KiB|MiB|GiB)$`;
export const moneyPattern = String.raw`^[0-9]+(\.[0-9]{1,9})?usd$`;

/** `250ms`, `10s`, `1.5m`, `1h`, `7d`: whole milliseconds, at least one. */
export function parseDuration(text: string): Parsed {
  const parsed = parseTime(text);
  if (parsed.kind === "parsed" && parsed.value > longestDurationMs) return refused("a duration can be at most 7d");
  return parsed;
}

/** How old something may be, `90d`: the same, up to ten years, for nobody waits so long. */
export function parseAge(text: string): Parsed {
  const parsed = parseTime(text);
  if (parsed.kind === "parsed" && parsed.value > longestAgeMs) return refused("it can be at most 3653d, ten years");
  return parsed;
}

function parseTime(text: string): Parsed {
  const match = new RegExp(durationPattern, "u").exec(text);
  const unitMs = durationUnitsMs[match?.[2] ?? ""];
  if (match === null || unitMs === undefined) {
    return refused("expected a duration with its unit, such as 250ms, 10s, 5m, 1h or 2d");
  }
  const value = Math.round(Number.parseFloat(text) * unitMs);
  if (value < 1) return refused("a duration must be at least 1ms");
  return { kind: "parsed", value };
}

/** `64KiB`, `4MiB`, `500KB`: whole bytes, at least one. */
export function parseSize(text: string): Parsed {
  const parsed = parseBytes(text);
  if (parsed.kind === "parsed" && parsed.value > largestSizeBytes) return refused("a size can be at most 1GiB");
  return parsed;
}

/** The same of a disk, where nothing has to fit into memory: up to 1024GiB. */
export function parseDiskSize(text: string): Parsed {
  const parsed = parseBytes(text);
  if (parsed.kind === "parsed" && parsed.value > largestDiskBytes) return refused("it can be at most 1024GiB");
  return parsed;
}

function parseBytes(text: string): Parsed {
  const match = new RegExp(sizePattern, "u").exec(text);
  const unitBytes = sizeUnits[match?.[2] ?? ""];
  if (match === null || unitBytes === undefined) {
    return refused("expected a size with its unit, such as 64KiB, 4MiB or 1GB");
  }
  const value = Math.round(Number.parseFloat(text) * unitBytes);
  if (value < 1) return refused("a size must be at least 1B");
  return { kind: "parsed", value };
}

/** `5usd`, `0.25usd`: integer nano-dollars, exact to the ninth decimal. */
export function parseMoney(text: string): Parsed {
  const match = /^([0-9]+)(?:\.([0-9]{1,9}))?usd$/u.exec(text);
  if (match === null) return refused("expected an amount of US dollars such as 5usd or 0.25usd");
  const value = Number(match[1]) * nanoPerUsd + Number((match[2] ?? "").padEnd(9, "0"));
  if (value > mostUsd * nanoPerUsd) return refused(`an amount can be at most ${mostUsd}usd`);
  return { kind: "parsed", value };
}

function refused(why: string): Parsed {
  return { kind: "refused", why };
}
