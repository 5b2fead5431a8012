import type { ModelTraits } from "#domain/model";
import type { ProviderSpec } from "#domain/snapshot";
import { alarmHorizonDays, noticeDays } from "#providers/notice-days";
import type { LintInput, RouteLink } from "./lint-input.ts";
import type { ConfigPath, Finding } from "./problem.ts";

/** What is to be known of a route's model. */
export function lintModel({ target, spec, path }: RouteLink, input: LintInput): readonly Finding[] {
  const { traits } = target;
  if (traits === undefined) {
    const near = input.nearestModels(spec, target.model);
    const meant = near.map((each) => JSON.stringify(each)).join(" or ");
    const state = `state its price and context under providers.${target.provider}.models`;
    const fix = near.length === 0 ? state : `did you mean ${meant}? If not, ${state}`;
    return [{ path, message: `the catalogue does not know ${target.id}: its limits and price are unknown`, fix }];
  }
  return [...lintPrice(traits, target.id, path), ...lintLifecycle(traits, { id: target.id, spec, path }, input.today)];
}

function lintPrice({ price }: ModelTraits, id: string, path: ConfigPath): readonly Finding[] {
  if (price?.input !== undefined) return [];
  const fix = "state `price: { input, output }` for it";
  return [{ path, message: `the price of ${id} is unknown: its calls will have no cost`, fix }];
}

interface Place {
  readonly id: string;
  readonly spec: ProviderSpec;
  readonly path: ConfigPath;
}

const dayMs = 86_400_000;

function lintLifecycle(traits: ModelTraits, { id, spec, path }: Place, today: string): readonly Finding[] {
  const { source, date } = traits.lifecycleFrom ?? traits.from;
  const named = traits.replacements?.length ? `: the notice names ${traits.replacements.join(", ")}` : "";
  const { lifecycle, retiresOn } = traits;
  if (lifecycle === "retired") {
    return [{ path, message: `${id} is retired (${source}, ${date})`, fix: `name its successor${named}` }];
  }
  const daysLeft = retiresOn === undefined ? undefined : Math.ceil((Date.parse(retiresOn) - Date.parse(today)) / dayMs);
  if (lifecycle !== "deprecated" && (daysLeft === undefined || Number.isNaN(daysLeft))) return [];
  const end =
    daysLeft === undefined ? "will go away" : `will go away on ${retiresOn}, ${leftText(daysLeft, spec.kind)}`;
  const isNear = daysLeft !== undefined && daysLeft <= alarmHorizonDays(spec.kind);
  const state = lifecycle === "deprecated" ? "is deprecated and " : "";
  const fix = `${isNear ? "move to" : "plan for"} its successor${named}`;
  return [{ path, message: `${id} ${state}${end} (${source}, ${date})`, fix }];
}

function leftText(daysLeft: number, kind: string): string {
  const usual = noticeDays(kind);
  const left = `in ${daysLeft} ${daysLeft === 1 ? "day" : "days"}`;
  if (usual === undefined) return left;
  return `${left}, where this vendor's notices come ${usual} ${usual === 1 ? "day" : "days"} before (median)`;
}
