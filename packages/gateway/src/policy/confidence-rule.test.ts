import { expect, test } from "vitest";
import { defaultConfidence } from "#domain/confidence";
import { confidenceRule } from "./confidence-rule.ts";

const ofRoute = { ...defaultConfidence, min: 0.7, exhausted: "review" as const, irreversibleTools: ["pay"] };

test("a route without a rule, and a caller who asks for nothing: no gate", () => {
  expect(confidenceRule(undefined, {})).toBeUndefined();
});

test("the route's rule is the call's where the caller says nothing", () => {
  expect(confidenceRule(ofRoute, {})).toBe(ofRoute);
});

test("a caller alone gets the defaults with its own least confidence", () => {
  expect(confidenceRule(undefined, { minConfidence: 0.9 })).toEqual({ ...defaultConfidence, min: 0.9 });
});

test("the caller's words win field by field, and nothing else of the route's rule changes", () => {
  const rule = confidenceRule(ofRoute, { minConfidence: 0.9, confidence: { exhausted: "best", pending: true } });
  expect(rule).toEqual({ ...ofRoute, min: 0.9, exhausted: "best" });
});
