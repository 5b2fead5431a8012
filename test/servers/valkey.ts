import { spawn, type ChildProcess } from "node:child_process";
import { connect } from "node:net";
import { freePort } from "./free-port.ts";
import { serverProgram } from "./install.ts";

const startWithinMs = 30_000;

/** Path of a Valkey or Redis server's program; undefined where there is none and none can be installed. */
export function valkeyProgram(): string | undefined {
  return serverProgram({ programs: ["valkey-server", "redis-server"], packageName: "redis-server" });
}

/** The server ends with us, however we end: the shell's input ends then. */
const untilInputEnds = `"$@" >&2 & pid=$!; echo "$pid"; read -r _; kill -KILL "$pid" 2>/dev/null; wait "$pid" 2>/dev/null`;

export interface ValkeyOptions {
  /** One that was had before, so that clients find it again. */
  readonly port?: number;
  readonly password?: string;
}

/** A server of its own that keeps nothing on disk. */
export class ValkeyServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly #options: ValkeyOptions;
  readonly #shell: ChildProcess;

  private constructor(parts: {
    readonly port: number;
    readonly pid: number;
    readonly options: ValkeyOptions;
    readonly shell: ChildProcess;
  }) {
    const { port, pid, options, shell } = parts;
    this.url = `redis://${options.password === undefined ? "" : `:${options.password}@`}127.0.0.1:${port}`;
    [this.port, this.pid, this.#options, this.#shell] = [port, pid, options, shell];
  }

  static async start(options: ValkeyOptions = {}): Promise<ValkeyServer> {
    const program = valkeyProgram();
    if (program === undefined) throw new Error("there is no Valkey or Redis server here");
    const port = options.port ?? (await freePort());
    const secret = options.password === undefined ? [] : ["--requirepass", options.password];
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...secret];
    const shell = spawn("sh", ["-c", untilInputEnds, "sh", program, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    // The shell may be gone before we tell it to go.
    shell.stdin.on("error", () => {});
    let said = "";
    shell.stderr.on("data", (text) => (said = (said + String(text)).slice(-4_000)));
    const pid = await new Promise<number>((resolve, reject) => {
      shell.stdout.once("data", (text) => resolve(Number(String(text).trim())));
      shell.once("error", reject);
    });
    const server = new ValkeyServer({ port, pid, options, shell });
    const until = performance.now() + startWithinMs;
    while (!(await server.#answers())) {
      if (performance.now() > until) {
        await server.stop();
        throw new Error(`the server on port ${port} does not answer: ${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return server;
  }

  /** Ends at once, as if the machine had: what it held is lost. */
  async stop(): Promise<void> {
    if (this.#shell.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#shell.once("exit", resolve));
    this.#shell.stdin?.end();
    await ended;
  }

  /** The same server anew, with nothing in it. */
  async restart(): Promise<ValkeyServer> {
    await this.stop();
    return ValkeyServer.start({ ...this.#options, port: this.port });
  }

  /** Connections stay, nothing is answered. */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** One command over a connection of its own; the first bytes of its answer. */
  async command(line: string): Promise<string> {
    const { password } = this.#options;
    const socket = connect(this.port, "127.0.0.1");
    try {
      return await new Promise((resolve, reject) => {
        let answer = "";
        const wanted = password === undefined ? 1 : 2;
        socket.setTimeout(1_000, () => reject(new Error("no answer")));
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("closed without an answer")));
        socket.on("data", (bytes) => {
          answer += bytes.toString();
          if (answer.split("\r\n").length > wanted)
            resolve(
              answer
                .split("\r\n")
                .slice(wanted - 1)
                .join("\r\n"),
            );
        });
        socket.write(`${password === undefined ? "" : `AUTH ${password}\r\n`}${line}\r\n`);
      });
    } finally {
      socket.destroy();
    }
  }

  async #answers(): Promise<boolean> {
    return this.command("PING").then(
      (answer) => answer.startsWith("+PONG"),
      () => false,
    );
  }
}
