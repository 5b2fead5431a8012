import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aboutCoFailures, coFailureFile, maxPairs, type CoFailureFile } from "#control/config/co-failure-file";
import type { MeasuredPair } from "#domain/supply";
import { measurePairs } from "#supply/measure-pairs";
import type { CommandIo } from "./command.ts";
import { withOutcomes, type WindowWish } from "./outcome-window.ts";
import { renderTable } from "./table.ts";

/** `hedgerow supply measure`: how often one target takes another along, into the file that the gateway reads. */
export function measure(wish: WindowWish, io: CommandIo): Promise<number> {
  return withOutcomes(wish, io, ({ series, sinceMs, nowMs, folder }) => {
    const pairs = measurePairs(series, maxPairs);
    const file: CoFailureFile = {
      format: 1,
      about: aboutCoFailures,
      at: new Date(nowMs).toISOString(),
      since: new Date(sinceMs).toISOString(),
      pairs: [...pairs],
    };
    const path = join(folder, coFailureFile);
    // A gateway that reads it now sees the old one or the new one, never a part.
    writeFileSync(`${path}.new`, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    if (wish.json) io.stdout(`${JSON.stringify(file, null, 2)}\n`);
    else print(pairs, { targets: series.length, path }, io);
    return 0;
  });
}

function print(
  pairs: readonly MeasuredPair[],
  { targets, path }: { targets: number; path: string },
  io: CommandIo,
): void {
  const shown = pairs.filter(({ joint }) => joint > 0).toSorted((a, b) => b.lo - a.lo);
  io.stdout(
    renderTable<MeasuredPair>(
      [
        { title: "WHEN THIS FAILS", value: ({ failed }) => failed },
        { title: "SO DOES", value: ({ other }) => other },
        { title: "BETA", value: ({ beta }) => beta.toFixed(2), align: "right" },
        { title: "95 %", value: ({ lo, hi }) => `${lo.toFixed(2)} to ${hi.toFixed(2)}`, align: "right" },
        { title: "EVENTS", value: ({ joint, events }) => `${joint} of ${events}`, align: "right" },
      ],
      shown,
    ),
  );
  const rest = pairs.length - shown.length;
  io.stdout(
    `${shown.length === 0 ? "" : "\n"}${pairs.length} pairs of ${targets} targets measured; ${rest} of them never failed together.\n`,
  );
  io.stdout(`Written to ${path}: the gateway reads it at start and on every reload.\n`);
}
