import { readFileSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkHouse } from "./architecture/check-house.ts";
import { rooms } from "./architecture/house.ts";
import type { SourceFile } from "./architecture/source-file.ts";
import { providerKinds } from "#providers/kinds";

const root = fileURLToPath(new URL("../packages/gateway/src", import.meta.url));

function sourcesUnder(folder: string): SourceFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesUnder(path);
    if (!entry.name.endsWith(".ts")) return [];
    return [{ path: relative(root, path).split(sep).join("/"), text: readFileSync(path, "utf8") }];
  });
}

/** Each language has its folder, named by its id. */
const dialects = readdirSync(join(root, "dialects"), { withFileTypes: true }).filter((entry) => entry.isDirectory());

const names = { provider: new Set(providerKinds.keys()), dialect: new Set(dialects.map(({ name }) => name)) };

/** What the checker says of one planted file. */
function planted(path: string, text: string): string[] {
  return checkHouse([{ path, text }], names);
}

/** Every room that a room can reach over others. */
function reachedFrom(room: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [...(rooms[room]?.mayImport ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    open.push(...(rooms[next]?.mayImport ?? []));
  }
  return reached;
}

describe("the house", () => {
  it("stands", () => {
    const sources = sourcesUnder(root);
    expect(sources.length).toBeGreaterThan(50);
    expect(checkHouse(sources, names)).toEqual([]);
  });

  it("knows the real names of providers and dialects", () => {
    for (const name of ["openai", "anthropic", "xai", "groq", "ollama"]) expect(names.provider).toContain(name);
    for (const name of ["openai-chat", "anthropic-messages"]) expect(names.dialect).toContain(name);
  });

  it("has no way from a room back to itself", () => {
    for (const room of Object.keys(rooms)) {
      expect(reachedFrom(room), room).not.toContain(room);
    }
  });

  it("names only rooms that the table has", () => {
    for (const { mayImport } of Object.values(rooms)) {
      for (const room of mayImport) expect(rooms).toHaveProperty([room]);
    }
  });
});

describe("a planted violation", () => {
  it.each([
    ["a room below that looks up", "domain/x.ts", 'import { a } from "#wire/sse";', "domain may not import wire"],
    [
      "a type-only import",
      "dialects/x.ts",
      'import type { A } from "#policy/health";',
      "dialects may not import policy",
    ],
    ["a re-export", "control/x.ts", 'export { a } from "#pipeline/accept";', "control may not import pipeline"],
    [
      "an import at run time",
      "control/x.ts",
      'await import("#transport/listener");',
      "control may not import transport",
    ],
    ["an import over several lines", "ledger/x.ts", 'import {\n  a,\n} from "#control/store/open";', "ledger may not"],
    [
      "control that knows a plane",
      "control/x.ts",
      'import { a } from "#planes/worker";',
      "control may not import planes",
    ],
    [
      "messages that know their carrier",
      "planes/messages.ts",
      'import { a } from "./worker.ts";',
      "may not import planes",
    ],
    ["anything that imports the command line", "planes/x.ts", 'import { a } from "#cli/main";', "may not import cli"],
    ["a crossing that climbs", "dialects/openai-chat/x.ts", 'import { a } from "../dialect.ts";', "climbs with ../"],
    ["a climbing test", "domain/x.test.ts", 'import { a } from "../wire/sse.ts";', "climbs with ../"],
    ["a crossing to its own folder", "domain/x.ts", 'import { a } from "#domain/call";', "inside a folder write ./"],
    ["a crossing with .ts", "policy/x.ts", 'import { a } from "#domain/call.ts";', "without .ts"],
    ["a name known at run time only", "cli/x.ts", "await import(name);", "imports what only run time knows"],
    ["a require", "cli/x.ts", 'createRequire(import.meta.url)("undici");', "imports what only run time knows"],
    ["a folder nobody knows", "misc/x.ts", "", "lies in no room"],
    ["a file beside the folders", "server.ts", "", "lies in no room"],
    ["a name that says nothing", "wire/string-utils.ts", "", '"string-utils" says nothing'],
    ["a folder that says nothing", "control/shared/x.ts", "", '"shared" says nothing'],
    ["another spelling of names", "wire/jsonScan.ts", "", '"jsonScan" is not kebab-case'],
    ["a file of 401 lines", "wire/x.ts", "a;\n".repeat(401), "401 lines, more than 400"],
    ["the type any", "cli/x.ts", "function f(a: any): void {}", "uses the type any"],
    ["any in a generic", "cli/x.test.ts", "const m = new Map<string, any[]>();", "uses the type any"],
    ["as any", "cli/x.ts", "const b = a as any;", "uses the type any"],
    ["any from an arrow", "cli/x.ts", "type F = (a: any) => void;", "uses the type any"],
    ["a package in the wrong room", "policy/x.ts", 'import { z } from "zod";', "belongs to control"],
    ["a package nobody declared", "cli/x.ts", 'import chalk from "chalk";', "no dependency of the gateway"],
    ["a scoped package", "cli/x.ts", 'import a from "@x/y/z";', "imports @x/y"],
    ["Node in the domain", "domain/x.ts", 'import { hash } from "node:crypto";', "knows nothing of Node"],
    ["Node in the wire", "wire/x.ts", 'import { gunzip } from "node:zlib";', "knows nothing of Node"],
    ["Node in a decision", "confidence/x.ts", 'import { readFileSync } from "node:fs";', "knows nothing of Node"],
    ["a Node global in the domain", "domain/x.ts", 'Buffer.from("");', "domain uses a Node global"],
    ["the environment in a decision", "policy/x.ts", "process.env.HOME;", "policy looks at the process"],
    ["the wall clock in a decision", "policy/x.ts", "const a = Date.now();", "policy reads the clock"],
    ["a date made from nothing", "supply/x.ts", "const a = new Date();", "supply reads the clock"],
    ["the wall clock passed on", "pipeline/x.ts", "wait({ clock: Date });", "pipeline reads the clock"],
    ["the monotonic clock", "confidence/x.ts", "performance.now();", "confidence reads the monotonic clock"],
    ["chance", "policy/x.ts", "Math.random();", "policy rolls dice"],
    ["chance by another name", "pipeline/x.ts", "const id = randomUUID();", "pipeline rolls dice"],
    ["a timer in the pipeline", "pipeline/x.ts", "setTimeout(f, 1);", "pipeline sets a timer"],
    ["fetch in the pipeline", "pipeline/x.ts", "await fetch(url);", "opens sockets with fetch"],
    [
      "a server outside transport",
      "control/x.ts",
      'import { createServer } from "node:http";',
      "opens sockets with node:http",
    ],
    ["undici outside transport", "control/x.ts", 'import { Pool } from "undici";', "opens sockets with undici"],
    ["a raw socket", "ledger/x.ts", 'import type { Socket } from "node:net";', "opens sockets with node:net"],
    ["a compared provider", "pipeline/x.ts", 'if (target.provider === "openai") f();', 'provider name "openai"'],
    ["a provider on the left", "cli/x.ts", "if ('groq' !== kind) f();", 'provider name "groq"'],
    ["a provider in a template", "cli/x.ts", "if (kind === `xai`) f();", 'provider name "xai"'],
    ["a provider in a switch", "control/x.ts", 'switch (k) { case "anthropic": f(); }', 'provider name "anthropic"'],
    ["a provider's prefix", "policy/x.ts", 'model.startsWith("openai");', 'provider name "openai"'],
    ["a list of providers", "policy/x.ts", 'if (["a", "xai"].includes(kind)) f();', 'provider name "xai"'],
    ["a set of providers", "policy/x.ts", 'if (new Set(["ollama"]).has(kind)) f();', 'provider name "ollama"'],
    [
      "a compared dialect",
      "pipeline/x.ts",
      'a = call.dialect === "openai-chat" ? 1 : 2;',
      'dialect name "openai-chat"',
    ],
    [
      "a compared dialect in providers",
      "providers/x.ts",
      'd === "anthropic-messages";',
      'dialect name "anthropic-messages"',
    ],
  ])("is seen: %s", (...[, path, text, said]) => {
    expect(planted(path, text).join("\n")).toContain(said);
  });

  it("is told with its file and line", () => {
    const [said] = planted("policy/x.ts", '// Date.now()\nconst a = "`";\n\nconst b = Date.now();\n');
    expect(said).toBe("policy/x.ts:4 policy reads the clock (Date)");
  });
});

describe("what only looks like a violation", () => {
  it.each([
    ["what a comment says", "policy/x.ts", '// import { a } from "#cli/main"; Date.now() as any\n/* fetch(x) */'],
    ["what a string says", "policy/x.ts", "const a = \"Date.now() as any; import './../x.ts'\";"],
    ["what a template says", "policy/x.ts", 'const a = `${b ? `Date ${c}` : "any"} Math.random`;'],
    ["what a regular expression says", "policy/x.ts", 'const a = /["\'`]Date.now()/.test(b); const c = "x";'],
    ["a division", "policy/x.ts", "const a = b / 2; const c = d() / 4;"],
    ["a date made from a number", "pipeline/x.ts", "new Date(wallMs).toISOString(); Date.parse(text); Date.UTC(2026);"],
    ["other things called any", "domain/x.ts", "Promise.any([]); a.any; const b = { any: 1 }; function many() {}"],
    ["a neighbour", "dialects/registry.ts", 'import { a } from "./openai-chat/index.ts";'],
    ["a crossing inside a room", "dialects/openai-chat/x.ts", 'import type { A } from "#dialects/dialect";'],
    ["control that speaks of messages", "control/x.ts", 'import type { A } from "#planes/messages";'],
    ["a carrier that knows its messages", "planes/x.ts", 'import type { A } from "./messages.ts";'],
    [
      "a test that replaces the world",
      "policy/x.test.ts",
      'import { a } from "#simulation/engine"; Date.now(); fetch(b);',
    ],
    [
      "a server in transport",
      "transport/x.ts",
      'import { createServer } from "node:http"; import { Pool } from "undici";',
    ],
    ["a method called fetch", "policy/x.ts", "store.fetch(a); function fetch(b) {}"],
    ["a provider at home", "providers/x.ts", 'if (kind === "openai") f();'],
    ["a provider's name as data", "control/x.ts", 'const row = { kind: "openai", title: "OpenAI" };'],
    ["a dialect at home", "dialects/x.ts", 'if (id === "openai-chat") f();'],
    ["Buffer.from", "wire/x.ts", 'Buffer.from("domain");'],
  ])("passes: %s", (_what, path, text) => {
    expect(planted(path, text)).toEqual([]);
  });
});
