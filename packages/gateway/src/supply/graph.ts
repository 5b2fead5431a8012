import type {
  Claim,
  ClaimStatus,
  RiskGroup,
  ShareInterval,
  SupplyData,
  SupplyNode,
  SupplyNodeId,
  SupplyNodeKind,
  SupplyRelation,
} from "#domain/supply";
import { claimStatuses } from "./relations.ts";
import { common, hull, whole } from "./share.ts";

/** Claims of one subject, relation and object, taken together. All of them stay readable in `claims`. */
export interface SupplyEdge {
  readonly subject: SupplyNodeId;
  readonly relation: SupplyRelation;
  readonly object: SupplyNodeId;
  /** What the claims allow together. */
  readonly share: ShareInterval;
  /** Of the best-borne claim. */
  readonly status: ClaimStatus;
  readonly claims: readonly Claim[];
}

/** Dated claims as a graph, as it stood on one day. Immutable. */
export class SupplyGraph {
  readonly version: string;
  readonly nodes: ReadonlyMap<SupplyNodeId, SupplyNode>;
  readonly #from: ReadonlyMap<SupplyNodeId, readonly SupplyEdge[]>;
  readonly #to: ReadonlyMap<SupplyNodeId, readonly SupplyEdge[]>;
  readonly #names: ReadonlyMap<string, readonly SupplyNodeId[]>;

  /** `onDate` (ISO date) leaves out what no longer or not yet holds. */
  constructor(data: SupplyData, onDate: string) {
    this.version = data.version;
    const edges = edgesOf(data.claims.filter((claim) => holds(claim, onDate)));
    this.#from = Map.groupBy(edges, ({ subject }) => subject);
    this.#to = Map.groupBy(edges, ({ object }) => object);
    this.nodes = nodesOf(data);
    this.#names = namesOf([...this.nodes.values()]);
  }

  /** What is said of a node, in the order of the claims. */
  from(id: SupplyNodeId): readonly SupplyEdge[] {
    return this.#from.get(id) ?? [];
  }

  to(id: SupplyNodeId): readonly SupplyEdge[] {
    return this.#to.get(id) ?? [];
  }

  /** Nodes of this id, title or alias, whatever the case; several where an organisation is more than one thing. */
  find(name: string): readonly SupplyNode[] {
    const ids = this.#names.get(name.trim().toLowerCase()) ?? [];
    return ids.flatMap((id) => this.nodes.get(id) ?? []);
  }
}

/** `operator:anthropic` */
export function groupText({ kind, name }: Pick<RiskGroup, "kind" | "name">): string {
  return `${kind}:${name}`;
}

export function kindOf(id: SupplyNodeId): SupplyNodeKind {
  // What stands before the first colon of an id is its kind, by the type.
  return id.slice(0, id.indexOf(":")) as SupplyNodeKind;
}

export function nameOf(id: SupplyNodeId): string {
  return id.slice(id.indexOf(":") + 1);
}

/** The one that is borne out less. */
export function weaker(one: ClaimStatus, other: ClaimStatus): ClaimStatus {
  return claimStatuses.indexOf(other) < claimStatuses.indexOf(one) ? other : one;
}

/** The one that is borne out more. */
export function stronger(one: ClaimStatus, other: ClaimStatus): ClaimStatus {
  return weaker(one, other) === one ? other : one;
}

function holds({ from, to }: Claim, onDate: string): boolean {
  return (from === undefined || from <= onDate) && (to === undefined || onDate <= to);
}

function edgesOf(claims: readonly Claim[]): readonly SupplyEdge[] {
  const byEnds = Map.groupBy(claims, ({ subject, relation, object }) => `${subject} ${relation} ${object}`);
  return [...byEnds.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    return [
      {
        subject: first.subject,
        relation: first.relation,
        object: first.object,
        share: shareOf(same),
        status: same.map(({ status }) => status).reduce(stronger),
        claims: same,
      },
    ];
  });
}

/**
 * What claims of one edge allow together. The gateway's operator has the last word. Else the best-borne ones narrow each
 * other, and a weaker one only widens: where it contradicts them, both are possible.
 */
function shareOf(claims: readonly Claim[]): ShareInterval {
  const best = claims.map(({ status }) => status).reduce(stronger);
  const strong = claims.filter(({ status }) => status === best).map(({ share }) => share ?? whole);
  const allowed = strong.reduce((one, other) => common(one, other) ?? hull(one, other));
  if (best === "declared") return allowed;
  const weak = claims.filter(({ status }) => status !== best).map(({ share }) => share ?? whole);
  return weak.filter((share) => common(share, allowed) === undefined).reduce(hull, allowed);
}

/** Nodes that only a claim names are nodes all the same. */
function nodesOf({ nodes, claims }: SupplyData): ReadonlyMap<SupplyNodeId, SupplyNode> {
  const all = new Map<SupplyNodeId, SupplyNode>(nodes.map((node) => [node.id, node]));
  for (const id of claims.flatMap(({ subject, object }) => [subject, object])) {
    if (!all.has(id)) all.set(id, { id, title: nameOf(id) });
  }
  return all;
}

function namesOf(nodes: readonly SupplyNode[]): ReadonlyMap<string, readonly SupplyNodeId[]> {
  const names = new Map<string, SupplyNodeId[]>();
  for (const { id, title, aliases = [] } of nodes) {
    const own = new Set([id, nameOf(id), title, ...aliases].map((name) => name.toLowerCase()));
    for (const name of own) names.set(name, [...(names.get(name) ?? []), id]);
  }
  return names;
}
