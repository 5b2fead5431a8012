import { resolve } from "node:path";
import { catalogueTraits } from "#control/config/catalogue-traits";
import { concentrationReport } from "#control/reports/concentration";
import type { ChainRisk, ConcentrationReport, Layer } from "#control/reports/concentration";
import { weights, type Weight } from "#control/reports/traffic";
import type { CutSet } from "#supply/cut-sets";
import type { Importance } from "#supply/importance";
import { targetGroups } from "#supply/target-groups";
import { UsageError } from "#cli/command";
import type { CommandIo } from "#cli/command";
import { fraction, readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { renderCsv } from "#cli/csv";
import { interval, percent, usd } from "#cli/figures";
import { withRecordedCalls } from "#cli/recorded-calls";
import { windowOf } from "#cli/report-window";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";

/** Nobody publishes how often an operator, an owner or an edge is down: about nine hours a year, unless told. */
const usualFailing = 0.001;
const mostMembers = 12;
const mostRanked = 15;
/** Beyond it, nobody needs to know how little is known. */
const mostEffective = 1000;

export function reportConcentration(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCommandLine(args, {
    options: {
      since: { type: "string" },
      month: { type: "string" },
      weight: { type: "string" },
      failing: { type: "string" },
      config: { type: "string", short: "c" },
      data: { type: "string" },
      json: { type: "boolean" },
      csv: { type: "boolean" },
    },
    words: { least: 0, most: 0, what: "nothing" },
  });
  const nowMs = Date.now();
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const window = windowOf({ since: values.since, month: values.month, usual: "30d" }, nowMs);
  const weight = weightFrom(values.weight);
  const failing = values.failing === undefined ? usualFailing : fraction("--failing", values.failing);
  const configuration = configurationFor(values.config, { io, today });
  if (configuration === undefined) return Promise.resolve(1);
  const { snapshot, server } = configuration;
  const traitsOf = catalogueTraits(today);
  const groupsOf = targetGroups(snapshot, today);
  const folder = resolve(io.cwd, values.data ?? server.data);
  const ofAll = values.data === undefined ? server.store : undefined;
  return withRecordedCalls({ command: "report", folder, ofAll, io }, async (store) => {
    const made = await concentrationReport(store, { window, weight, failing, snapshot, traitsOf, groupsOf });
    if (values.json === true) io.stdout(`${JSON.stringify(made, null, 2)}\n`);
    else if (values.csv === true) io.stdout(renderCsv(memberColumns, made.layers.flatMap(membersOf)));
    else print(made, io);
    return 0;
  });
}

function weightFrom(written: string | undefined): Weight {
  if (written === undefined) return "requests";
  const weight = weights.find((each) => each === written);
  if (weight === undefined)
    throw new UsageError(`--weight takes ${weights.join(", ")}, not ${JSON.stringify(written)}`);
  return weight;
}

const index = (value: number) => String(Math.round(value));
const share = (value: number) => percent(value, 1);

const layerColumns: readonly Column<Layer>[] = [
  { title: "VIEW", value: ({ view }) => view },
  { title: "LAYER", value: ({ layer }) => layer },
  { title: "HHI", value: ({ hhi }) => interval(hhi, index), align: "right" },
  { title: "EFFECTIVE NUMBER", value: ({ effective }) => effectiveText(effective), align: "right" },
  { title: "LARGEST", value: ({ top }) => interval(top, share), align: "right" },
  { title: "UNKNOWN", value: ({ unknown }) => share(unknown), align: "right" },
  { title: "CONCENTRATION", value: ({ hhi, exact }) => `${interval(hhi, level)}${exact ? "" : " (wide bounds)"}` },
];

function effectiveText([least, most]: Layer["effective"]): string {
  if (most === null) return `${least.toFixed(2)} or more`;
  return interval([least, most], (value) => (value > mostEffective ? `over ${mostEffective}` : value.toFixed(2)));
}

/** The bounds of the US Merger Guidelines of 2023. */
function level(hhi: number): string {
  return hhi > 1800 ? "high" : hhi >= 1000 ? "moderate" : "low";
}

interface Member {
  readonly layer: Layer;
  readonly name: string;
  readonly share: readonly [number, number];
}

function membersOf(layer: Layer): readonly Member[] {
  const unknown: Member[] =
    layer.unknown > 0 ? [{ layer, name: "unknown", share: [layer.unknown, layer.unknown] }] : [];
  return [...layer.members.map(({ name, share: [lo, hi] }): Member => ({ layer, name, share: [lo, hi] })), ...unknown];
}

const memberColumns: readonly Column<Member>[] = [
  { title: "view", value: ({ layer }) => layer.view },
  { title: "layer", value: ({ layer }) => layer.layer },
  { title: "name", value: ({ name }) => name },
  { title: "share_least", value: (each) => each.share[0].toFixed(6) },
  { title: "share_most", value: (each) => each.share[1].toFixed(6) },
  { title: "layer_hhi_least", value: ({ layer }) => layer.hhi[0].toFixed(1) },
  { title: "layer_hhi_most", value: ({ layer }) => layer.hhi[1].toFixed(1) },
];

interface Point {
  readonly cut: CutSet;
  readonly chain: ChainRisk;
}

const pointColumns: readonly Column<Point>[] = [
  { title: "ROUTE", value: ({ chain }) => chain.route },
  { title: "TRAFFIC", value: ({ chain }) => share(chain.share), align: "right" },
  { title: "", value: ({ cut }) => (cut.certain ? "certain" : "possible") },
  { title: "ANY ONE OF THESE STOPS IT", value: ({ cut }) => (cut.events[0] ?? []).join(", "), whole: true },
];

const rankColumns: readonly Column<Importance>[] = [
  { title: "GROUP", value: ({ group }) => group },
  { title: "FUSSELL-VESELY", value: ({ fussellVesely }) => interval(fussellVesely, share), align: "right" },
  { title: "BIRNBAUM", value: ({ birnbaum }) => interval(birnbaum, share), align: "right" },
];

function print(made: ConcentrationReport, io: CommandIo): void {
  const total = made.weight === "cost" ? `${usd(made.total)} USD` : `${made.total} ${made.weight}`;
  io.stdout(`${made.from} to ${made.until} (UTC), ${total} of answered calls\n`);
  if (made.unweighed > 0)
    io.stdout(`${made.unweighed} answered calls of unknown ${made.weight} weigh nothing in it.\n`);
  if (made.total === 0) return;
  io.stdout(`\n${renderTable(layerColumns, made.layers)}`);
  for (const layer of made.layers) {
    const members = membersOf(layer);
    const shown = members.slice(0, mostMembers).map(({ name, share: own }) => `${name} ${interval(own, share)}`);
    const more = members.length > mostMembers ? `, and ${members.length - mostMembers} more` : "";
    io.stdout(`\nby ${layer.layer}: ${shown.join(", ")}${more}`);
  }
  const points = made.chains.flatMap((chain) =>
    chain.cuts.filter(({ events }) => events.length === 1).map((cut): Point => ({ cut, chain })),
  );
  io.stdout("\n\nSingle points of failure:\n\n");
  io.stdout(points.length === 0 ? "none that is claimed\n" : renderTable(pointColumns, points));
  const { failure, rows, failing, exact } = made.importance;
  io.stdout(`\nWhat matters most, of an expected failure of ${interval(failure, (value) => percent(value, 4))}:\n\n`);
  io.stdout(renderTable(rankColumns, rows.slice(0, mostRanked)));
  io.stdout(
    `\nHHI: sum of squared shares, of 10,000. Effective number: as many equal ones would be as concentrated. Ranges are\n` +
      `what unknown shares allow. The ranking assumes that each group is down ${percent(failing, 2)} of the time (--failing), apart from\n` +
      `the others, and that targets fail by themselves as often as recorded${exact ? "" : "; the least likely groups count as unshared"}.\n`,
  );
}
