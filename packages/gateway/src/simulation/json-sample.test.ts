import { describe, expect, it } from "vitest";
import { z } from "zod";
import { sampleJson } from "./json-sample.ts";

describe("sampleJson", () => {
  it.each([
    ["objects with nested arrays", z.object({ name: z.string(), tags: z.array(z.string()).min(2), n: z.int().min(7) })],
    ["unions, literals and enums", z.object({ a: z.union([z.literal("x"), z.number()]), b: z.enum(["p", "q"]) })],
    ["nullable and optional parts", z.object({ a: z.string().nullable(), b: z.boolean().optional() })],
    [
      "bounded strings and numbers",
      z.object({ s: z.string().min(20).max(30), x: z.number().gt(3).lt(5), e: z.email() }),
    ],
    ["short strings", z.string().max(3)],
    ["tuples", z.tuple([z.string(), z.int()])],
  ])("fits %s", (_what, shape) => {
    const value = sampleJson(z.toJSONSchema(shape));
    expect(shape.safeParse(value)).toEqual({ success: true, data: value });
  });

  it("follows references and ends where a schema refers to itself", () => {
    const tree = {
      $ref: "#/$defs/node",
      $defs: {
        node: {
          type: "object",
          properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/node" } } },
          required: ["name", "children"],
        },
      },
    };
    const value = sampleJson(tree) as { name: string; children: unknown[] };
    expect(value.name).toBe("simulated");
    expect(JSON.stringify(value).length).toBeLessThan(1_000);
  });

  it("joins the parts of allOf", () => {
    const part = (name: string) => ({ type: "object", properties: { [name]: { type: "null" } }, required: [name] });
    expect(sampleJson({ allOf: [part("a"), part("b")] })).toEqual({ a: null, b: null });
  });
});
