import type { ReliabilityBin } from "#confidence/reliability";

const barWidth = 40;

/**
 * A reliability diagram of plain text, 80 columns: a bar is as long as the share that was right, the mark stands where the
 * confidence said it would end. Empty where nothing is labelled.
 */
export function reliabilityDiagram(bins: readonly ReliabilityBin[]): string {
  if (bins.every(({ count }) => count === 0)) return "";
  const lines = bins.map((bin) => {
    const range = `${bin.from.toFixed(2)} to ${bin.to.toFixed(2)}`;
    if (bin.count === 0) return `${range}       -       -       0`;
    const figures = [bin.told.toFixed(3), bin.came.toFixed(3), String(bin.count)];
    return `${range}  ${figures.map((each) => each.padStart(6)).join("  ")}  ${barOf(bin)}`;
  });
  const head = `CONFIDENCE        TOLD   RIGHT       N  0${" ".repeat(barWidth - 2)}1`;
  return `${[head, ...lines].join("\n")}\n`;
}

function barOf({ told, came }: ReliabilityBin): string {
  const right = Math.round(came * barWidth);
  const mark = Math.min(barWidth - 1, Math.floor(told * barWidth));
  const cells = Array.from({ length: barWidth }, (_, at) => (at === mark ? "|" : at < right ? "#" : " "));
  return cells.join("").trimEnd();
}
