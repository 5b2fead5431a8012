/** Digits of a number that is compared by value: longer ones are identifiers, and compared as they are written. */
const maxDigits = 200;
/** Zeros that a number is written out with; beyond, it keeps an exponent. */
const maxWrittenOut = 40;

const decimal = /^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<part>\d*))?(?:[eE](?<exponent>[+-]?\d{1,9}))?$/u;

/**
 * One spelling for one value, exactly: `1.50`, `15e-1` and `+1.5` are `1.5`, and `12345678901234567890` keeps all its
 * digits. Undefined where the text is no decimal number.
 */
export function canonicalDecimal(text: string): string | undefined {
  const groups = decimal.exec(text)?.groups;
  if (groups === undefined || text.length > maxDigits) return undefined;
  const { sign = "", whole = "", part = "", exponent = "0" } = groups;
  if (whole === "" && part === "") return undefined;
  const all = (whole + part).replace(/^0+/u, "");
  const digits = all.replace(/0+$/u, "");
  if (digits === "") return "0";
  // The value is 0.DIGITS × 10^point.
  const point = all.length - part.length + Number(exponent);
  return (sign === "-" ? "-" : "") + writtenOut(digits, point);
}

function writtenOut(digits: string, point: number): string {
  if (point > digits.length + maxWrittenOut || point < -maxWrittenOut) return `${digits}e${point - digits.length}`;
  if (point <= 0) return `0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return digits + "0".repeat(point - digits.length);
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The value of a fraction: a decimal where it ends, else the fraction in lowest terms. Undefined without a value. */
export function canonicalFraction(numerator: string, denominator: string): string | undefined {
  if (numerator.length > maxWrittenOut || denominator.length > maxWrittenOut) return undefined;
  const negative = numerator.startsWith("-");
  let top = BigInt(numerator.replace(/^[+-]/u, ""));
  let bottom = BigInt(denominator);
  if (bottom === 0n) return undefined;
  const shared = greatestDivisor(top, bottom);
  top /= shared;
  bottom /= shared;
  const sign = negative && top !== 0n ? "-" : "";
  const places = decimalPlaces(bottom);
  if (places === undefined) return `${sign}${top}/${bottom}`;
  return canonicalDecimal(`${sign}${(top * 10n ** BigInt(places)) / bottom}e-${places}`);
}

/** After how many places a fraction in lowest terms ends; undefined where it does not. */
function decimalPlaces(denominator: bigint): number | undefined {
  let [rest, twos, fives] = [denominator, 0, 0];
  for (; rest % 2n === 0n; twos += 1) rest /= 2n;
  for (; rest % 5n === 0n; fives += 1) rest /= 5n;
  return rest === 1n ? Math.max(twos, fives) : undefined;
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  let [large, small] = [a, b];
  while (small !== 0n) [large, small] = [small, large % small];
  return large;
}
