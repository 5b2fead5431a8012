import type { Claim, SupplyNodeId, SupplyRelation } from "#domain/supply";
import { whole } from "./share.ts";
import { kindOf } from "./graph.ts";

/** Claims that cannot all be true. They are kept beside each other, and the graph allows what any of them allows; but what is declared has the last word. */
export interface Contradiction {
  readonly why: string;
  readonly claims: readonly Claim[];
}

/** Of these a thing has one, in parts at the most. */
const exclusive: ReadonlySet<SupplyRelation> = new Set(["operated-by", "owned-by", "part-of", "in-region"]);

/** Of these the one excludes the other the more often, though not always. */
const oneWay: ReadonlySet<SupplyRelation> = new Set(["supplies", "operated-by"]);

export function contradictions(claims: readonly Claim[]): readonly Contradiction[] {
  return [...sharesApart(claims), ...moreThanAll(claims), ...bothWays(claims)];
}

function sharesApart(claims: readonly Claim[]): readonly Contradiction[] {
  const same = Map.groupBy(claims, ({ subject, relation, object }) => key(subject, relation, object));
  return [...same.values()].flatMap((group) =>
    pairs(group).flatMap(([a, b]) => {
      const [one, other] = [a.share ?? whole, b.share ?? whole];
      const apart = Math.max(one[0], other[0]) > Math.min(one[1], other[1]);
      return apart && overlap(a, b) ? [{ why: "two shares that no share fits", claims: [a, b] }] : [];
    }),
  );
}

/** What is wholly one's cannot be wholly another's. */
function moreThanAll(claims: readonly Claim[]): readonly Contradiction[] {
  const exclusives = claims.filter(({ relation }) => exclusive.has(relation));
  const bySubject = Map.groupBy(
    exclusives,
    ({ subject, relation, object }) => `${subject} ${relation} ${kindOf(object)}`,
  );
  return [...bySubject.values()].flatMap((group) =>
    pairs(group).flatMap(([a, b]) => {
      const least = (a.share ?? whole)[0] + (b.share ?? whole)[0];
      if (a.object === b.object || least <= 1 || !overlap(a, b)) return [];
      return [{ why: "shares of more than all of it", claims: [a, b] }];
    }),
  );
}

function key(subject: SupplyNodeId, relation: SupplyRelation, object: SupplyNodeId): string {
  return `${subject} ${relation} ${object}`;
}

function bothWays(claims: readonly Claim[]): readonly Contradiction[] {
  const all = claims.filter(({ relation }) => oneWay.has(relation));
  const byEnds = Map.groupBy(all, ({ subject, relation, object }) => key(subject, relation, object));
  return all.flatMap((claim) =>
    (byEnds.get(key(claim.object, claim.relation, claim.subject)) ?? []).flatMap((turned) => {
      const isDoubted = claim.status === "unverified" || turned.status === "unverified";
      return claim.subject < turned.subject && isDoubted && overlap(claim, turned)
        ? [{ why: "said both ways round, and one of them is unverified", claims: [claim, turned] }]
        : [];
    }),
  );
}

function pairs(claims: readonly Claim[]): readonly (readonly [Claim, Claim])[] {
  return claims.flatMap((a, at) => claims.slice(at + 1).map((b): readonly [Claim, Claim] => [a, b]));
}

/** Whether there is a day on which both hold. */
function overlap(a: Claim, b: Claim): boolean {
  return (a.from ?? "") <= (b.to ?? "9999") && (b.from ?? "") <= (a.to ?? "9999");
}
