import type { SupplyNodeId } from "#domain/supply";
import { findKind } from "#providers/kinds";
import { kindOf, nameOf, type SupplyGraph } from "#supply/graph";
import type { Endpoint } from "./read-outages.ts";

/** Who a label stands for, in the words of a provider's entry: the shop, and who runs it where no claim says so. */
export interface Supplier {
  readonly kind: string;
  readonly operator?: string;
}

/**
 * The supply graph's name for an endpoint. The end of its tag may name a shop of its own (`amazon-bedrock/claude-on-aws`
 * is not what Amazon runs); else its beginning or its label names a shop or an operator; else the label is the operator.
 */
export function supplierOf(graph: SupplyGraph, { operator, tag, model }: Endpoint): Supplier {
  const parts = tag.split("/");
  const first = parts[0] ?? tag;
  const last = parts.length > 1 ? (parts.at(-1) ?? "") : "";
  const vendor = model.split("/", 1)[0] ?? "";
  for (const word of [last, findKind(first)?.id ?? "", first, operator]) {
    const shop = graph.find(word).find(({ id }) => kindOf(id) === "storefront");
    if (shop !== undefined) return { kind: narrower(graph, shop.id, vendor) };
  }
  const known = [operator, first].flatMap((word) => graph.find(word)).find(({ id }) => kindOf(id) === "operator");
  return known === undefined
    ? { kind: first, operator: operator.toLowerCase() }
    : { kind: first, operator: nameOf(known.id) };
}

/** Of the shops that one operator runs, the one that sells this vendor's models on other terms, where there is one. */
function narrower(graph: SupplyGraph, shop: SupplyNodeId, vendor: string): string {
  const operators = graph.from(shop).filter(({ relation }) => relation === "operated-by");
  const siblings = operators.flatMap(({ object }) =>
    graph.to(object).flatMap(({ relation, subject }) => (relation === "operated-by" ? [subject] : [])),
  );
  const found = [shop, ...siblings].find((id) => graph.nodes.has(`${id}/${vendor}` as SupplyNodeId));
  return nameOf(found ?? shop);
}

/** The company behind an operator, else the operator itself. */
export function parentOf(graph: SupplyGraph, operator: string): string {
  const owned = graph.from(`operator:${operator}`).find(({ relation }) => relation === "part-of");
  return owned === undefined ? operator : nameOf(owned.object);
}
