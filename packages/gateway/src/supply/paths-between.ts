import type { SupplyNodeId } from "#domain/supply";
import { kindOf, type SupplyEdge, type SupplyGraph } from "./graph.ts";
import type { EdgePath } from "./questions.ts";

const maxSteps = 5;
const maxPaths = 12;
/** Ways that are looked at before giving up. */
const maxLooks = 20_000;

interface Way {
  readonly at: SupplyNodeId;
  readonly path: EdgePath;
  readonly seen: readonly SupplyNodeId[];
}

/**
 * The shortest ways from any of one's nodes to any of the other's, whatever the direction of the claims: at most twelve,
 * and none more than one step longer than the shortest. A rival's rival and a geography connect nothing.
 */
export function pathsBetween(
  graph: SupplyGraph,
  from: readonly SupplyNodeId[],
  to: readonly SupplyNodeId[],
): readonly EdgePath[] {
  const goals = new Set(to);
  const starts = new Set(from);
  const found: EdgePath[] = [];
  let ways: readonly Way[] = from.filter((id) => !goals.has(id)).map((at) => ({ at, path: [], seen: [at] }));
  let looks = 0;
  for (let step = 1; step <= maxSteps && ways.length > 0; step += 1) {
    const longer: Way[] = [];
    for (const way of ways) {
      for (const { edge, next } of stepsFrom(graph, way.at)) {
        if (++looks > maxLooks) return found;
        if (way.seen.includes(next) || starts.has(next)) continue;
        if (edge.relation === "competes-with" && !(step === 1 && goals.has(next))) continue;
        const path = [...way.path, edge];
        if (!goals.has(next)) longer.push({ at: next, path, seen: [...way.seen, next] });
        else if (found.push(path) === maxPaths) return found;
      }
    }
    const shortest = found[0]?.length;
    if (shortest !== undefined && step >= shortest + 1) return found;
    ways = longer;
  }
  return found;
}

function stepsFrom(
  graph: SupplyGraph,
  id: SupplyNodeId,
): readonly { readonly edge: SupplyEdge; readonly next: SupplyNodeId }[] {
  const steps = [
    ...graph.from(id).map((edge) => ({ edge, next: edge.object })),
    ...graph.to(id).map((edge) => ({ edge, next: edge.subject })),
  ];
  return steps.filter(({ next }) => kindOf(next) !== "region" || graph.nodes.get(next)?.wide !== true);
}
