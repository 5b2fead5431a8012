import type { Command, CommandIo } from "#cli/command";
import { dispatch } from "#cli/dispatch";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line as `hedgerow` would, in an empty environment, and keeps what it prints. */
export async function runCommand(
  args: readonly string[],
  commands: readonly Command[],
  more: Partial<CommandIo> & Pick<CommandIo, "cwd">,
): Promise<Ran> {
  let out = "";
  let err = "";
  const entries = commands.map((command) => ({ name: command.name, load: () => Promise.resolve(command) }));
  const code = await dispatch(args, entries, {
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    env: {},
    isTty: false,
    stderrIsTty: false,
    ...more,
  });
  return { code, out, err };
}
