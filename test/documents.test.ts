import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readConfiguration } from "#control/config/configuration";
import { rooms } from "./architecture/house.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The code words in the first cell of every table row, and the text of the second cell. */
function rows(markdown: string): { readonly names: readonly string[]; readonly second: string }[] {
  return markdown
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [, first = "", second = ""] = line.split("|");
      return { names: [...first.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name), second: second.trim() };
    });
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe("docs/dependencies.md", () => {
  it("has one row for each dependency of the manifests, with its version, and no other", () => {
    const manifests = ["package.json", "packages/gateway/package.json", "packages/client/package.json"].map(
      (path) => JSON.parse(read(path)) as Manifest,
    );
    const declared = manifests
      .flatMap((manifest) => [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies])
      .flatMap((group) => Object.entries(group ?? {}))
      .map(([name, version]) => `${name} ${version}`);
    const written = rows(read("docs/dependencies.md")).map(({ names, second }) => `${names[0]} ${second}`);
    expect(written.toSorted()).toEqual([...new Set(declared)].toSorted());
  });

  it("is right that the client has no dependency", () => {
    const client = JSON.parse(read("packages/client/package.json")) as Manifest;
    expect(client.dependencies ?? {}).toEqual({});
  });
});

describe("ARCHITECTURE.md", () => {
  it("names the rooms of the architecture test, and no other", () => {
    const named = rows(read("ARCHITECTURE.md")).flatMap(({ names }) => names);
    expect(named.toSorted()).toEqual(
      Object.keys(rooms)
        .filter((room) => room !== "index")
        .toSorted(),
    );
  });
});

describe("README.md", () => {
  it("shows a configuration that the gateway takes, unsure of the local model, and open about what its vendors share", () => {
    const [, yaml = ""] = /```yaml\n([^]*?)```/.exec(read("README.md")) ?? [];
    const folder = mkdtempSync(join(tmpdir(), "hedgerow-readme-"));
    try {
      writeFileSync(join(folder, "hedgerow.yaml"), yaml, { mode: 0o600 });
      const env = Object.fromEntries(
        [...yaml.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => [name, `key-of-${name}`]),
      );
      const configuration = readConfiguration({ path: "hedgerow.yaml", cwd: folder, env, today: "2026-11-21" });
      expect(configuration).toMatchObject({
        kind: "configured",
        warnings: [
          { message: expect.stringContaining("share edge:cloudflare") },
          { message: expect.stringMatching(/^anthropic\S+ and openai\S+ may share owner:/u) },
          { message: expect.stringContaining("local/qwen3") },
        ],
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the packages", () => {
  it.each(["packages/gateway", "packages/client"])("%s carries the licence and a page of its own", (path) => {
    expect(read(`${path}/LICENSE`)).toBe(read("LICENSE"));
    expect(read(`${path}/README.md`)).toMatch(/^# \S+\n/);
  });
});

/** Where a page's links lead, as paths from the root. */
function linksOf(path: string): readonly string[] {
  return [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, link = ""]) =>
    normalize(join(dirname(path), link)).replace(/\/$/, ""),
  );
}

describe("the documents", () => {
  it("are all reached by links from README.md or ARCHITECTURE.md", () => {
    const pages = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => join("docs", name));
    const reached = new Set<string>();
    const open = ["README.md", "ARCHITECTURE.md"];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (reached.has(path) || !existsSync(join(root, path))) continue;
      reached.add(path);
      for (const link of linksOf(path)) {
        // A link to a folder shows what lies in it.
        open.push(...(link.endsWith(".md") ? [link] : pages.filter((page) => dirname(page) === link)));
      }
    }
    expect(pages.length).toBeGreaterThan(20);
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });

  it.each(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/errors.md", "docs/dependencies.md"])(
    "%s links only to files that exist",
    (path) => {
      const links = [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, link = ""]) => link);
      expect(links.filter((link) => !existsSync(join(root, dirname(path), link)))).toEqual([]);
    },
  );
});
