import { spawn } from "node:child_process";

export interface ProgramEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface ProgramStart {
  readonly args: readonly string[];
  /** Its working directory and its home. */
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs a command-line client to its end, with nothing of our own environment but the path. */
export function runProgram(program: string, { args, home, environment }: ProgramStart): Promise<ProgramEnd> {
  const child = spawn(program, args, {
    cwd: home,
    env: { PATH: process.env["PATH"], HOME: home, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (err += piece.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}
