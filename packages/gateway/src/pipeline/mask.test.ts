import { expect, it } from "vitest";
import { plainChatQuirks } from "#domain/quirks";
import { Secret } from "#domain/secret";
import type { ProviderSpec } from "#domain/snapshot";
import { maskOf } from "./mask.ts";

const spec: ProviderSpec = {
  id: "p",
  kind: "openai-compatible",
  dialect: "openai-chat",
  origin: "http://p",
  basePath: "",
  credentials: [
    { id: "p#1", secret: new Secret("hunter22") },
    { id: "p#2", secret: new Secret("hunter22-and-more") },
    { id: "p#3", secret: new Secret("none") },
  ],
  headers: [{ name: "x-a", value: new Secret("header-secret") }],
  timeouts: {},
  quirks: plainChatQuirks,
  models: new Map(),
};

it("takes every credential out of a text, the longer of two first", () => {
  const text = "Key hunter22-and-more, hunter22 or header-secret is wrong";
  expect(maskOf(spec).complaint(text)).toBe("Key [removed], [removed] or [removed] is wrong");
});

it("takes them out of JSON wherever they stand", () => {
  const body = { error: { message: "hunter22", details: [{ hunter22: 1, n: null }] } };
  expect(maskOf(spec).complaint(body)).toEqual({
    error: { message: "[removed]", details: [{ "[removed]": 1, n: null }] },
  });
});

it("leaves words alone that are too short to be secrets", () => {
  expect(maskOf(spec).complaint("none of these")).toBe("none of these");
  expect(maskOf(spec).finds("none of these")).toBe(false);
});

it("finds them in a header's value", () => {
  expect(maskOf(spec).finds("id=hunter22")).toBe(true);
});

it("is not drawn into the depths of a hostile body", () => {
  const deep: unknown = JSON.parse(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`);
  expect(() => maskOf(spec).complaint(deep)).not.toThrow();
});
