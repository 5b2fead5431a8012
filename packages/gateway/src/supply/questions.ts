import type { ClaimStatus, SupplyNode, SupplyNodeId, SupplyRelation } from "#domain/supply";
import { kindOf, stronger, weaker, type SupplyEdge, type SupplyGraph } from "./graph.ts";

/** The edges that bear an answer, from the one asked about to the other. */
export type EdgePath = readonly SupplyEdge[];

/** What another organisation is to the one asked about. */
export interface Relation {
  readonly other: SupplyNode;
  /** Somebody says it in so many words, and it need not be derived. */
  readonly direct: boolean;
  /** Of the best-borne path; a path is as good as its weakest claim. */
  readonly status: ClaimStatus;
  /** Direct ones first, then the shorter ones. */
  readonly paths: readonly EdgePath[];
}

export interface SupplierAndRival {
  readonly other: SupplyNode;
  readonly supplies: Relation;
  readonly competes: Relation;
}

/** Who supplies these nodes' organisations, as claimed, or because what they run leads there. */
export function suppliersOf(graph: SupplyGraph, ids: readonly SupplyNodeId[]): readonly Relation[] {
  const own = organisationsOf(graph, ids);
  return gathered(
    graph,
    dependencies(graph).flatMap(({ customer, supplier, path }) =>
      own.has(customer) && !own.has(supplier) ? [{ other: supplier, path }] : [],
    ),
  );
}

export function customersOf(graph: SupplyGraph, ids: readonly SupplyNodeId[]): readonly Relation[] {
  const own = organisationsOf(graph, ids);
  return gathered(
    graph,
    dependencies(graph).flatMap(({ customer, supplier, path }) =>
      own.has(supplier) && !own.has(customer) ? [{ other: customer, path }] : [],
    ),
  );
}

export function investorsIn(graph: SupplyGraph, ids: readonly SupplyNodeId[]): readonly Relation[] {
  return related(graph, ids, { relation: "invests-in", asked: ["object"] });
}

export function investmentsOf(graph: SupplyGraph, ids: readonly SupplyNodeId[]): readonly Relation[] {
  return related(graph, ids, { relation: "invests-in", asked: ["subject"] });
}

/** Rivalry has no direction. */
export function rivalsOf(graph: SupplyGraph, ids: readonly SupplyNodeId[]): readonly Relation[] {
  return related(graph, ids, { relation: "competes-with", asked: ["subject", "object"] });
}

/** Whoever is both: what it does for itself may cost what it does for its customer. */
export function supplierAndRival(graph: SupplyGraph, ids: readonly SupplyNodeId[]): readonly SupplierAndRival[] {
  const rivals = new Map(rivalsOf(graph, ids).map((relation) => [relation.other.id, relation]));
  return suppliersOf(graph, ids).flatMap((supplies) => {
    const competes = rivals.get(supplies.other.id);
    return competes === undefined ? [] : [{ other: supplies.other, supplies, competes }];
  });
}

/** The organisations at the top of these nodes: `vendor:google` is Alphabet's. A node of none is its own. */
function organisationsOf(graph: SupplyGraph, ids: readonly SupplyNodeId[]): ReadonlySet<SupplyNodeId> {
  return new Set(ids.map((id) => topOf(graph, id)));
}

/** These nodes and every other one of the same organisations. */
export function withSiblings(graph: SupplyGraph, ids: readonly SupplyNodeId[]): readonly SupplyNodeId[] {
  const own = organisationsOf(graph, ids);
  return [...new Set([...ids, ...[...graph.nodes.keys()].filter((id) => own.has(topOf(graph, id)))])];
}

const maxOwners = 6;

function topOf(graph: SupplyGraph, id: SupplyNodeId): SupplyNodeId {
  let at = id;
  for (let step = 0; step < maxOwners; step += 1) {
    const up = ownerOf(graph, at);
    if (up === undefined) return at;
    at = up.object;
  }
  return at;
}

function ownerOf(graph: SupplyGraph, id: SupplyNodeId): SupplyEdge | undefined {
  return graph.from(id).find(({ relation, object }) => relation === "part-of" && kindOf(object) === "parent");
}

interface Dependency {
  readonly customer: SupplyNodeId;
  readonly supplier: SupplyNodeId;
  readonly path: EdgePath;
}

/** What a node runs on, and therefore whoever it belongs to. */
const leads: ReadonlySet<SupplyRelation> = new Set([
  "operated-by",
  "runs-on",
  "sited-at",
  "owned-by",
  "behind-edge",
  "logs-in-with",
]);
const maxLeads = 3;

/** Every pair of organisations of which one needs the other, with what says so. */
function dependencies(graph: SupplyGraph): readonly Dependency[] {
  return [...graph.nodes.keys()].flatMap((id) =>
    graph.from(id).flatMap((edge): readonly Dependency[] => {
      const [subject, object] = [topOf(graph, edge.subject), topOf(graph, edge.object)];
      if (edge.relation === "supplies") return [{ customer: object, supplier: subject, path: [edge] }];
      if (edge.relation === "customer-of") return [{ customer: subject, supplier: object, path: [edge] }];
      // Who sells a vendor's models in its own shop buys them, whoever runs them.
      if (edge.relation === "sold-by" && kindOf(edge.subject) === "vendor") {
        return [{ customer: object, supplier: subject, path: [edge] }];
      }
      return leads.has(edge.relation) ? leadsFrom(graph, subject, [edge]) : [];
    }),
  );
}

function leadsFrom(graph: SupplyGraph, customer: SupplyNodeId, path: EdgePath): readonly Dependency[] {
  const last = path.at(-1);
  if (last === undefined || kindOf(customer) !== "parent") return [];
  const supplier = topOf(graph, last.object);
  const here = kindOf(supplier) === "parent" && supplier !== customer ? [{ customer, supplier, path }] : [];
  // A supplier's own suppliers are its business; only what belongs to nobody leads on to whom it belongs to.
  if (path.length === maxLeads || kindOf(supplier) === "parent") return here;
  const further = graph.from(last.object).filter(({ relation }) => leads.has(relation));
  return further.flatMap((edge) => leadsFrom(graph, customer, [...path, edge]));
}

interface Asked {
  readonly relation: SupplyRelation;
  /** At which end whoever is asked about stands. */
  readonly asked: readonly ("subject" | "object")[];
}

function related(graph: SupplyGraph, ids: readonly SupplyNodeId[], { relation, asked }: Asked): readonly Relation[] {
  const own = organisationsOf(graph, ids);
  const found = [...graph.nodes.keys()].flatMap((id) =>
    graph.from(id).flatMap((edge) => {
      if (edge.relation !== relation) return [];
      return asked.flatMap((end) => {
        const other = topOf(graph, edge[end === "subject" ? "object" : "subject"]);
        return own.has(topOf(graph, edge[end])) && !own.has(other) ? [{ other, path: [edge] }] : [];
      });
    }),
  );
  return gathered(graph, found);
}

interface Found {
  readonly other: SupplyNodeId;
  readonly path: EdgePath;
}

function gathered(graph: SupplyGraph, found: readonly Found[]): readonly Relation[] {
  const byOther = Map.groupBy(found, ({ other }) => other);
  const relations = [...byOther].map(([id, all]): Relation => {
    const paths = all
      .map(({ path }) => path)
      .toSorted((a, b) => Number(isDerived(a)) - Number(isDerived(b)) || a.length - b.length);
    return {
      other: graph.nodes.get(id) ?? { id, title: id },
      direct: paths.some((path) => !isDerived(path)),
      status: paths.map(statusOf).reduce(stronger),
      paths,
    };
  });
  return relations.toSorted((a, b) => a.other.title.localeCompare(b.other.title, "en"));
}

const said: ReadonlySet<SupplyRelation> = new Set(["supplies", "customer-of", "invests-in", "competes-with"]);

function isDerived(path: EdgePath): boolean {
  return !path.some(({ relation }) => said.has(relation));
}

function statusOf(path: EdgePath): ClaimStatus {
  return path.map(({ status }) => status).reduce(weaker);
}
