/** How far a claim is borne out: `declared` is the operator's own word, `fact` has a primary source. */
export type ClaimStatus = "fact" | "report" | "unverified" | "declared";

/** Lower and upper bound of a share, 0 to 1. What nobody published is `[0, 1]`, never a guess in between. */
export type ShareInterval = readonly [lo: number, hi: number];

/**
 * What the supply graph's nodes are. `endpoint`: base address, login and region. `storefront`: who bills. `operator`: who
 * runs the inference. `owner`: who owns the machines. `edge`, `identity`: what stands before them. `parent`: who owns the
 * company.
 */
export type SupplyNodeKind =
  | "model"
  | "vendor"
  | "endpoint"
  | "storefront"
  | "operator"
  | "owner"
  | "site"
  | "region"
  | "edge"
  | "identity"
  | "chip"
  | "parent";

/** `operator:anthropic`: a kind, a colon, a name in lower case. */
export type SupplyNodeId = `${SupplyNodeKind}:${string}`;

/** Read as "subject relation object": `storefront:bedrock operated-by operator:aws`. */
export type SupplyRelation =
  | "sold-by"
  | "operated-by"
  | "owned-by"
  | "sited-at"
  | "in-region"
  | "behind-edge"
  | "logs-in-with"
  | "runs-on"
  | "made-by"
  | "part-of"
  | "supplies"
  | "customer-of"
  | "invests-in"
  | "competes-with";

/** A dated, sourced statement. Not a truth: claims that contradict each other are kept beside each other. */
export interface Claim {
  readonly subject: SupplyNodeId;
  readonly relation: SupplyRelation;
  readonly object: SupplyNodeId;
  /** How much of the subject hangs on the object. Absent: all of it. */
  readonly share?: ShareInterval;
  readonly status: ClaimStatus;
  /** Where it is said: a document's name or address. */
  readonly source: string;
  /** ISO date on which it was read. */
  readonly seen: string;
  /** ISO dates between which it holds; absent: open. */
  readonly from?: string;
  readonly to?: string;
  /** What a reader should know beside it. */
  readonly note?: string;
}

/** A node under the names people know it by. */
export interface SupplyNode {
  readonly id: SupplyNodeId;
  readonly title: string;
  /** Other names it is found by. */
  readonly aliases?: readonly string[];
  /** Of a region: several, or whichever the operator likes. Two targets in it need not be near each other. */
  readonly wide?: true;
}

/** What ships with the gateway: `data/supply.json`. */
export interface SupplySeed {
  /** ISO date on which it was last gone through. */
  readonly date: string;
  readonly nodes: readonly SupplyNode[];
  readonly claims: readonly Claim[];
}

/** The supply graph as data: the seed that ships with the gateway, and what its operator adds. */
export interface SupplyData extends SupplySeed {
  /** Twelve hex digits of a hash over all of it: records say by which graph a call was planned. */
  readonly version: string;
}

/** For worlds in which nobody claims anything: every group is then the configuration's own word. */
export const emptySupply: SupplyData = { version: "000000000000", date: "1970-01-01", nodes: [], claims: [] };

/**
 * How often one target takes another along, as measured in own traffic: beside what is claimed, never in its place.
 * `beta`: the mean, within `lo` and `hi` (95 %), from so many events, in `joint` of which
 * both failed.
 */
export interface MeasuredPair {
  /** Of whose failures. */
  readonly failed: string;
  readonly other: string;
  readonly beta: number;
  readonly lo: number;
  readonly hi: number;
  readonly events: number;
  readonly joint: number;
}

/** What targets share when they fail together (RFC 4202 calls it a shared-risk link group). */
export type RiskKind =
  | "provider"
  | "storefront"
  | "operator"
  | "owner"
  | "site"
  | "region"
  | "edge"
  | "identity"
  | "chip"
  | "model";

/** A group a target belongs to. Its text form is `kind:name`. */
export interface RiskGroup {
  readonly kind: RiskKind;
  readonly name: string;
  /** How much of the target's traffic hangs on it. */
  readonly share: ShareInterval;
  readonly status: ClaimStatus;
}
