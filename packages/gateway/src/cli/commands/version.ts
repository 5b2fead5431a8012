import { readFileSync } from "node:fs";
import type { Command } from "#cli/command";
import { readCommandLine } from "#cli/command-line";

const usage = `Usage: hedgerow version

Prints the version of hedgerow and of the Node it runs on. The same as \`hedgerow --version\`.
`;

export const version: Command = {
  name: "version",
  summary: "print the version",
  usage,
  run(args, io) {
    readCommandLine(args, { options: {}, words: { least: 0, most: 0, what: "nothing" } });
    // Two folders up from the source as from the build.
    const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
    io.stdout(`hedgerow ${(JSON.parse(manifest) as { version: string }).version} (Node ${process.versions.node})\n`);
    return Promise.resolve(0);
  },
};
