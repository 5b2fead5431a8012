/** What a command may touch of the process, so that each can be run and tested without one. */
export interface CommandIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether stdout is a terminal: colours and progress only then. */
  readonly isTty: boolean;
  /** Whether stderr is one: the log is for people there, for machines elsewhere. */
  readonly stderrIsTty: boolean;
  /** Absolute; relative paths on the command line are relative to it. */
  readonly cwd: string;
}

/** One word after `hedgerow`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole text of `hedgerow NAME --help`, ending in a newline. */
  readonly usage: string;
  /**
   * Runs to the end and gives the exit code: 0 done, 1 the thing asked about is wrong, 2 the command line is wrong.
   * `args` are the words after the command's name; `--help` never gets here. A wrong command line throws
   * {@link UsageError}, which the dispatcher prints with exit code 2.
   */
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

/** A command line nobody can run. The message says what is wrong and what to write instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
