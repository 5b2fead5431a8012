import { describe, expect, it } from "vitest";
import { readYaml } from "#control/config/yaml-source";

describe("YAML with anchors and aliases", () => {
  it("takes the last anchor before an alias, keys included, and ten thousand aliases at once", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `k${at}: { is: *one, std: *std }`);
    const yaml = [
      "&word first: { a: &one 1, b: *one, std: &std { rpm: 1 } }",
      "second: { a: &one 2, b: *one, word: *word, again: *std }",
      ...many,
    ];
    const { value, problems: told } = readYaml(yaml.join("\n"), "hedgerow.yaml", (written) => written);
    expect(told).toEqual([]);
    const std = { rpm: 1 };
    expect(value).toMatchObject({
      first: { a: 1, b: 1, std },
      second: { a: 2, b: 2, word: "first", again: std },
      k0: { is: 2, std },
      k9999: { is: 2, std },
    });
    expect(readYaml("a: *later\nb: &later 1", "f", (written) => written).problems[0]?.message).toContain("no anchor");
  });
});
