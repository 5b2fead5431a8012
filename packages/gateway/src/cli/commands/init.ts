import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { defaultTargets, foundProviders } from "#control/config/from-environment";
import type { FoundProvider } from "#control/config/from-environment";
import { usualFile } from "#control/config/configuration";
import { providerKinds } from "#providers/kinds";
import type { Command } from "#cli/command";
import { readCommandLine } from "#cli/command-line";

const usage = `Usage: hedgerow init [-o FILE] [--force]

Writes a commented hedgerow.yaml from the provider keys found in the environment. Keys themselves are never written,
only the names of their variables.

  -o, --output FILE   where to write (default hedgerow.yaml)
      --force         replace a file that is there
`;

export const init: Command = {
  name: "init",
  summary: "write a commented hedgerow.yaml from the keys in the environment",
  usage,
  run(args, io) {
    const { values } = readCommandLine(args, {
      options: { output: { type: "string", short: "o" }, force: { type: "boolean" } },
      words: { least: 0, most: 0, what: "nothing" },
    });
    const file = values.output ?? usualFile;
    const found = foundProviders(io.env, providerKinds);
    try {
      // "wx" fails where the file exists: no moment between looking and writing in which one could appear.
      writeFileSync(resolve(io.cwd, file), starterDocument(found), {
        flag: values.force === true ? "w" : "wx",
        mode: 0o644,
      });
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
      const why = exists ? "is already there; --force replaces it" : `cannot be written: ${(error as Error).message}`;
      io.stderr(`hedgerow init: ${file} ${why}\n`);
      return Promise.resolve(1);
    }
    const names = found.map(({ kind, variable }) => `${kind.title} (${variable})`).join(", ");
    const from =
      found.length === 0 ? "no provider's key is in the environment, so it holds examples" : `found: ${names}`;
    io.stdout(`Wrote ${file}; ${from}.\nNext: hedgerow check -c ${file}, then hedgerow serve -c ${file}\n`);
    return Promise.resolve(0);
  },
};

/** The commented file. Valid as it is where at least one provider was found. */
export function starterDocument(found: readonly FoundProvider[]): string {
  return [
    "# yaml-language-server: $schema=./node_modules/hedgerow/hedgerow.schema.json",
    "# Every key is explained in docs/configuration.md. Check this file with `hedgerow check`.",
    "",
    "server:",
    "  host: 127.0.0.1          # any other address needs `keys` below",
    "  port: 4000",
    "  # workers: auto          # one process for each core",
    "  # data: ./.hedgerow      # journal and store",
    "",
    ...providerLines(found),
    "",
    ...routeLines(found),
    "",
    "# aliases:",
    "#   fast: default          # another name of a route or of provider/model",
    "",
    "# keys:                    # with keys, callers must present one",
    "#   my-app: { key: ${HEDGEROW_KEY} }   # make one: openssl rand -hex 24",
    "",
  ].join("\n");
}

function providerLines(found: readonly FoundProvider[]): readonly string[] {
  const lines = found.flatMap(({ kind, key, settings }) => [
    `  ${kind.id}:`,
    `    kind: ${kind.id}`,
    ...(key.length === 0 ? [] : [`    key: ${key.map(reference).join(":")}`]),
    ...Object.entries(settings).map(([name, variable]) => `    ${name}: ${reference(variable)}`),
    ...(kind.url === undefined ? [] : [`    # url: ${kind.url}`]),
  ]);
  const example = [
    "  # local:                 # any server that speaks OpenAI's language",
    "  #   kind: openai-compatible",
    "  #   url: http://127.0.0.1:11434/v1",
    "  #   operator: ours       # providers with one operator fail together",
  ];
  if (found.length > 0) return ["providers:", ...lines, ...example];
  const [first] = providerKinds.values();
  if (first === undefined) return ["providers:", ...example];
  const variable = first.environmentKeys[0] ?? "API_KEY";
  return [
    "providers:",
    `  ${first.id}:`,
    `    kind: ${first.id}`,
    `    key: \${${variable}}   # set this variable`,
    ...example,
  ];
}

function reference(variable: string): string {
  return `\${${variable}}`;
}

function routeLines(found: readonly FoundProvider[]): readonly string[] {
  const [first] = providerKinds.values();
  const providers = found.length === 0 && first !== undefined ? [{ kind: first }] : found;
  const targets = defaultTargets(providers);
  const note = "  # default answers callers that name no model; targets are asked in this order";
  if (targets.length === 0) {
    return ["# routes:", `#${note}`, "#   default:", "#     targets: [provider/model, other-provider/model]"];
  }
  return [
    "routes:",
    note,
    "  default:",
    "    targets:",
    ...targets.map((target) => `      - ${target}`),
    "    # timeouts: { connect: 5s, firstToken: 10s, idle: 30s, total: 60s }",
    ...(targets.length > 3 ? [`    retries: { attempts: ${targets.length} }`] : ["    # retries: { attempts: 3 }"]),
  ];
}
