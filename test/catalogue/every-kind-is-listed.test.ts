import { expect, it } from "vitest";
import { openCatalogue } from "#catalogue/open-catalogue";
import { providerKinds } from "#providers/kinds";

it("knows the models of every kind of provider that has an address and asks for a key", () => {
  const catalogue = openCatalogue("2026-11-21");
  const places = [...providerKinds.values()].filter(({ url, keyless }) => url !== undefined && !keyless);
  const unlisted = places.filter(({ id }) => catalogue.shelvesOf(id).every(({ size }) => size === 0));
  expect(places.length).toBeGreaterThan(10);
  expect(unlisted.map(({ id }) => id)).toEqual([]);
});
