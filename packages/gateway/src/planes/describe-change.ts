import type { Snapshot } from "#domain/snapshot";
import { sameSettings } from "./same-settings.ts";

/** What a reload changes, in words, by name and never by value: `provider xai added`, `route default changed (targets)`. */
export function describeChange(before: Snapshot, after: Snapshot): readonly string[] {
  return [
    ...changedEntries("provider", before.providers, after.providers),
    ...changedEntries("route", before.routes, after.routes),
    ...changedEntries("alias", before.aliases, after.aliases),
    ...changedEntries("key", byName(before), byName(after)),
    ...changedFields(before.limits, after.limits).map((name) => `limit ${name} changed`),
    ...(before.supply.version === after.supply.version ? [] : ["what is claimed of supply changed"]),
    ...(sameSettings(before.measured, after.measured) ? [] : ["what was measured of common failures changed"]),
    ...(before.calibration?.version === after.calibration?.version ? [] : ["what labels taught of confidence changed"]),
    ...(sameSettings(before.payloads, after.payloads) ? [] : ["which payloads are kept changed"]),
    ...(before.defaultRoute === after.defaultRoute ? [] : ["the default route changed"]),
  ];
}

function byName(snapshot: Snapshot): ReadonlyMap<string, unknown> {
  return new Map(snapshot.keys.map((key) => [key.name, key]));
}

function changedEntries(
  what: string,
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): readonly string[] {
  const words: string[] = [];
  for (const [name, value] of after) {
    if (!before.has(name)) words.push(`${what} ${name} added`);
    else if (!sameSettings(before.get(name), value)) words.push(changed(what, name, [before.get(name), value]));
  }
  for (const name of before.keys()) if (!after.has(name)) words.push(`${what} ${name} removed`);
  return words;
}

function changed(what: string, name: string, [before, after]: readonly [unknown, unknown]): string {
  const fields = changedFields(before, after);
  return fields.length === 0 ? `${what} ${name} changed` : `${what} ${name} changed (${fields.join(", ")})`;
}

function changedFields(before: unknown, after: unknown): readonly string[] {
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null) return [];
  const left = before as Readonly<Record<string, unknown>>;
  const right = after as Readonly<Record<string, unknown>>;
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].filter((name) => !sameSettings(left[name], right[name]));
}
