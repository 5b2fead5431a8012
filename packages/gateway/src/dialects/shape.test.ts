import { expect, it } from "vitest";
import { jsonText } from "./shape.ts";

it("writes a value, and says so where it is nested too deep to be written", () => {
  expect(jsonText({ a: [1] })).toBe('{"a":[1]}');
  expect(jsonText(JSON.parse(`${"[".repeat(200_000)}${"]".repeat(200_000)}`) as readonly unknown[])).toBeUndefined();
});
