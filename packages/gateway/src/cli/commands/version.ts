import type { Command } from "#cli/command";
import { readCommandLine } from "#cli/command-line";
import { packageVersion } from "#cli/package-version";

const usage = `Usage: hedgerow version

Prints the version of hedgerow and of the Node it runs on. The same as \`hedgerow --version\`.
`;

export const version: Command = {
  name: "version",
  summary: "print the version",
  usage,
  run(args, io) {
    readCommandLine(args, { options: {}, words: { least: 0, most: 0, what: "nothing" } });
    io.stdout(`hedgerow ${packageVersion()} (Node ${process.versions.node})\n`);
    return Promise.resolve(0);
  },
};
