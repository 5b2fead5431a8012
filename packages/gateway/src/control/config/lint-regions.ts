import { jurisdictionOf } from "#policy/jurisdiction";
import { findKind } from "#providers/kinds";
import type { RouteLint, RouteLink } from "./lint-input.ts";
import type { Finding } from "./problem.ts";

/** Names under which a cloud sends a call to whichever of several regions it likes: AWS' inference profiles. */
const profile = /^(?:global|us|eu|apac|au|ca|in|jp)\./u;

/**
 * Where calls run is not pinned: at kinds that have regions, no region or a wide one is named; or the route itself asks
 * for regions, and of a target none is known. Providers that offer no choice are not blamed for it elsewhere.
 */
export function lintRegions({ route, links }: RouteLint): readonly Finding[] {
  return links.flatMap((link) => {
    const { spec, target, path } = link;
    const unpinned = lintProvider(link);
    const asked = route.spread === "region" || route.constraints?.regions !== undefined;
    const findings = unpinned === undefined ? [] : [unpinned];
    if (unpinned === undefined && asked && !link.groups.some(({ kind }) => kind === "region")) {
      const message = `the route asks for regions, and nobody said where ${target.id} runs`;
      findings.push({ path, message, fix: `set \`region\` of ${spec.id}` });
    }
    if (hasRegions(link) && profile.test(target.model)) {
      const prefix = JSON.stringify(target.model.slice(0, target.model.indexOf(".")));
      const message = `${target.id} is served in whichever region of ${prefix} has room: its region is not pinned`;
      const fix = "name the model without the prefix where the region has it, or accept where it may run";
      findings.push({ path, message, fix });
    }
    return findings;
  });
}

function hasRegions({ spec }: RouteLink): boolean {
  return findKind(spec.kind)?.settings?.region !== undefined;
}

function lintProvider(link: RouteLink): Finding | undefined {
  const { spec } = link;
  if (!hasRegions(link)) return undefined;
  const path = ["providers", spec.id, "region"];
  const fix = `set \`region\` to one region, such as ${findKind(spec.kind)?.settings?.region?.example ?? "eu-central-1"}`;
  if (spec.region === undefined)
    return { path, message: `no region is set for ${spec.id}: where calls run is not pinned`, fix };
  if (!isWide(spec.region)) return undefined;
  const message = `${JSON.stringify(spec.region)} is no single region: where calls of ${spec.id} run is not pinned`;
  return { path, message, fix };
}

/** `global`, `us`, `eu`: several regions under one name. */
function isWide(region: string): boolean {
  const name = region.toLowerCase();
  return name === "global" || (/^[a-z]{2,4}$/u.test(name) && (jurisdictionOf(name) !== undefined || name === "apac"));
}
