import type {
  Claim,
  ClaimStatus,
  RiskGroup,
  RiskKind,
  ShareInterval,
  SupplyData,
  SupplyNode,
  SupplyNodeId,
  SupplyRelation,
} from "#domain/supply";
import { along, either, hull, whole } from "./share.ts";

/** A target as the graph looks it up. */
export interface SuppliedTarget {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** Its kind, which is the storefront's name: `bedrock`. */
  readonly kind: string;
  /** Canonical `vendor/model`, or the provider's own name where nobody knows it. */
  readonly model: string;
  /** What the configuration says wins over every claim. */
  readonly operator?: string;
  readonly owner?: string;
  readonly region?: string;
  /** What the kind's own page says, where neither configuration nor claims do. */
  readonly usual?: { readonly operator?: string; readonly owner?: string };
}

/** Claims of one subject, relation and object, taken together. All of them stay readable in `claims`. */
export interface SupplyEdge {
  readonly subject: SupplyNodeId;
  readonly relation: SupplyRelation;
  readonly object: SupplyNodeId;
  /** The hull of what the claims say. */
  readonly share: ShareInterval;
  /** Of the best-borne claim. */
  readonly status: ClaimStatus;
  readonly claims: readonly Claim[];
}

/** Relations that lead from what is asked to what fails with it. */
const leads: ReadonlySet<SupplyRelation> = new Set([
  "sold-by",
  "operated-by",
  "owned-by",
  "sited-at",
  "in-region",
  "behind-edge",
  "logs-in-with",
  "runs-on",
]);

const riskKinds: ReadonlySet<string> = new Set<RiskKind>([
  "storefront",
  "operator",
  "owner",
  "site",
  "region",
  "edge",
  "identity",
  "chip",
]);

const strength: Readonly<Record<ClaimStatus, number>> = { unverified: 0, report: 1, fact: 2, declared: 3 };

/** Paths longer than this are loops in somebody's claims. */
const maxSteps = 6;

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

  /** Every shared-risk group of a target. What nobody said is in no group: it is unknown, not apart. */
  groupsOf(target: SuppliedTarget): readonly RiskGroup[] {
    const groups = new Map<string, RiskGroup>();
    add(groups, { kind: "provider", name: target.provider, share: whole, status: "declared" });
    add(groups, { kind: "model", name: target.model, share: whole, status: "declared" });
    const start = this.#entry(target);
    if (start !== undefined) {
      add(groups, { kind: "storefront", name: nameOf(start), share: whole, status: "declared" });
      this.#walk({ at: start, share: whole, status: "declared", seen: [start] }, groups);
    }
    this.#override(target, groups);
    return [...groups.values()];
  }

  /** `storefront:azure-foundry/anthropic` before `storefront:azure-foundry`: one shop may sell what several run. */
  #entry({ kind, model }: SuppliedTarget): SupplyNodeId | undefined {
    const slash = model.indexOf("/");
    const narrow: SupplyNodeId = `storefront:${kind}/${slash === -1 ? model : model.slice(0, slash)}`;
    const wide: SupplyNodeId = `storefront:${kind}`;
    return [narrow, wide].find((id) => this.nodes.has(id));
  }

  #walk(step: Step, groups: Map<string, RiskGroup>): void {
    if (step.seen.length > maxSteps) return;
    for (const edge of this.from(step.at)) {
      if (!leads.has(edge.relation) || step.seen.includes(edge.object)) continue;
      const share = along(step.share, edge.share);
      const status = strength[edge.status] < strength[step.status] ? edge.status : step.status;
      const kind = kindOf(edge.object);
      if (riskKinds.has(kind)) add(groups, { kind: kind as RiskKind, name: nameOf(edge.object), share, status });
      this.#walk({ at: edge.object, share, status, seen: [...step.seen, edge.object] }, groups);
    }
  }

  #override(target: SuppliedTarget, groups: Map<string, RiskGroup>): void {
    const { operator, owner, region, usual } = target;
    const declare = (kind: "operator" | "owner" | "region", name: string | undefined): void => {
      if (name === undefined) return;
      drop(groups, kind);
      // Another operator has another login, edge and owner than the seed knows of.
      if (kind === "operator") for (const other of ["owner", "site", "edge", "identity", "chip"]) drop(groups, other);
      add(groups, { kind, name: name.toLowerCase(), share: whole, status: "declared" });
      if (kind === "operator") {
        const id: SupplyNodeId = `operator:${name.toLowerCase()}`;
        this.#walk({ at: id, share: whole, status: "declared", seen: [id] }, groups);
      }
    };
    const known = [...groups.values()].find(({ kind }) => kind === "operator")?.name;
    if (operator?.toLowerCase() !== known) declare("operator", operator);
    declare("owner", owner);
    declare("region", region);
    for (const kind of ["operator", "owner"] as const) {
      if (![...groups.values()].some((group) => group.kind === kind)) declare(kind, usual?.[kind]);
    }
  }
}

interface Step {
  readonly at: SupplyNodeId;
  readonly share: ShareInterval;
  readonly status: ClaimStatus;
  readonly seen: readonly SupplyNodeId[];
}

/** `operator:anthropic` */
export function groupText({ kind, name }: Pick<RiskGroup, "kind" | "name">): string {
  return `${kind}:${name}`;
}

export function kindOf(id: SupplyNodeId): string {
  return id.slice(0, id.indexOf(":"));
}

export function nameOf(id: SupplyNodeId): string {
  return id.slice(id.indexOf(":") + 1);
}

function add(groups: Map<string, RiskGroup>, group: RiskGroup): void {
  const text = groupText(group);
  const known = groups.get(text);
  if (known === undefined) {
    groups.set(text, group);
    return;
  }
  const status = strength[known.status] >= strength[group.status] ? known.status : group.status;
  groups.set(text, { ...group, share: either(known.share, group.share), status });
}

function drop(groups: Map<string, RiskGroup>, kind: string): void {
  for (const [text, group] of groups) if (group.kind === kind) groups.delete(text);
}

function holds({ from, to }: Claim, onDate: string): boolean {
  return (from === undefined || from <= onDate) && (to === undefined || onDate <= to);
}

function edgesOf(claims: readonly Claim[]): readonly SupplyEdge[] {
  const byEnds = Map.groupBy(claims, ({ subject, relation, object }) => `${subject} ${relation} ${object}`);
  return [...byEnds.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const shares = same.map(({ share }) => share ?? whole);
    const best = same.toSorted((a, b) => strength[b.status] - strength[a.status])[0] ?? first;
    return [
      {
        subject: first.subject,
        relation: first.relation,
        object: first.object,
        share: shares.reduce(hull),
        status: best.status,
        claims: same,
      },
    ];
  });
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
