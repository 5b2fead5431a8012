import { readFileSync } from "node:fs";
import type { Claim, SupplyData, SupplySeed } from "#domain/supply";
import { sha256Hex } from "./fingerprint.ts";

/** `packages/gateway/data/`: three folders up from here in the sources and in `dist` alike. */
const bundled = new URL("../../../data/supply.json", import.meta.url);

/** The claims that ship with the gateway. Synchronous: once for each configuration that is read. */
export function openSupply(): SupplySeed {
  const seed = JSON.parse(readFileSync(bundled, "utf8")) as Partial<SupplySeed>;
  const { date, nodes, claims } = seed;
  if (date === undefined || !Array.isArray(nodes) || !Array.isArray(claims)) {
    throw new Error("data/supply.json of this installation is damaged; reinstall hedgerow");
  }
  return { date, nodes, claims };
}

/** A seed with further claims, under a version that names exactly these claims. */
export function supplyWith({ date, nodes, claims }: SupplySeed, more: readonly Claim[]): SupplyData {
  const all = [...claims, ...more];
  return { version: sha256Hex(JSON.stringify([nodes, all])).slice(0, 12), date, nodes, claims: all };
}

/** The graph of a gateway whose configuration claims nothing. */
export function seedSupply(): SupplyData {
  return supplyWith(openSupply(), []);
}
