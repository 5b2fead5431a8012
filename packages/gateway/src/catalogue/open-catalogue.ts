import { readFileSync } from "node:fs";
import { loadCatalogue } from "./catalogue.ts";
import type { Catalogue } from "./catalogue.ts";

/** `packages/gateway/data/`: two folders up from here in the sources and in `dist` alike. */
const bundled = new URL("../../data/catalogue.json", import.meta.url);

/** Reads the catalogue that ships with the gateway. Synchronous: once, at start. */
export function openCatalogue(onDate?: string): Catalogue {
  return loadCatalogue(JSON.parse(readFileSync(bundled, "utf8")), onDate);
}
