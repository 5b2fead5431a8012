import { nearestNames } from "#catalogue/catalogue";
import { UsageError } from "./command.ts";
import type { Command, CommandIo } from "./command.ts";

/** A command that is loaded only when it is asked for. */
export interface CommandEntry {
  readonly name: string;
  readonly load: () => Promise<Command>;
}

/** Finds the command, answers `--help`, and turns what it throws into a message and an exit code. */
export async function dispatch(
  args: readonly string[],
  entries: readonly CommandEntry[],
  io: CommandIo,
): Promise<number> {
  const [written, ...rest] = args;
  if (written === undefined) {
    io.stderr(await overview(entries));
    return 2;
  }
  const wantsHelp = ["--help", "-h", "help"].includes(written);
  if (wantsHelp && rest[0] === undefined) {
    io.stdout(await overview(entries));
    return 0;
  }
  const name = ["--version", "-v"].includes(written) ? "version" : wantsHelp ? rest[0] : written;
  const entry = entries.find((each) => each.name === name);
  if (entry === undefined) return unknownCommand(name ?? "", entries, io);
  const command = await entry.load();
  if (wantsHelp || asksForHelp(rest)) {
    io.stdout(command.usage);
    return 0;
  }
  return run(command, rest, io);
}

function unknownCommand(name: string, entries: readonly CommandEntry[], io: CommandIo): number {
  const names = entries.map((each) => each.name);
  const [near] = nearestNames(name, names, 1);
  const hint = near === undefined ? `commands: ${names.join(", ")}` : `did you mean \`hedgerow ${near}\`?`;
  io.stderr(`hedgerow: no command ${JSON.stringify(name)}; ${hint}\n`);
  return 2;
}

async function run(command: Command, args: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await command.run(args, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr(`hedgerow ${command.name}: ${error.message}\nRun \`hedgerow ${command.name} --help\`.\n`);
      return 2;
    }
    // A bug of ours: everything that can be expected to fail is a message of the command's own.
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.stderr(`hedgerow ${command.name}: this is a bug in hedgerow, please report it:\n${detail}\n`);
    return 1;
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const words = end === -1 ? args : args.slice(0, end);
  return words.includes("--help") || words.includes("-h");
}

async function overview(entries: readonly CommandEntry[]): Promise<string> {
  const commands = await Promise.all(entries.map((entry) => entry.load()));
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return [
    "hedgerow: one door to every language model, that keeps answering when a provider fails.",
    "",
    "Usage: hedgerow COMMAND [OPTIONS]",
    "",
    ...lines,
    "",
    "`hedgerow COMMAND --help` tells more. Exit codes: 0 done, 1 the thing asked about is wrong, 2 the command line is wrong.",
    "",
  ].join("\n");
}
