import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { builtInModels } from "./assistant.ts";
import { behaviourSchema, errorKinds, malformations } from "./behaviour.ts";
import { parseScript } from "./script.ts";

const page = readFileSync(new URL("../../../../docs/simulation.md", import.meta.url), "utf8");

describe("docs/simulation.md", () => {
  it("shows a script that works", () => {
    const script = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? "";
    expect(parseScript(script)).toMatchObject({ kind: "parsed", script: { models: ["primary", "backup"] } });
  });

  it("names every part of a behaviour, every malformation and every kind of error", () => {
    const words = [...Object.keys(behaviourSchema.shape), ...malformations, ...errorKinds];
    expect(words.filter((word) => !page.includes(word))).toEqual([]);
  });

  it("lists the built-in models with what they do", () => {
    const missing = builtInModels.filter(({ name, does }) => {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? "";
      return row.replaceAll("`", "") !== `| ${name} | ${does} |`;
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});
