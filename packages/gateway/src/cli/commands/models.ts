import { nearestNames, vendorsOf } from "#catalogue/catalogue";
import type { Catalogue } from "#catalogue/catalogue";
import { openCatalogue } from "#catalogue/open-catalogue";
import type { Provenance } from "#domain/model";
import { UsageError } from "#cli/command";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { findListed, hint, unknownProvider } from "#cli/find-listed";
import type { Listed } from "#cli/find-listed";
import { listModels } from "#cli/list-models";
import type { ModelFilter } from "#cli/list-models";
import { factRows } from "#cli/model-facts";
import type { FactRow } from "#cli/model-facts";
import { renderTable } from "#cli/table";
import type { Column } from "#cli/table";
import { terminalLine } from "#cli/terminal-text";

const usualLimit = 100;
const mostListed = 1_000_000;
/** Other places and names that are listed under a model. */
const mostOffers = 15;

const usage = `Usage: hedgerow models list [--provider P] [--vendor V] [--search TEXT] [--deprecated] [--limit N] [--json]
       hedgerow models show NAME [OTHER] [--provider P] [--json]

The catalogue of models: limits, what they take and give, prices, how long they live, each with source and date.
\`list\` gives a line for each model wherever it is served; with --provider, for each of a provider's own names.
\`show\` tells all that is known of one model, or of two side by side. NAME is vendor/model, provider/model (the facts
and prices of that provider) or any spelling of a model's name: openai/gpt-5.4, bedrock/eu.anthropic.claude-sonnet-5.

      --provider NAME   only models of this provider, by its own names and prices
      --vendor NAME     only models this vendor made
      --search TEXT     only models with this text in a name
      --deprecated      only what is deprecated or retired, by day of shutdown
      --limit N         list at most N models (default ${usualLimit} in tables, all in JSON)
      --json            print one JSON object: { models, leftOut } or { models, facts }
`;

export const models: Command = {
  name: "models",
  summary: "the catalogue of models: limits, prices, lifecycle; two side by side",
  usage,
  run(args, io) {
    const { values, words } = readCommandLine(args, {
      options: {
        provider: { type: "string" },
        vendor: { type: "string" },
        search: { type: "string" },
        deprecated: { type: "boolean" },
        limit: { type: "string" },
        json: { type: "boolean" },
      },
      words: { least: 1, most: 3, what: "what to do (`list` or `show`)" },
    });
    const [what, ...names] = words;
    const catalogue = openCatalogue(new Date().toISOString().slice(0, 10));
    const { provider, vendor, search, limit } = values;
    const json = values.json === true;
    if (what === "list") {
      if (names[0] !== undefined)
        throw new UsageError(`unexpected ${JSON.stringify(names[0])}; to look for it, write --search`);
      const filter: ModelFilter = {
        ...(provider === undefined ? {} : { provider }),
        ...(vendor === undefined ? {} : { vendor }),
        ...(search === undefined ? {} : { search }),
        deprecated: values.deprecated === true,
      };
      const most = limit === undefined ? undefined : wholeNumber("--limit", limit, { min: 1, max: mostListed });
      return Promise.resolve(list(catalogue, filter, { io, json, ...(most === undefined ? {} : { most }) }));
    }
    if (what !== "show") throw new UsageError(`no ${JSON.stringify(what)}; there are \`list\` and \`show\``);
    if (names.length === 0) throw new UsageError("the model's name is missing");
    for (const [option, given] of Object.entries({ vendor, search, limit, deprecated: values.deprecated }))
      if (given !== undefined) throw new UsageError(`--${option} goes with \`list\``);
    return Promise.resolve(show(catalogue, names, { io, json, ...(provider === undefined ? {} : { provider }) }));
  },
};

interface ListWish {
  readonly io: CommandIo;
  readonly json: boolean;
  readonly most?: number;
}

function list(catalogue: Catalogue, filter: ModelFilter, { io, json, most }: ListWish): number {
  const wrong = wrongFilter(catalogue, filter);
  if (wrong !== undefined) {
    io.stderr(`hedgerow models: ${terminalLine(wrong)}\n`);
    return 1;
  }
  const all = listModels(catalogue, filter);
  const shown = all.slice(0, most ?? (json ? mostListed : usualLimit));
  const leftOut = all.length - shown.length;
  if (json) {
    io.stdout(`${JSON.stringify({ models: shown.map(listedJson), leftOut }, null, 2)}\n`);
    return 0;
  }
  if (all.length === 0) {
    io.stdout("No model matches.\n");
    return 0;
  }
  io.stdout(renderTable(filter.provider === undefined ? columns : [nameThere, ...columns.slice(0, -1)], shown));
  io.stdout(`\n${all.length === 1 ? "1 model" : `${all.length} models`}, prices in USD per million tokens.`);
  io.stdout(leftOut === 0 ? "\n" : ` ${leftOut} not listed: narrow with --search, or raise --limit.\n`);
  for (const { source, date, url } of catalogue.sources) io.stdout(`source: ${sourceText({ source, date }, url)}\n`);
  return 0;
}

function wrongFilter(catalogue: Catalogue, { provider, vendor }: ModelFilter): string | undefined {
  if (provider !== undefined && catalogue.shelvesOf(provider).length === 0) return unknownProvider(catalogue, provider);
  if (vendor === undefined) return undefined;
  const vendors = vendorsOf(catalogue);
  if (vendors.has(vendor.toLowerCase())) return undefined;
  return `the catalogue knows no vendor ${JSON.stringify(vendor)}${hint(nearestNames(vendor, vendors))}`;
}

const nameThere: Column<Listed> = { title: "NAME THERE", value: ({ model }) => model };

const columns: readonly Column<Listed>[] = [
  { title: "MODEL", value: ({ traits }) => traits.name },
  { title: "CONTEXT", value: ({ traits }) => count(traits.contextTokens), align: "right" },
  { title: "OUTPUT", value: ({ traits }) => count(traits.maxOutputTokens), align: "right" },
  { title: "USD/M IN", value: ({ traits }) => dollars(traits.price?.input), align: "right" },
  { title: "OUT", value: ({ traits }) => dollars(traits.price?.output), align: "right" },
  { title: "TAKES", value: ({ traits }) => traits.capabilities.inputs?.join(" ") ?? "?" },
  { title: "CAN", value: ({ traits }) => abilities(traits.capabilities) },
  { title: "LIFE", value: ({ traits }) => life(traits) },
  { title: "AT", value: ({ provider, offers }) => placesText(provider, offers) },
];

function count(tokens: number | undefined): string {
  return tokens === undefined ? "?" : String(tokens);
}

function dollars(nano: number | undefined): string {
  return nano === undefined ? "?" : String(nano / 1e9);
}

function abilities({ tools, structuredOutput, reasoning }: Listed["traits"]["capabilities"]): string {
  const words = [...(tools ? ["tools"] : []), ...(structuredOutput ? ["json"] : []), ...(reasoning ? ["reason"] : [])];
  return words.length === 0 ? "-" : words.join(" ");
}

function life({ lifecycle, retiresOn }: Listed["traits"]): string {
  const words = [...(lifecycle === undefined ? [] : [lifecycle]), ...(retiresOn === undefined ? [] : [retiresOn])];
  return words.length === 0 ? "-" : words.join(" ");
}

function placesText(first: string, offers: Listed["offers"]): string {
  const others = new Set(offers.map(({ kind }) => kind)).size - 1;
  return others < 1 ? first : `${first} +${others}`;
}

interface ShowWish {
  readonly io: CommandIo;
  readonly json: boolean;
  readonly provider?: string;
}

function show(catalogue: Catalogue, names: readonly string[], { io, json, provider }: ShowWish): number {
  const found = names.map((name) => findListed(catalogue, name, provider));
  const listed: Listed[] = [];
  for (const each of found) {
    if (each.kind === "found") listed.push(each.listed);
    else io.stderr(`hedgerow models: ${terminalLine(each.message)}\n`);
  }
  if (listed.length < names.length) return 1;
  const facts = factRows(listed.map(({ traits }) => traits));
  if (json) io.stdout(`${JSON.stringify({ models: listed.map(fullJson), facts: facts.map(factJson) }, null, 2)}\n`);
  else printFacts(listed, { facts, legend: new Legend(catalogue.sources) }, io);
  return 0;
}

interface Sheet {
  readonly facts: readonly FactRow[];
  readonly legend: Legend;
}

function printFacts(listed: readonly Listed[], { facts, legend }: Sheet, io: CommandIo): void {
  for (const { provider, model, traits } of listed) {
    const title = traits.title === undefined ? "" : ` (${traits.title})`;
    io.stdout(`${terminalLine(`${traits.name}${title}, at ${provider} as ${model}`)}\n`);
  }
  const isPair = listed.length > 1;
  io.stdout("\n");
  io.stdout(
    renderTable<FactRow>(
      [
        { title: "FACT", value: ({ fact }) => fact },
        ...(isPair ? [{ title: "", value: ({ same }: FactRow) => (same ? "=" : "") }] : []),
        ...listed.flatMap(({ traits, provider }, at): Column<FactRow>[] => [
          {
            title: isPair ? headOf(listed, { traits, provider }) : "VALUE",
            value: ({ sides }) => sides[at]?.text ?? "",
          },
          { title: "SOURCE", value: ({ sides }) => legend.mark(sides[at]?.from) },
        ]),
      ],
      facts,
    ),
  );
  io.stdout("\nPrices in USD per million tokens. Sources:\n");
  for (const line of legend.lines) io.stdout(`  ${terminalLine(line)}\n`);
  for (const each of listed) printOffers(each, io);
}

/** Two providers of one model are told apart by their names. */
function headOf(listed: readonly Listed[], { traits, provider }: Pick<Listed, "traits" | "provider">): string {
  const isAlone = listed.filter((each) => each.traits.name === traits.name).length === 1;
  return isAlone ? traits.name : `${traits.name} at ${provider}`;
}

function printOffers({ traits, offers }: Listed, io: CommandIo): void {
  if (offers.length < 2) return;
  const shown = offers.slice(0, mostOffers).map(({ kind, model }) => `${kind}/${model}`);
  const rest = offers.length - shown.length;
  const more = rest > 0 ? `, and ${rest} more: hedgerow models show ${traits.name} --json` : "";
  io.stdout(`\n${terminalLine(`${traits.name} is served as ${shown.join(", ")}${more}`)}\n`);
}

/** Numbers for sources: the table stays narrow, and every fact says where it is from. */
class Legend {
  readonly #sources: Catalogue["sources"];
  readonly #marks = new Map<string, number>();

  constructor(sources: Catalogue["sources"]) {
    this.#sources = sources;
  }

  mark(from: Provenance | undefined): string {
    if (from === undefined) return "";
    const text = sourceText(from, from.url ?? this.#sources.find(({ source }) => source === from.source)?.url);
    const mark = this.#marks.get(text) ?? this.#marks.size + 1;
    this.#marks.set(text, mark);
    return `[${mark}] ${from.date}`;
  }

  get lines(): readonly string[] {
    return [...this.#marks].map(([text, mark]) => `[${mark}] ${text}`);
  }
}

function sourceText({ source, date }: Provenance, url: string | undefined): string {
  return url === undefined ? `${source}, ${date}` : `${source}, ${date}, ${url}`;
}

function listedJson({ provider, model, traits, offers }: Listed): object {
  return { ...traits, provider, model, offers: offers.length };
}

function fullJson({ provider, model, traits, offers }: Listed): object {
  return {
    ...traits,
    provider,
    model,
    offers: offers.map(({ kind, model: name }) => ({ provider: kind, model: name })),
  };
}

function factJson({ fact, sides, same }: FactRow): object {
  return { fact, ...(sides.length > 1 ? { same } : {}), values: sides.map(({ value, from }) => ({ value, ...from })) };
}
