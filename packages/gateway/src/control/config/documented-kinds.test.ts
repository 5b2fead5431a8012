import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { providerKinds } from "#providers/kinds";
import type { ProviderKind } from "#providers/provider";

const documentation = readFileSync(new URL("../../../../../docs/configuration.md", import.meta.url), "utf8");

/** Where a setting stands in an address, its name does. */
const settings = { region: "REGION", project: "PROJECT", resource: "RESOURCE" };

function documentedRow(kind: ProviderKind): string {
  const { id, title, environmentKeys, environment, keyless } = kind;
  const address = kind.url ?? kind.urlFor?.(settings) ?? "you say";
  const parts = environment?.keyParts;
  const keys = [
    ...environmentKeys.map((name) => `\`${name}\``),
    ...(parts === undefined
      ? []
      : [
          parts.names
            .slice(0, parts.needed)
            .map((name) => `\`${name}\``)
            .join(" with "),
        ]),
    ...(environment?.login === undefined ? [] : [`\`${environment.login}\``]),
  ];
  return `| ${id} | ${title} | ${address} | ${keys.length === 0 && keyless ? "none needed" : keys.join(" or ")} |`;
}

it("docs/configuration.md lists every kind with its address and its environment keys, and no other", () => {
  const [, table = ""] = /\| kind \| who \|.*\n\|[-|]+\n((?:\|.*\n)+)/u.exec(documentation) ?? [];
  expect(table.trim().split("\n")).toEqual([...providerKinds.values()].map(documentedRow));
});
