import { resolve } from "node:path";
import { catalogueTraits } from "#control/config/catalogue-traits";
import { spendReport, type SpendFigures, type SpendGroup, type SpendReport } from "#control/reports/spend";
import { spendDimensions, whyNotTogether, type SpendDimension } from "#control/store/read-spend";
import type { Price } from "#domain/model";
import { findTargets } from "#policy/find-targets";
import type { Configuration } from "#control/config/configuration";
import { UsageError, type CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { configurationFor } from "#cli/configuration-for";
import { renderCsv } from "#cli/csv";
import { withRecordedCalls } from "#cli/recorded-calls";
import { windowOf } from "#cli/report-window";
import { renderTable, type Column } from "#cli/table";

const usualLimit = 50;
const mostGroups = 10_000;
const mostDimensions = 3;

export function reportSpend(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = readCommandLine(args, {
    options: {
      by: { type: "string" },
      since: { type: "string" },
      month: { type: "string" },
      limit: { type: "string" },
      baseline: { type: "string" },
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
  const by = dimensionsOf(values.by ?? "provider,model");
  const limit =
    values.limit === undefined ? usualLimit : wholeNumber("--limit", values.limit, { min: 1, max: mostGroups });
  const configuration = configurationFor(values.config, { io, today });
  if (configuration === undefined) return Promise.resolve(1);
  const baseline = values.baseline === undefined ? undefined : baselineOf(values.baseline, configuration, today);
  if (typeof baseline === "string") {
    io.stderr(`hedgerow report: ${baseline}\n`);
    return Promise.resolve(1);
  }
  const folder = resolve(io.cwd, values.data ?? configuration.server.data);
  const ofAll = values.data === undefined ? configuration.server.store : undefined;
  return withRecordedCalls({ command: "report", folder, ofAll, io }, async (store) => {
    const made = await spendReport(store, { window, by, limit, ...(baseline === undefined ? {} : { baseline }) });
    if (values.json === true) io.stdout(`${JSON.stringify(made, null, 2)}\n`);
    else if (values.csv === true) io.stdout(renderCsv(columnsFor(made), made.groups));
    else print(made, io);
    return 0;
  });
}

function dimensionsOf(text: string): readonly SpendDimension[] {
  const words = [...new Set(text.split(",").map((word) => word.trim()))].filter(Boolean);
  const by = words.map((word) => {
    const found = spendDimensions.find((each) => each === word);
    if (found === undefined) {
      throw new UsageError(`--by takes ${spendDimensions.join(", ")}, not ${JSON.stringify(word)}`);
    }
    return found;
  });
  if (by.length > mostDimensions) throw new UsageError(`--by takes up to ${mostDimensions} of them at once`);
  const why = whyNotTogether(by);
  if (why !== undefined) throw new UsageError(`--by ${text}: ${why}`);
  return by;
}

/** What the baseline costs, or why nobody knows. */
function baselineOf(
  name: string,
  { snapshot }: Configuration,
  today: string,
): { readonly target: string; readonly price: Price } | string {
  const found = findTargets({ names: [name] }, snapshot, catalogueTraits(today));
  if (found.kind !== "found") return `--baseline ${name}: ${found.message}`;
  const [target] = found.targets;
  const price = target?.traits?.price;
  if (target === undefined || price === undefined) {
    return `--baseline ${name}: its price is not known; name another, or give it one under \`models\` of its provider`;
  }
  return { target: target.id, price };
}

/** Nano-dollars as dollars, to the millionth: cut, not rounded up, so that sums of what is shown never pass the total. */
export function dollarText(nano: string): string {
  const micro = BigInt(nano) / 1_000n;
  const size = micro < 0n ? -micro : micro;
  return `${micro < 0n ? "-" : ""}${size / 1_000_000n}.${String(size % 1_000_000n).padStart(6, "0")}`;
}

function dollars(title: string, value: (row: SpendFigures) => string | undefined): Column<SpendGroup> {
  return {
    title,
    value(row) {
      const nano = value(row);
      return nano === undefined ? (row.unpriced > 0 ? "?" : "-") : dollarText(nano);
    },
    align: "right",
  };
}

function count(title: string, value: (row: SpendFigures) => number): Column<SpendGroup> {
  return {
    title,
    value: (row) => String(value(row)),
    align: "right",
  };
}

function columnsFor({ by, baseline }: Pick<SpendReport, "by" | "baseline">): readonly Column<SpendGroup>[] {
  return [
    ...by.map((name, at): Column<SpendGroup> => ({
      title: name.toUpperCase(),
      value: ({ names }) => names[at] || "-",
    })),
    dollars("USD", (row) => (isUnknown(row) ? undefined : row.costNanoUsd)),
    dollars("BESIDE", (row) => (isUnknown(row) ? undefined : row.besideNanoUsd)),
    dollars("ESTIMATED", ({ estimatedNanoUsd }) => estimatedNanoUsd),
    count("UNKNOWN", ({ unpriced }) => unpriced),
    count("CALLS", ({ calls }) => calls),
    count("ANSWERED", ({ answered }) => answered),
    count("ACCEPTED", ({ accepted }) => accepted),
    dollars("USD EACH", (row) => (row.unpriced > 0 ? undefined : row.perAnsweredNanoUsd)),
    count("TOKENS IN", ({ inputTokens }) => inputTokens),
    count("OUT", ({ outputTokens }) => outputTokens),
    ...(baseline === undefined ? [] : [dollars("BASELINE", ({ baselineNanoUsd }) => baselineNanoUsd)]),
  ];
}

/** Nobody knows what any of it cost, which is not nothing. */
function isUnknown({ costNanoUsd, unpriced }: SpendFigures): boolean {
  return costNanoUsd === "0" && unpriced > 0;
}

const partWords: Readonly<Record<string, string>> = {
  answered: "answers that were given",
  failed: "attempts that gave nothing",
  broken: "answers that broke off",
  abandoned: "answers whose client had left",
  outrun: "hedges that lost",
  doubted: "answers that nobody was sure of",
  aside: "second opinions and judges",
  shadow: "answers asked to learn from",
};

function print(made: SpendReport, io: CommandIo): void {
  const { total, groups, parts, by } = made;
  io.stdout(`${made.from} to ${made.until} (UTC)\n\n`);
  if (total.calls === 0 && total.attempts === 0) {
    io.stdout("Nothing was asked in it.\n");
    return;
  }
  io.stdout(renderTable(columnsFor(made), groups));
  if (by.length > 0) io.stdout("\n");
  const shares = Object.entries(parts).map(([part, nano]) => `${dollarText(nano)} ${partWords[part] ?? part}`);
  io.stdout(`${dollarText(total.costNanoUsd)} USD for ${total.calls} calls: ${shares.join(", ") || "nothing"}.\n`);
  for (const line of sentences(made)) io.stdout(`${line}\n`);
  io.stdout(
    "\nBESIDE: of USD, what went to anything but the answers that were given. UNKNOWN: attempts without a price (?).\n",
  );
}

function* sentences({ total, baseline, wholeDaysUntil }: SpendReport): Iterable<string> {
  if (total.perAnsweredNanoUsd !== undefined) {
    const accepted =
      total.perAcceptedNanoUsd === undefined || total.unpriced > 0
        ? ""
        : `; each of the ${total.accepted} that a gate accepted ${dollarText(total.perAcceptedNanoUsd)}`;
    yield `Each of the ${total.answered} answered calls cost ${dollarText(total.perAnsweredNanoUsd)} USD with all that was asked for it${accepted}.`;
  }
  if (total.estimatedNanoUsd !== "0") {
    yield `${dollarText(total.estimatedNanoUsd)} USD of it is our own count, where a provider reported no usage.`;
  }
  if (total.unpriced > 0) {
    yield `The cost of ${total.unpriced} attempts is unknown and in no sum: give their models a price.`;
  }
  if (baseline !== undefined && total.unpriced > 0) {
    yield `What ${baseline} would have cost is in the table; against a sum that is not known it says nothing.`;
  } else if (baseline !== undefined && total.baselineNanoUsd !== undefined) {
    const saved = BigInt(total.baselineNanoUsd) - BigInt(total.costNanoUsd);
    const verb = saved >= 0n ? "less" : "more";
    const by = dollarText(String(saved >= 0n ? saved : -saved));
    yield `With every answer from ${baseline} it would have been ${dollarText(total.baselineNanoUsd)} USD by its usual rates: this was ${by} ${verb}.`;
  }
  if (wholeDaysUntil !== undefined) yield `Before ${wholeDaysUntil} only whole days are kept.`;
}
