import type { ModelTraits, Rates } from "#domain/model";
import { alarmHorizonDays, noticeDays } from "#providers/notice-days";

/** What is watched of a model. Prices in nano-dollars per million tokens; absent: unknown. */
export interface WatchedFacts {
  readonly price?: Rates;
  readonly contextTokens?: number;
  readonly lifecycle?: string;
  readonly retiresOn?: string;
}

export interface WatchedModel {
  /** The provider's kind. */
  readonly kind: string;
  readonly model: string;
  /** The targets that routes and aliases ask it by; empty: nobody does. */
  readonly targets: readonly string[];
  /** Absent: neither the catalogue nor the configuration knows it. */
  readonly facts?: WatchedFacts;
  readonly replacements?: readonly string[];
}

/** What was known at the last look, in the data folder. */
export interface WatchSnapshot {
  readonly format: 1;
  /** ISO 8601. */
  readonly at: string;
  /** By kind, then by the provider's own name. */
  readonly models: Readonly<Record<string, Readonly<Record<string, WatchedFacts>>>>;
}

export type WatchedChange =
  | "listed"
  | "delisted"
  | "price"
  | "context"
  | "lifecycle"
  | "shutdown day"
  | "shutdown near"
  | "retired";

export interface WatchFinding {
  /** Of a model that is used, and needs somebody to act. */
  readonly alarm: boolean;
  readonly change: WatchedChange;
  readonly kind: string;
  readonly model: string;
  readonly targets: readonly string[];
  /** What was and what is, in words. */
  readonly what: string;
}

export function watchedFacts({ price, contextTokens, lifecycle, retiresOn }: ModelTraits): WatchedFacts {
  return {
    ...(price === undefined ? {} : { price: ratesOf(price) }),
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(lifecycle === undefined ? {} : { lifecycle }),
    ...(retiresOn === undefined ? {} : { retiresOn }),
  };
}

const rateNames = ["input", "output", "reasoning", "cacheRead", "cacheWrite"] as const;

function ratesOf(price: Rates): Rates {
  return Object.fromEntries(rateNames.flatMap((name) => (price[name] === undefined ? [] : [[name, price[name]]])));
}

export function watchSnapshot(models: readonly WatchedModel[], at: string): WatchSnapshot {
  const byKind: Record<string, Record<string, WatchedFacts>> = {};
  for (const { kind, model, facts } of models) if (facts !== undefined) (byKind[kind] ??= {})[model] = facts;
  return { format: 1, at, models: byKind };
}

/**
 * What is different from the last look, and what stands against models in use whether it is new or not: a shutdown
 * nearer than the vendor's horizon, a model that is retired. Alarms first.
 */
export function watchFindings(
  models: readonly WatchedModel[],
  before: WatchSnapshot | undefined,
  today: string,
): readonly WatchFinding[] {
  const findings = models.flatMap((each) => [
    ...stateOf(each, today),
    ...(before === undefined ? [] : changesOf(each, before.models[each.kind]?.[each.model])),
  ]);
  const present = new Set(
    models.filter(({ facts }) => facts !== undefined).map(({ kind, model }) => `${kind} ${model}`),
  );
  const watchedKinds = new Set(models.map(({ kind }) => kind));
  for (const [kind, known] of Object.entries(before?.models ?? {})) {
    // A provider that is not configured any more is not watched any more.
    if (!watchedKinds.has(kind)) continue;
    for (const model of Object.keys(known)) {
      if (present.has(`${kind} ${model}`)) continue;
      const targets = models.find((each) => each.kind === kind && each.model === model)?.targets ?? [];
      findings.push({
        alarm: targets.length > 0,
        change: "delisted",
        kind,
        model,
        targets,
        what: "neither the catalogue nor the configuration knows it any more",
      });
    }
  }
  return findings.toSorted(
    (a, b) =>
      Number(b.alarm) - Number(a.alarm) ||
      b.targets.length - a.targets.length ||
      a.kind.localeCompare(b.kind) ||
      a.model.localeCompare(b.model),
  );
}

const dayMs = 86_400_000;

function stateOf(watched: WatchedModel, today: string): readonly WatchFinding[] {
  const { kind, model, targets, facts, replacements } = watched;
  // What nobody ever knew is for `check` to say: a watch would repeat it for ever.
  if (targets.length === 0 || facts === undefined) return [];
  const alarm = (change: WatchedChange, what: string): readonly WatchFinding[] => [
    { alarm: true, change, kind, model, targets, what },
  ];
  const instead = replacements?.length ? `; the notice names ${replacements.join(", ")}` : "";
  if (facts.lifecycle === "retired") return alarm("retired", `retired${instead}`);
  if (facts.retiresOn === undefined) return [];
  const daysLeft = Math.ceil((Date.parse(facts.retiresOn) - Date.parse(today)) / dayMs);
  const horizon = alarmHorizonDays(kind);
  if (!(daysLeft <= horizon)) return [];
  const usual = noticeDays(kind);
  const why = usual === undefined ? `alarm from ${horizon} days` : `alarm from ${horizon} days, usual notice ${usual}`;
  return alarm("shutdown near", `goes away on ${facts.retiresOn}, in ${daysLeft} days (${why})${instead}`);
}

function changesOf(watched: WatchedModel, before: WatchedFacts | undefined): readonly WatchFinding[] {
  const { kind, model, targets, facts } = watched;
  const isUsed = targets.length > 0;
  if (facts === undefined) return [];
  const found = (change: WatchedChange, what: string, isBad: boolean): WatchFinding => {
    return { alarm: isUsed && isBad, change, kind, model, targets, what };
  };
  if (before === undefined) return [found("listed", "new", false)];
  const findings = rateNames.flatMap((name) => {
    const [was, is] = [before.price?.[name], facts.price?.[name]];
    if (was === is) return [];
    const isBad = is === undefined || (was !== undefined && is > was);
    return [found("price", `${name} ${dollars(was)} → ${dollars(is)} USD/M${ratio(was, is)}`, isBad)];
  });
  const { contextTokens: window, lifecycle, retiresOn } = facts;
  if (window !== before.contextTokens) {
    const isBad = before.contextTokens !== undefined && (window === undefined || window < before.contextTokens);
    findings.push(found("context", `${before.contextTokens ?? "unknown"} → ${window ?? "unknown"} tokens`, isBad));
  }
  if (lifecycle !== before.lifecycle)
    findings.push(
      found("lifecycle", `${before.lifecycle ?? "unknown"} → ${lifecycle ?? "unknown"}`, lifecycle === "deprecated"),
    );
  if (retiresOn !== before.retiresOn) {
    const isBad = retiresOn !== undefined && (before.retiresOn === undefined || retiresOn < before.retiresOn);
    findings.push(found("shutdown day", `${before.retiresOn ?? "none"} → ${retiresOn ?? "none"}`, isBad));
  }
  return findings;
}

function dollars(nano: number | undefined): string {
  return nano === undefined ? "unknown" : String(nano / 1e9);
}

function ratio(was: number | undefined, is: number | undefined): string {
  if (was === undefined || is === undefined || was === 0) return "";
  const percent = ((is - was) / was) * 100;
  return ` (${percent > 0 ? "+" : ""}${percent.toFixed(0)} %)`;
}
