import type { Capabilities, ModelTraits, Price } from "#domain/model";
import type { Secret } from "#domain/secret";
import type { ProviderSpec } from "#domain/snapshot";
import type { ProviderKind } from "#providers/provider";
import { compileAccess, type Access, type ProviderNaming } from "./compile-access.ts";
import type { CompileContext, Report } from "./compile-context.ts";
import { compileTimeouts, splitTarget, targetTexts } from "./compile-route.ts";
import { suggestion } from "./nearest.ts";
import type { ConfigPath } from "./problem.ts";
import type { ConfigDocument, ModelEntry, PriceEntry, ProviderEntry } from "./schema.ts";

export function compileProviders(
  document: ConfigDocument,
  context: CompileContext,
  report: Report,
): ReadonlyMap<string, ProviderSpec> {
  const used = modelsInRoutes(document);
  const specs = new Map<string, ProviderSpec>();
  for (const [id, entry] of Object.entries(document.providers)) {
    const kind = context.findKind(entry.kind);
    if (kind === undefined) {
      const fix = suggestion(entry.kind, context.kindIds, "kinds");
      report(["providers", id, "kind"], `no kind ${JSON.stringify(entry.kind)} in this version`, fix);
      continue;
    }
    const spec = compileProvider({ id, entry, kind, used: used.get(id) ?? new Set() }, context, report);
    if (spec !== undefined) specs.set(id, spec);
  }
  return specs;
}

interface Naming extends ProviderNaming {
  /** Models that routes name at this provider. */
  readonly used: ReadonlySet<string>;
}

function compileProvider(naming: Naming, context: CompileContext, report: Report): ProviderSpec | undefined {
  const { id, entry, kind } = naming;
  const { address, credentials, settings, dialects } = compileAccess(naming, context, report);
  const headers = headersOf(naming, report);
  const models = modelsOf(naming, context, report);
  if (address === undefined) return undefined;
  const { operator, owner } = entry;
  const usual = usualOf(kind);
  return {
    id,
    kind: kind.id,
    ...(kind.vendor === undefined ? {} : { vendor: kind.vendor }),
    dialect: kind.dialect,
    ...(dialects === undefined ? {} : { dialects }),
    ...address,
    credentials,
    headers,
    timeouts: compileTimeouts(entry.timeouts ?? {}),
    quirks: kind.quirks,
    ...(operator === undefined ? {} : { operator }),
    ...(owner === undefined ? {} : { owner }),
    ...(usual === undefined ? {} : { usual }),
    ...promises(entry),
    ...inSpec(settings),
    ...promisesOf(entry),
    ...(entry.onAbort === "drain" ? { onAbort: entry.onAbort } : {}),
    models,
  };
}

/** What routes may ask it to keep. */
function promises({ jurisdiction, dataClasses, safetyTier }: ProviderNaming["entry"]): Partial<ProviderSpec> {
  return {
    ...(jurisdiction === undefined ? {} : { jurisdiction }),
    ...(dataClasses === undefined ? {} : { dataClasses }),
    ...(safetyTier === undefined ? {} : { safetyTier }),
  };
}

/** In steps of a millionth, so that 99.9 percent is what people mean by it. */
function share(percent: number): number {
  return Math.round(percent * 10_000) / 1_000_000;
}

/** For reports and drills: nothing of it changes how a call is served. */
function promisesOf({ limits, sla }: ProviderEntry): Partial<ProviderSpec> {
  if (sla === undefined) return limits === undefined ? {} : { limits };
  return {
    ...(limits === undefined ? {} : { limits }),
    sla: {
      availability: share(sla.availability),
      counts: sla.counts ?? ["fault", "timeout"],
      credits: (sla.credits ?? []).map(({ below, credit }) => ({ below: share(below), credit: share(credit) })),
    },
  };
}

/** Beside what is declared, never in its place: one is somebody's word, the other a habit. */
function usualOf({ operator, owner }: ProviderKind): ProviderSpec["usual"] {
  if (operator === undefined && owner === undefined) return undefined;
  return { ...(operator === undefined ? {} : { operator }), ...(owner === undefined ? {} : { owner }) };
}

/** A resource is part of the address. */
function inSpec({ region, project, apiVersion }: Access["settings"]): Partial<ProviderSpec> {
  return {
    ...(region === undefined ? {} : { region }),
    ...(project === undefined ? {} : { project }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
  };
}

/** Framing and routing of a request are the gateway's own; a configured header may not bend them. */
const reservedHeaders = new Set([
  "host",
  "connection",
  "content-length",
  "content-type",
  "content-encoding",
  "accept-encoding",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "keep-alive",
]);

function headersOf({ id, entry }: Naming, report: Report): ProviderSpec["headers"] {
  const headers = new Map<string, Secret>();
  for (const [written, value] of Object.entries(entry.headers ?? {})) {
    const path = ["providers", id, "headers", written];
    const name = written.toLowerCase();
    if (reservedHeaders.has(name)) {
      report(path, `the gateway sets ${JSON.stringify(name)} itself`, "remove it");
    } else if (headers.has(name)) {
      report(path, `${JSON.stringify(name)} stands here twice, in different case`, "remove one of them");
    } else if (!/^[\x20-\x7e\t]+$/u.test(value.reveal())) {
      report(path, "a header's value holds ASCII only and no line breaks");
    }
    headers.set(name, value);
  }
  return [...headers].map(([name, value]) => ({ name, value }));
}

function modelsOf({ id, entry, kind, used }: Naming, context: CompileContext, report: Report): ProviderSpec["models"] {
  const models = new Map<string, ModelTraits>();
  const configured = entry.models ?? {};
  for (const model of new Set([...Object.keys(configured), ...used])) {
    const known = withProbed(context.findModel(kind, model), context.probed?.(`${id}/${model}`));
    const correction = configured[model];
    if (correction === undefined) {
      if (known !== undefined) models.set(model, known);
      continue;
    }
    const naming = { model, path: ["providers", id, "models", model] };
    models.set(
      model,
      corrected(naming, { known, correction, fallbackName: `${kind.vendor ?? id}/${model}` }, { context, report }),
    );
  }
  return models;
}

/** What was seen of a model is worth more than what a list says of it. */
function withProbed(known: ModelTraits | undefined, probed: Capabilities | undefined): ModelTraits | undefined {
  if (known === undefined || probed === undefined) return known;
  return { ...known, capabilities: { ...known.capabilities, ...probed } };
}

function corrected(
  naming: { readonly model: string; readonly path: ConfigPath },
  figures: { readonly known: ModelTraits | undefined; readonly correction: ModelEntry; readonly fallbackName: string },
  { context, report }: { readonly context: CompileContext; readonly report: Report },
): ModelTraits {
  const { known, correction } = figures;
  const { context: contextTokens, maxOutput, safetyTier } = correction;
  const from = { source: "configuration", date: context.date };
  const price = mergedPrice({ known: known?.price, correction: correction.price, from }, () => {
    report([...naming.path, "price"], "the catalogue has no price to correct", "give both `input` and `output`");
  });
  return {
    ...known,
    name: correction.name ?? known?.name ?? figures.fallbackName,
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(maxOutput === undefined ? {} : { maxOutputTokens: maxOutput }),
    ...(safetyTier === undefined ? {} : { safetyTier }),
    ...(price === undefined ? {} : { price }),
    capabilities: { ...known?.capabilities, ...capabilitiesOf(correction) },
    from,
  };
}

function capabilitiesOf(correction: ModelEntry): Capabilities {
  const { tools, structuredOutput, reasoning, sampling, inputs } = correction;
  return {
    ...(tools === undefined ? {} : { tools }),
    ...(structuredOutput === undefined ? {} : { structuredOutput }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(sampling === undefined ? {} : { sampling }),
    ...(inputs === undefined ? {} : { inputs }),
  };
}

function mergedPrice(
  price: {
    readonly known: Price | undefined;
    readonly correction: PriceEntry | undefined;
    readonly from: Price["from"];
  },
  onIncomplete: () => void,
): Price | undefined {
  const { known, correction } = price;
  if (correction === undefined || Object.keys(correction).length === 0) return known;
  const input = correction.input ?? known?.input;
  const output = correction.output ?? known?.output;
  if (input === undefined || output === undefined) {
    onIncomplete();
    return undefined;
  }
  return { ...known, ...correction, input, output, from: price.from };
}

function modelsInRoutes(document: ConfigDocument): ReadonlyMap<string, ReadonlySet<string>> {
  const used = new Map<string, Set<string>>();
  for (const entry of Object.values(document.routes ?? {})) {
    for (const text of targetTexts(entry)) {
      const { provider, model } = splitTarget(text);
      const models = used.get(provider) ?? new Set();
      models.add(model);
      used.set(provider, models);
    }
  }
  return used;
}
