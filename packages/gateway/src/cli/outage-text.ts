import { ours } from "#simulation/outages/policies";
import type { Figure, Summary } from "#simulation/outages/summarise";
import { renderTable } from "./table.ts";

const goals = { toOracle: 1.15, toList: 0.5 };

/** Policies beside each other. */
export function summaryTable(summaries: readonly Summary[]): string {
  return renderTable<Summary>(
    [
      { title: "POLICY", value: ({ policy }) => policy },
      { title: "MODELS", value: ({ models }) => String(models), align: "right" },
      { title: "SUCCESS", value: ({ failing }) => percent(1 - failing.value), align: "right" },
      { title: "MEAN FAILURE [95 %]", value: ({ failing }) => withInterval(failing, percent), align: "right" },
      { title: "DRAWN", value: ({ drawnFailing }) => percent(drawnFailing), align: "right" },
      { title: "TRIES/CALL", value: ({ attemptsPerCall }) => attemptsPerCall.toFixed(4), align: "right" },
      { title: "COST", value: costText, align: "right" },
      { title: "LEFT AFTER", value: leftText, align: "right" },
      { title: "STAYED", value: ({ left }) => stayedText(left), align: "right" },
      { title: "FALSE TRIPS/1000", value: falseTripText, align: "right" },
      { title: "TO ORACLE", value: ({ toOracle }) => withInterval(toOracle, twoPlaces), align: "right" },
      { title: "TO LIST", value: ({ toList }) => withInterval(toList, twoPlaces), align: "right" },
    ],
    summaries,
  );
}

/** Whether the gateway's own policy keeps what is promised of it, in words. */
export function goalLines(summaries: readonly Summary[]): readonly string[] {
  const own = summaries.find(({ policy }) => policy === ours);
  if (own === undefined) return [];
  return [
    goalLine("mean failure against the oracle's", own.toOracle, goals.toOracle),
    goalLine("mean failure against the ordered list's", own.toList, goals.toList),
  ];
}

function goalLine(what: string, figure: Figure, most: number): string {
  if (!Number.isFinite(figure.value)) return `${ours}: ${what}: not played`;
  const met = figure.value <= most ? "met" : "missed";
  return `${ours}: ${what} ${withInterval(figure, (value) => value.toFixed(3))}; goal ${most} at most: ${met}`;
}

function withInterval({ value, interval: [lo, hi] }: Figure, text: (value: number) => string): string {
  return Number.isFinite(value) ? `${text(value)} [${text(lo)}, ${text(hi)}]` : "–";
}

function percent(share: number): string {
  return Number.isNaN(share) ? "–" : `${(share * 100).toFixed(4)} %`;
}

function twoPlaces(value: number): string {
  return value.toFixed(2);
}

function costText({ cost }: Summary): string {
  return cost === undefined ? "unknown" : `×${cost.ratio.toFixed(3)} (${cost.models} models)`;
}

function leftText({ left: { medianS, p90S, medianCalls } }: Summary): string {
  if (medianS === undefined || p90S === undefined) return "–";
  return `${duration(medianS)}, p90 ${duration(p90S)}; ${medianCalls ?? 0} calls`;
}

function stayedText({ times, stayed }: Summary["left"]): string {
  return times + stayed === 0 ? "–" : `${stayed} of ${times + stayed}`;
}

/** Who asks nobody, leaves nobody. */
function falseTripText({ left, falseTripsPer1000 }: Summary): string {
  return left.times + left.stayed === 0 && falseTripsPer1000 === 0 ? "–" : falseTripsPer1000.toFixed(2);
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
