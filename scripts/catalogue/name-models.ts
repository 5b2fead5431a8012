import {
  lastSegment,
  modelKey,
  openName,
  plainName,
  vendorOf,
  withoutVariant,
} from "../../packages/gateway/src/catalogue/names.ts";
import { hostWords } from "./places.ts";
import type { Place } from "./places.ts";

export interface Named {
  readonly place: Place;
  readonly id: string;
  readonly family: string | undefined;
  /** For people; the first one that a canonical name gets stays. */
  readonly title: string | undefined;
}

/** Canonical names: one model is called one way wherever it is served. A maker's own spelling wins over every host's. */
export class CanonicalNames {
  /** By canonical name. */
  readonly titles = new Map<string, string>();
  readonly #byKey = new Map<string, string>();
  /** By keys without a vendor, for hosts that write none; undefined where two vendors' models share the key. */
  readonly #byBareKey = new Map<string, string | undefined>();
  /** Providers that make no models, in every list. */
  readonly #hosts: ReadonlySet<string>;

  constructor(all: readonly Named[]) {
    const makers = new Set(all.flatMap(({ place }) => place.vendor ?? []));
    const words = all.flatMap(({ place }) => (place.vendor === undefined ? [place.listed, place.id] : []));
    this.#hosts = new Set([...words, ...hostWords].filter((word) => !makers.has(word)));
    for (const named of all) {
      if (named.place.vendor !== undefined && this.#makerOf(named) === named.place.vendor) this.nameOf(named);
    }
    for (const named of all) if (this.#makerOf(named) !== undefined) this.nameOf(named);
  }

  vendorOf(named: Named): string {
    const name = this.nameOf(named);
    return name.slice(0, name.indexOf("/"));
  }

  nameOf(named: Named): string {
    const maker = this.#makerOf(named);
    const bareKey = modelKey(withoutVariant(named.id));
    const shared = maker === undefined ? this.#byBareKey.get(bareKey) : undefined;
    const vendor = (maker ?? named.place.listed).replaceAll(/[^a-z0-9-]+/g, "-").replaceAll(/^-+|-+$/g, "");
    const key = `${vendor} ${bareKey}`;
    const name = shared ?? this.#byKey.get(key) ?? `${vendor}/${plainName(named.id).replaceAll(/\s+/g, "-")}`;
    if (shared === undefined) this.#byKey.set(key, name);
    if (maker !== undefined) {
      const other = this.#byBareKey.get(bareKey);
      const isNew = !this.#byBareKey.has(bareKey);
      this.#byBareKey.set(bareKey, isNew || other === name ? name : undefined);
    }
    if (named.title !== undefined && !this.titles.has(name)) this.titles.set(name, titleOf(named.title));
    return name;
  }

  /** Undefined where neither the name, nor the place, nor the list's word for the family tells. */
  #makerOf({ place, id, family }: Named): string | undefined {
    const written = vendorOf(id);
    if (written !== undefined && !this.#hosts.has(written)) return written;
    const ofName = vendorOf(lastSegment(openName(id).path));
    const ofFamily = family === undefined ? undefined : vendorOf(family);
    return ofName ?? place.vendor ?? ofFamily;
  }
}

/** Lists mark what is newest or free in the name; both change, and stand elsewhere. */
function titleOf(title: string): string {
  return title.replace(/ \((?:latest|free)\)$/i, "").trim();
}
