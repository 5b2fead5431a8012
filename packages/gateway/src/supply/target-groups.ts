import type { Target } from "#domain/plan";
import type { ProviderSpec, Snapshot } from "#domain/snapshot";
import type { ClaimStatus, RiskGroup, RiskKind, ShareInterval, SupplyNodeId, SupplyRelation } from "#domain/supply";
import { groupText, kindOf, nameOf, stronger, SupplyGraph, weaker } from "./graph.ts";
import { along, either, whole } from "./share.ts";

/** A target as the graph looks it up. */
export interface SuppliedTarget {
  /** The provider's name in the configuration. */
  readonly provider: string;
  /** Its kind, which is the storefront's name: `bedrock`. */
  readonly kind: string;
  /** Canonical `vendor/model`, or the provider's own name where nobody knows it. */
  readonly model: string;
  /** The host that is asked. */
  readonly host?: string;
  /** What the configuration says wins over every claim. */
  readonly operator?: string;
  readonly owner?: string;
  readonly region?: string;
  /** What is usual of the kind, where neither configuration nor claims say it. */
  readonly usual?: { readonly operator?: string; readonly owner?: string };
}

/** Each is a name of a caller's making at the most; beyond so many, the oldest is computed anew. */
const maxCached = 4096;

/**
 * The shared-risk groups of a snapshot's targets on a day (ISO date). One for each snapshot and day: it remembers, and
 * is as pure as a memory of pure answers can be.
 */
export function targetGroups(
  { supply, providers }: Pick<Snapshot, "supply" | "providers">,
  onDate: string,
): (target: Target) => readonly RiskGroup[] {
  const graph = new SupplyGraph(supply, onDate);
  const known = new Map<string, readonly RiskGroup[]>();
  return (target) => {
    const found = known.get(target.id);
    if (found !== undefined) return found;
    const spec = providers.get(target.provider);
    const groups = spec === undefined ? unconfigured(target) : groupsOf(graph, suppliedTarget(spec, target));
    const oldest = known.keys().next();
    if (known.size >= maxCached && oldest.done !== true) known.delete(oldest.value);
    known.set(target.id, groups);
    return groups;
  };
}

/** Of a record of a provider that is not configured any more, nothing is known but its name. */
function unconfigured({ provider, model }: Target): readonly RiskGroup[] {
  return [
    { kind: "provider", name: provider, share: whole, status: "declared" },
    { kind: "model", name: model, share: whole, status: "declared" },
  ];
}

function suppliedTarget(spec: ProviderSpec, { model, traits }: Pick<Target, "model" | "traits">): SuppliedTarget {
  const { id, kind, vendor, origin, operator, owner, region, usual } = spec;
  const name = traits?.name ?? spec.models.get(model)?.name ?? (vendor === undefined ? model : `${vendor}/${model}`);
  return {
    provider: id,
    kind,
    model: name,
    host: new URL(origin).hostname,
    ...(operator === undefined ? {} : { operator }),
    ...(owner === undefined ? {} : { owner }),
    ...(region === undefined ? {} : { region }),
    ...(usual === undefined ? {} : { usual }),
  };
}

/** Every shared-risk group of a target. What nobody said is in no group: it is unknown, not apart. */
export function groupsOf(graph: SupplyGraph, target: SuppliedTarget): readonly RiskGroup[] {
  const groups = new Groups();
  groups.add({ kind: "provider", name: target.provider, share: whole, status: "declared" });
  groups.add({ kind: "model", name: target.model.toLowerCase(), share: whole, status: "declared" });
  new Walk(graph, target, groups).run();
  return groups.all();
}

/** Relations that lead from what is asked to what fails with it. */
const leads: ReadonlySet<SupplyRelation> = new Set([
  "operated-by",
  "owned-by",
  "sited-at",
  "in-region",
  "behind-edge",
  "logs-in-with",
  "runs-on",
]);

/** What a claim of a kind of node says of a target; the other kinds of node group nothing. */
const riskKinds: Readonly<Partial<Record<string, RiskKind>>> = {
  storefront: "storefront",
  operator: "operator",
  owner: "owner",
  site: "site",
  region: "region",
  edge: "edge",
  identity: "identity",
  chip: "chip",
};

/** Paths longer than this are loops in somebody's claims. */
const maxSteps = 6;

interface Step {
  readonly at: SupplyNodeId;
  readonly share: ShareInterval;
  readonly status: ClaimStatus;
  readonly seen: readonly SupplyNodeId[];
}

class Walk {
  readonly #graph: SupplyGraph;
  readonly #target: SuppliedTarget;
  readonly #groups: Groups;
  readonly #operator: SupplyNodeId | undefined;
  readonly #owner: SupplyNodeId | undefined;
  readonly #region: SupplyNodeId | undefined;

  constructor(graph: SupplyGraph, target: SuppliedTarget, groups: Groups) {
    this.#graph = graph;
    this.#target = target;
    this.#groups = groups;
    this.#operator = this.#declared("operator", target.operator);
    this.#owner = this.#declared("owner", target.owner);
    this.#region = this.#declared("region", target.region);
  }

  run(): void {
    const endpoint = this.#endpoint();
    const storefront = this.#storefront(endpoint);
    if (endpoint !== undefined) this.#follow(startAt(endpoint));
    if (storefront !== undefined) {
      this.#groups.add({ kind: "storefront", name: nameOf(storefront), share: whole, status: "declared" });
      if (this.#runsThere(storefront)) this.#follow(startAt(storefront), this.#groups.has("region"));
    }
    for (const id of [this.#operator, this.#owner, this.#region]) {
      if (id !== undefined) this.#arrive(startAt(id));
    }
    const { usual } = this.#target;
    for (const kind of ["operator", "owner"] as const) {
      const id = this.#groups.has(kind) ? undefined : this.#declared(kind, usual?.[kind]);
      if (id !== undefined) this.#arrive({ ...startAt(id), status: "report" });
    }
  }

  /** `AWS` and `aws` are one; a name that the graph does not know is one of the configuration's own. */
  #declared(kind: "operator" | "owner" | "region", name: string | undefined): SupplyNodeId | undefined {
    if (name === undefined) return undefined;
    const known = this.#graph.find(name).find(({ id }) => kindOf(id) === kind);
    return known?.id ?? `${kind}:${name.trim().toLowerCase()}`;
  }

  /** `endpoint:us.api.x.ai`, else the nearest `endpoint:*.x.ai` above it. */
  #endpoint(): SupplyNodeId | undefined {
    const { host } = this.#target;
    if (host === undefined) return undefined;
    const labels = host.toLowerCase().split(".");
    const above = labels.map((_, at): SupplyNodeId => `endpoint:*.${labels.slice(at + 1).join(".")}`);
    const exact: SupplyNodeId = `endpoint:${host.toLowerCase()}`;
    return [exact, ...above].find((id) => this.#graph.nodes.has(id));
  }

  /** `storefront:azure-foundry/anthropic` before `storefront:azure-foundry`: one shop may sell what several run. */
  #storefront(endpoint: SupplyNodeId | undefined): SupplyNodeId | undefined {
    const sold =
      endpoint === undefined ? [] : this.#graph.from(endpoint).filter(({ relation }) => relation === "sold-by");
    const { kind, model } = this.#target;
    const shop: SupplyNodeId = sold[0]?.object ?? `storefront:${kind}`;
    const slash = model.indexOf("/");
    const narrow: SupplyNodeId[] = slash === -1 ? [] : [`storefront:${nameOf(shop)}/${model.slice(0, slash)}`];
    return [...narrow, shop].find((id) => this.#graph.nodes.has(id));
  }

  /** Where another operator is declared than the claims name, they speak of another login, edge and owner, too. */
  #runsThere(storefront: SupplyNodeId): boolean {
    const named = this.#graph.from(storefront).filter(({ relation }) => relation === "operated-by");
    return this.#operator === undefined || named.length === 0 || named.some(({ object }) => object === this.#operator);
  }

  #follow(step: Step, hasRegion = false): void {
    if (step.seen.length > maxSteps) return;
    for (const edge of this.#graph.from(step.at)) {
      const kind = kindOf(edge.object);
      if (!leads.has(edge.relation) || step.seen.includes(edge.object) || this.#isOverruled(edge.object)) continue;
      // What is said of an address is nearer than what is said of the shop it belongs to.
      if (kind === "region" && hasRegion) continue;
      this.#arrive({
        at: edge.object,
        share: along(step.share, edge.share),
        status: weaker(step.status, edge.status),
        seen: [...step.seen, edge.object],
      });
    }
  }

  #arrive(step: Step): void {
    const kind = riskKinds[kindOf(step.at)];
    const isWide = this.#graph.nodes.get(step.at)?.wide === true;
    if (kind !== undefined && !isWide) {
      this.#groups.add({ kind, name: nameOf(step.at), share: step.share, status: step.status });
    }
    this.#follow(step);
  }

  #isOverruled(id: SupplyNodeId): boolean {
    const kind = kindOf(id);
    if (kind === "operator") return this.#operator !== undefined;
    if (kind === "region") return this.#region !== undefined;
    if (this.#owner === undefined) return false;
    if (kind === "owner") return true;
    const owners = this.#graph.from(id).filter(({ relation }) => relation === "owned-by");
    return kind === "site" && owners.length > 0 && owners.every(({ object }) => object !== this.#owner);
  }
}

function startAt(at: SupplyNodeId): Step {
  return { at, share: whole, status: "declared", seen: [at] };
}

/** Groups by their text: two ways to the same one make one, with what both allow. */
class Groups {
  readonly #groups = new Map<string, RiskGroup>();

  add(group: RiskGroup): void {
    const text = groupText(group);
    const known = this.#groups.get(text);
    if (known === undefined) this.#groups.set(text, group);
    else {
      const share = either(known.share, group.share);
      this.#groups.set(text, { ...group, share, status: stronger(known.status, group.status) });
    }
  }

  has(kind: RiskKind): boolean {
    return this.all().some((group) => group.kind === kind);
  }

  all(): readonly RiskGroup[] {
    return [...this.#groups.values()];
  }
}
