import type { Figure, WorkloadReport } from "./report.ts";
import type { Results } from "./results.ts";

const column = "CPU µs per request";
const [width, nameWidth, rightWidth] = [860, 250, 120];
const [barHeight, barGap, headHeight, groupGap, top] = [14, 6, 26, 18, 56];
/** Decades of the scale. */
const ticks = [10, 100, 1_000, 10_000, 100_000];

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Where a number of microseconds stands: every decade is as wide. */
function x(micros: number): number {
  const [least = 1, most = 1] = [ticks[0], ticks.at(-1)];
  const share = (Math.log10(Math.max(micros, least)) - Math.log10(least)) / (Math.log10(most) - Math.log10(least));
  return nameWidth + share * (width - nameWidth - rightWidth);
}

/** Processor time of each subject, workload by workload: the middle of all rounds as a bar, the ends as a line across it. */
export function plot({ reports, machine, at, versions }: Results): string {
  const shown = reports.filter(({ rows }) => rows.some(({ figures }) => figures[column] !== undefined));
  let y = top;
  const groups = shown.map((report) => {
    const group = groupOf(report, y);
    y += headHeight + report.rows.length * (barHeight + barGap) + groupGap;
    return group;
  });
  const scale = ticks.map(
    (tick) =>
      `<line class="tick" x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${top - 8}" y2="${y - groupGap}"/>` +
      `<text class="small" x="${x(tick).toFixed(1)}" y="${top - 14}" text-anchor="middle">${tick.toLocaleString("en-US")}</text>`,
  );
  const words = `${column}, ${at.slice(0, 10)}, ${machine.processors}, Node ${versions.node.slice(1)}, ${versions.hedgerow}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img" aria-labelledby="title words">
<title id="title">What a call costs, by gateway</title>
<desc id="words">Processor time per request of each gateway and workload, on a scale of powers of ten. The figures are in the table.</desc>
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a; } .head { font-weight: 600; } .small { font-size: 10px; }
.tick { stroke: #8c959f; stroke-opacity: .35; } .bar { fill: #8c959f; } .own { fill: #2da44e; } .spread { stroke: #57606a; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) { text { fill: #9198a1; } .spread { stroke: #d1d7e0; } }
</style>
<text class="small" x="0" y="14">${escaped(words)}</text>
${scale.join("\n")}
${groups.join("\n")}
</svg>
`;
}

function groupOf({ workload, rows }: WorkloadReport, fromY: number): string {
  const bars = rows.flatMap(({ subject, figures }, index) => {
    const figure = figures[column];
    return figure === undefined ? [] : [bar(subject, figure, fromY + headHeight + index * (barHeight + barGap))];
  });
  return [`<text class="head" x="0" y="${fromY + 14}">${escaped(workload)}</text>`, ...bars].join("\n");
}

function bar(subject: string, { median, least, most }: Figure, y: number): string {
  const middle = y + barHeight / 2;
  const style = subject.startsWith("hedgerow") ? "own" : "bar";
  const number = median.toLocaleString("en-US", { maximumFractionDigits: 0 });
  return [
    `<text x="8" y="${y + 11}">${escaped(subject)}</text>`,
    `<rect class="${style}" x="${nameWidth}" y="${y}" width="${Math.max(1, x(median) - nameWidth).toFixed(1)}" height="${barHeight}"/>`,
    `<line class="spread" x1="${x(least).toFixed(1)}" x2="${x(most).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
    `<text class="small" x="${(Math.max(x(most), x(median)) + 6).toFixed(1)}" y="${y + 11}">${number}</text>`,
  ].join("");
}
