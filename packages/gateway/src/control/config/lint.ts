import { targetGroups } from "#supply/target-groups";
import { isLoopback } from "./address.ts";
import { lintConfidence } from "./lint-confidence.ts";
import { linksOf, type LintInput, type RouteLint } from "./lint-input.ts";
import { lintModel } from "./lint-models.ts";
import { lintRegions } from "./lint-regions.ts";
import { lintBackups, lintConstraints, lintRoute } from "./lint-routes.ts";
import { lintServers } from "./lint-servers.ts";
import { lintSharedRisks } from "./lint-shared-risks.ts";
import { renderPath, type Finding } from "./problem.ts";

/** What `check` warns of: nothing that keeps the gateway from serving, everything that will surprise its operator. */
export function lint(input: LintInput): readonly Finding[] {
  const { snapshot, today } = input;
  const groupsOf = targetGroups(snapshot, today);
  const routes = [...snapshot.routes.values()].map((route): RouteLint => {
    return { route, path: ["routes", route.name], links: linksOf(route, snapshot, groupsOf) };
  });
  return once([
    ...input.plainSecrets.map((path) => ({
      path,
      message: "a secret stands in the file as plain text",
      fix: "refer to it: ${NAME} or file:PATH",
    })),
    ...routes.flatMap((route) => [
      ...lintRoute(route),
      ...lintSharedRisks(route),
      ...lintBackups(route, snapshot),
      ...lintConstraints(route, snapshot),
      ...lintConfidence(route, snapshot),
    ]),
    ...routes.flatMap(({ links }) => links).flatMap((link) => lintModel(link, input)),
    ...routes.flatMap(lintRegions),
    ...lintProviders(input),
    ...lintServer(input),
    ...lintServers(input),
  ]);
}

const mostPlaces = 3;

/** What stands at several places, or is seen by several rules, is said once. */
function once(findings: readonly Finding[]): readonly Finding[] {
  const bySame = Map.groupBy(findings, ({ message, fix }) => `${message}\n${fix}`);
  return [...bySame.values()].flatMap((same) => {
    const [first, ...others] = same;
    if (first === undefined) return [];
    const places = new Set(others.map(({ path }) => renderPath(path)));
    places.delete(renderPath(first.path));
    if (places.size === 0) return [first];
    const more = places.size > mostPlaces ? ` and ${places.size - mostPlaces} more places` : "";
    return [{ ...first, message: `${first.message} (also at ${[...places].slice(0, mostPlaces).join(", ")}${more})` }];
  });
}

function lintProviders({ snapshot }: LintInput): readonly Finding[] {
  const used = new Set([...snapshot.routes.values()].flatMap(({ targets }) => targets.map((each) => each.provider)));
  for (const end of snapshot.aliases.values()) used.add(end.split("/", 1)[0] ?? "");
  const findings: Finding[] = [];
  for (const spec of snapshot.providers.values()) {
    const path = ["providers", spec.id];
    if (!used.has(spec.id) && snapshot.routes.size > 0) {
      const message = "no route or alias uses this provider";
      findings.push({ path, message, fix: `callers can still name ${spec.id}/MODEL; otherwise remove it` });
    }
    const host = new URL(spec.origin).hostname;
    if (spec.origin.startsWith("http:") && spec.credentials.length > 0 && !isLoopback(host)) {
      const fix = "use https";
      findings.push({ path: [...path, "url"], message: "the credential travels unencrypted over the network", fix });
    }
  }
  return findings;
}

function lintServer({ snapshot }: LintInput): readonly Finding[] {
  if (snapshot.defaultRoute !== undefined) return [];
  const fix = "add a route named default";
  return [{ path: ["routes"], message: "no default route: callers that name no model are refused", fix }];
}
