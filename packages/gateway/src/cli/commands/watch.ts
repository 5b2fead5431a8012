import { resolve } from "node:path";
import { watchFindings, watchSnapshot, type WatchFinding } from "#control/reports/watch";
import { readWatchFile, watchFile, writeWatchFile } from "#control/reports/watch-file";
import { watchedModels } from "#control/reports/watched-models";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { renderCsv } from "#cli/csv";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";
import { terminalLine } from "#cli/terminal-text";

const usage = `Usage: hedgerow watch [--keep] [-c FILE] [--data FOLDER] [--json | --csv]

Compares what is known of the configured providers' models with what was known at the last look: models that came and
went, prices, context windows, announced shutdowns. It alarms of models that routes or aliases use: dearer, smaller,
gone, retired, or with a shutdown nearer than the notice this vendor usually gives. Then it keeps what it saw for the next
look. What is known is the catalogue of this version of hedgerow, read as of today, and the configuration.

      --keep          leave the last look as it is, to be compared with again
  -c, --config FILE   the configuration (default: hedgerow.yaml where it exists, else the environment)
      --data FOLDER   the gateway's data folder, where ${watchFile} is kept (default: the configuration's)
      --json          print one JSON object: { at, before, watched, findings }
      --csv           print findings as comma-separated values

Exit code 1 when there is an alarm.
`;

export const watch: Command = {
  name: "watch",
  summary: "what changed of models, prices and shutdowns since the last look",
  usage,
  run(args, io) {
    const { values } = readCommandLine(args, {
      options: {
        keep: { type: "boolean" },
        config: { type: "string", short: "c" },
        data: { type: "string" },
        json: { type: "boolean" },
        csv: { type: "boolean" },
      },
      words: { least: 0, most: 0, what: "nothing" },
    });
    const at = new Date(Date.now()).toISOString();
    const today = at.slice(0, 10);
    const configuration = configurationFor(values.config, { io, today });
    if (configuration === undefined) return Promise.resolve(1);
    const folder = resolve(io.cwd, values.data ?? configuration.server.data);
    const read = readWatchFile(folder);
    if (read.kind === "broken") {
      io.stderr(
        terminalLine(`hedgerow watch: ${watchFile} in ${folder} is not read: ${read.why}; move it away`) + "\n",
      );
      return Promise.resolve(1);
    }
    const before = read.kind === "read" ? read.snapshot : undefined;
    const models = watchedModels(configuration.snapshot, today);
    const findings = watchFindings(models, before, today);
    const look: Look = { at, ...(before === undefined ? {} : { before: before.at }), watched: models.length, findings };
    if (values.json === true) io.stdout(`${JSON.stringify(look, null, 2)}\n`);
    else if (values.csv === true) io.stdout(renderCsv(columns, findings));
    else print(look, io);
    if (values.keep !== true) writeWatchFile(folder, watchSnapshot(models, at));
    return Promise.resolve(findings.some(({ alarm }) => alarm) ? 1 : 0);
  },
};

interface Look {
  readonly at: string;
  /** When the last look was; absent: this is the first. */
  readonly before?: string;
  readonly watched: number;
  readonly findings: readonly WatchFinding[];
}

const columns: readonly Column<WatchFinding>[] = [
  { title: "", value: ({ alarm }) => (alarm ? "ALARM" : "") },
  { title: "CHANGE", value: ({ change }) => change },
  { title: "KIND", value: ({ kind }) => kind },
  { title: "MODEL", value: ({ model }) => model },
  { title: "USED AS", value: ({ targets }) => targets.join(", ") },
  { title: "WHAT", value: ({ what }) => what, whole: true },
];

/** Of models that nobody here uses. */
const mostUnused = 40;

function print({ at, before, watched, findings }: Look, io: CommandIo): void {
  const since = before === undefined ? "the first look: there is nothing to compare with yet" : `since ${before}`;
  io.stdout(`${watched} models watched at ${at}, ${since}\n`);
  const used = findings.filter(({ targets }) => targets.length > 0);
  const unused = findings.filter(({ targets }) => targets.length === 0);
  const shown = [...used, ...unused.slice(0, mostUnused)];
  io.stdout(shown.length === 0 ? "Nothing changed.\n" : `\n${renderTable(columns, shown)}`);
  if (unused.length > mostUnused)
    io.stdout(`${unused.length - mostUnused} more changes of models that are not used: --json lists all\n`);
  const alarms = findings.filter(({ alarm }) => alarm).length;
  io.stdout(`\n${alarms} ${alarms === 1 ? "alarm" : "alarms"}, ${findings.length - alarms} other changes\n`);
}
