import {
  readings,
  summariseReading,
  type JudgedCell,
  type Reading,
  type ReadingSummary,
} from "#simulation/cascades/judge-cells";
import { renderTable } from "#cli/table";
import type { PlayedAgreement } from "./play-agreement.ts";
import { tunedPolicy, type PlayedCascade, type PolicyRow } from "./play-cascades.ts";

const goals: { readonly ece: Partial<Record<Reading, number>> } = {
  ece: { "no labels": 0.1, "50 labels": 0.075, "200 labels": 0.06 },
};
/** Of always asking the strong model: what the cascade may cost, by task. */
const costGoals: Readonly<Record<string, number>> = { mmlu: 0.44, medmcqa: 0.43, triviaqa: 0.3 };
const keptGoal = 0.975;
const agreementGoal = 0.2;
/** Cells that may break the promise for each answer: 2 of 36. */
const brokenShare = 2 / 36;

/** What scores of each cell mean, by every reading of them. */
export function cellTable(cells: readonly JudgedCell[]): string {
  return renderTable<JudgedCell>(
    [
      { title: "TASK", value: ({ task }) => task },
      { title: "MODEL", value: ({ model }) => model },
      { title: "RIGHT", value: ({ accuracy }) => percent(accuracy), align: "right" },
      ...readings.map((reading) => ({
        title: reading.toUpperCase(),
        value: ({ figures }: JudgedCell) => {
          const { ece, accepted, accuracy } = figures[reading];
          return `${ece.toFixed(3)} ${percent(accepted)} ${accuracy === undefined ? "–" : percent(accuracy)}`;
        },
        align: "right" as const,
      })),
    ],
    cells,
  );
}

export function readingTable(cells: readonly JudgedCell[], promise: number): string {
  return renderTable<ReadingSummary>(
    [
      { title: "GATE AT 0.85", value: ({ reading }) => reading },
      { title: "CELLS", value: (row) => String(row.cells), align: "right" },
      { title: "BROKEN", value: (row) => String(row.broken), align: "right" },
      { title: "SILENT", value: (row) => String(row.silent), align: "right" },
      { title: "WORST", value: ({ worst }) => (worst === undefined ? "–" : percent(worst)), align: "right" },
      { title: "ACCEPTED", value: (row) => percent(row.meanAccepted), align: "right" },
      { title: "ECE", value: (row) => row.meanEce.toFixed(3), align: "right" },
      { title: "ECE AT BEST", value: (row) => row.meanFloor.toFixed(3), align: "right" },
    ],
    readings.map((reading) => summariseReading(reading, cells, promise)),
  );
}

export function cascadeTable({ rows }: PlayedCascade): string {
  return renderTable<PolicyRow>(
    [
      { title: "POLICY", value: ({ policy }) => policy },
      { title: "RIGHT", value: ({ figures }) => percent(figures.accuracy), align: "right" },
      { title: "OF STRONG", value: ({ figures }) => percent(figures.accuracyShare), align: "right" },
      { title: "COST", value: ({ figures }) => percent(figures.costShare), align: "right" },
      { title: "BY WEAK", value: ({ figures }) => percent(figures.kept), align: "right" },
    ],
    rows,
  );
}

export function agreementLines(played: PlayedAgreement): readonly string[] {
  return [
    `${played.task}: ${played.questions} questions; two cheap models agree on ${percent(played.agreed)}, and are then right in ${percent(played.agreedAccuracy)}`,
    `gateway ${percent(played.accuracy)} right at ${percent(played.costShare)} of the strong model's cost; strong ${percent(played.strongAccuracy)}, first alone ${percent(played.firstAccuracy)}`,
  ];
}

export interface PlayedAll {
  readonly cells: readonly JudgedCell[];
  readonly cascades: readonly PlayedCascade[];
  readonly agreement?: PlayedAgreement;
  readonly promise: number;
}

/** Whether what is promised of the gate holds on these data, line by line. */
export function goalLines({ cells, cascades, agreement, promise }: PlayedAll): readonly string[] {
  const lines: string[] = [];
  const say = (what: string, isMet: boolean): void => void lines.push(`${isMet ? "met   " : "MISSED"} ${what}`);
  if (cells.length > 0) {
    for (const [reading, most] of Object.entries(goals.ece) as [Reading, number][]) {
      const { meanEce } = summariseReading(reading, cells, promise);
      say(`mean error of calibration, ${reading}: ${meanEce.toFixed(3)}, at most ${most}`, meanEce <= most);
    }
    const pool = summariseReading("pool, 200 labels", cells, promise).broken;
    say(`broken promises for the pool with 200 labels: ${pool} of ${cells.length}, none allowed`, pool === 0);
    const each = summariseReading("200 labels", cells, promise).broken;
    const allowed = Math.max(1, Math.round(cells.length * brokenShare));
    say(`broken promises for each answer with 200 labels: ${each}, at most ${allowed}`, each <= allowed);
  }
  for (const { task, rows, surprises, calls } of cascades) {
    const figures = rows.find(({ policy }) => policy === tunedPolicy)?.figures;
    const most = costGoals[task];
    if (figures !== undefined && most !== undefined) {
      const { accuracyShare, costShare } = figures;
      say(
        `${task}: ${percent(accuracyShare)} of the strong model's accuracy, at least ${percent(keptGoal)}, at ${percent(costShare)} of its cost, at most ${percent(most)}`,
        accuracyShare >= keptGoal && costShare <= most,
      );
    }
    say(
      `${task}: verdicts over the wire that differ from the calibrator's alone: ${surprises} of ${calls}`,
      surprises === 0,
    );
  }
  if (agreement !== undefined) {
    const { accuracy, strongAccuracy, costShare } = agreement;
    say(
      `${agreement.task}: by agreement ${percent(accuracy)} right, at least the strong model's ${percent(strongAccuracy)}, at ${percent(costShare)} of its cost, at most ${percent(agreementGoal)}`,
      accuracy >= strongAccuracy && costShare <= agreementGoal,
    );
  }
  return lines;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
