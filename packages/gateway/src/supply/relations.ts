import type { ClaimStatus, SupplyNodeId, SupplyNodeKind, SupplyRelation } from "#domain/supply";

/** Every kind of node, in the order in which a call meets them. */
export const nodeKinds = [
  "model",
  "vendor",
  "endpoint",
  "storefront",
  "operator",
  "owner",
  "site",
  "region",
  "edge",
  "identity",
  "chip",
  "parent",
] as const satisfies readonly SupplyNodeKind[];

/** The weakest first. */
export const claimStatuses = ["unverified", "report", "fact", "declared"] as const satisfies readonly ClaimStatus[];

interface Ends {
  readonly from: readonly SupplyNodeKind[];
  readonly to: readonly SupplyNodeKind[];
}

const organisations = ["parent", "vendor", "operator", "owner"] as const;

/** What each relation may lead from and to: a claim that is turned round would lead nowhere, in silence. */
export const relationEnds: Readonly<Record<SupplyRelation, Ends>> = {
  "sold-by": { from: ["model", "vendor", "endpoint"], to: ["storefront"] },
  "operated-by": { from: ["storefront", "endpoint"], to: ["operator"] },
  "owned-by": { from: ["site", "region", "endpoint", "operator"], to: ["owner"] },
  "sited-at": { from: ["operator", "owner", "storefront", "endpoint"], to: ["site"] },
  "in-region": { from: ["endpoint", "storefront", "operator", "owner", "site"], to: ["region"] },
  "behind-edge": { from: ["storefront", "endpoint", "operator"], to: ["edge"] },
  "logs-in-with": { from: ["storefront", "endpoint", "operator", "edge"], to: ["identity"] },
  "runs-on": { from: ["operator", "storefront", "endpoint", "edge", "identity"], to: ["owner", "chip"] },
  "made-by": { from: ["model"], to: ["vendor"] },
  "part-of": {
    from: ["vendor", "operator", "owner", "storefront", "site", "region", "edge", "identity", "parent"],
    to: ["parent", "region"],
  },
  supplies: { from: organisations, to: organisations },
  "customer-of": { from: organisations, to: organisations },
  "invests-in": { from: organisations, to: organisations },
  "competes-with": { from: organisations, to: organisations },
};

export const relations = Object.keys(relationEnds) as readonly SupplyRelation[];

/** `operator:anthropic`; undefined where the text is no kind, a colon and a name. */
export function readNodeId(text: string): SupplyNodeId | undefined {
  const written = text.trim().toLowerCase();
  const [kind, name] = [written.slice(0, written.indexOf(":")), written.slice(written.indexOf(":") + 1)];
  const known = nodeKinds.find((each) => each === kind);
  return known === undefined || !nodeName.test(name) ? undefined : `${known}:${name}`;
}

const nodeName = /^(?:\*\.)?[a-z0-9][a-z0-9._/-]{0,99}$/u;
