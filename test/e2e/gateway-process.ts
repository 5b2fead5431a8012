import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStoreForReading, storeFile } from "#control/store/sqlite";
import type { Simulator } from "#simulation/server";

const main = fileURLToPath(new URL("../../packages/gateway/src/cli/main.ts", import.meta.url));
/** What takes a second on an idle machine: it bounds waits that end as soon as their condition holds. */
const readyWithinMs = 90_000;

/** A folder of its own for a gateway: configuration and data. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), "hedgerow-e2e-"));
  /** Variables of whatever is started from here on. */
  readonly env: Record<string, string> = {};
  readonly #started: GatewayProcess[] = [];

  write(configuration: string): void {
    writeFileSync(join(this.folder, "hedgerow.yaml"), configuration);
  }

  /** `hedgerow serve` with these arguments. */
  start(args: readonly string[] = []): GatewayProcess {
    return this.run([main, "serve", ...args]);
  }

  /** Any other `hedgerow` command, to its end. */
  async command(args: readonly string[]): Promise<GatewayProcess> {
    const command = this.run([main, ...args]);
    await command.exited;
    return command;
  }

  /** A program of its own that serves, and announces it in the same way. */
  run(program: readonly string[]): GatewayProcess {
    const gateway = new GatewayProcess(this.folder, program, this.env);
    this.#started.push(gateway);
    return gateway;
  }

  /** Ids of stored calls with how they ended. Read after the gateway has stopped, or while it runs. */
  calls(): ReadonlyMap<string, string> {
    const opened = openStoreForReading(join(this.folder, ".hedgerow", storeFile));
    if (opened.kind === "refused") throw new Error(opened.message);
    const rows = opened.store.all("SELECT id, decision FROM calls");
    opened.store.close();
    return new Map(rows.map((row) => [String(row["id"]), String(row["decision"])]));
  }

  /** The workers as they are written down. */
  workers(): readonly {
    readonly worker: string;
    readonly pid: number;
    readonly identity?: string;
    readonly port: number;
  }[] {
    return JSON.parse(readFileSync(join(this.folder, ".hedgerow", "workers.json"), "utf8")) as never;
  }

  /** Ends whatever still runs, workers without a supervisor included. */
  async clear(): Promise<void> {
    // Supervisors first: one that lives would start a killed worker again.
    for (const gateway of this.#started) gateway.signal("SIGKILL");
    await Promise.all(this.#started.map((gateway) => gateway.exited));
    try {
      for (const { pid } of this.workers()) kill(pid, "SIGKILL");
    } catch {
      // It never came so far.
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

export class GatewayProcess {
  stdout = "";
  stderr = "";
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #ended = false;

  constructor(cwd: string, program: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, ["--conditions=hedgerow-source", ...program], {
      cwd,
      // No key of the machine's own may configure a provider.
      env: { PATH: process.env["PATH"] ?? "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.pid = this.#child.pid ?? 0;
    this.#child.stdout?.on("data", (text) => this.#grow("stdout", String(text)));
    this.#child.stderr?.on("data", (text) => this.#grow("stderr", String(text)));
    this.exited = new Promise((resolve) => {
      // Not `close`: workers that outlive their supervisor keep stderr open.
      this.#child.on("exit", (code, signal) => {
        this.#ended = true;
        for (const look of this.#watchers) look();
        resolve(signal ?? code ?? -1);
      });
    });
  }

  /** The address, once it is announced. */
  async ready(): Promise<string> {
    await this.until(() => this.stdout.includes("\n") || this.#ended, "the ready line");
    const url = /^hedgerow ready on (http:\S+)\n/.exec(this.stdout)?.[1];
    if (url === undefined) throw new Error(`not ready: ${this.stdout}${this.stderr}`);
    return url;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<number | string> {
    this.signal("SIGTERM");
    return this.exited;
  }

  async logged(pattern: RegExp | string): Promise<void> {
    const found = (): boolean =>
      typeof pattern === "string" ? this.stderr.includes(pattern) : pattern.test(this.stderr);
    await this.until(found, `${pattern} in the log`);
  }

  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`${what} did not come; stdout: ${this.stdout}; stderr: ${this.stderr.slice(-3000)}`));
      }, readyWithinMs);
      this.#watchers.add(look);
      look();
    });
  }

  #grow(stream: "stdout" | "stderr", text: string): void {
    this[stream] += text;
    for (const look of this.#watchers) look();
  }
}

export function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  // Zero would be the test itself, and all that belongs to it.
  if (pid === undefined || pid <= 0) throw new Error("there is no such process");
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** A configuration whose one route `default` asks one simulated provider. */
export function configurationFor(
  simulator: Simulator,
  more: { readonly drain?: string; readonly key?: string } = {},
): string {
  return `
server: { port: 0, workers: 2, limits: { drain: ${more.drain ?? "30s"} } }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: ${more.key ?? "sk-e2e-000000000000"} }
routes:
  default: { targets: [sim/steady] }
`;
}

/** How a call looked to its caller. */
export interface Seen {
  /** `complete` with the protocol's own end; `told` of an error; `cut` without a word. */
  readonly kind: "complete" | "told" | "cut";
  readonly id: string;
  readonly text: string;
}

/** A streamed call. Never throws. */
export async function stream(url: string, model = "default"): Promise<Seen> {
  let id = "";
  let text = "";
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "Count." }] }),
    });
    id = answer.headers.get("x-request-id") ?? "";
    if (answer.body === null) return { kind: "cut", id, text };
    const decoder = new TextDecoder();
    for await (const chunk of answer.body) text += decoder.decode(chunk, { stream: true });
  } catch {
    return { kind: "cut", id, text };
  }
  if (text.includes("data: [DONE]")) return { kind: "complete", id, text };
  return { kind: text.includes('"error"') ? "told" : "cut", id, text };
}

export async function readiness(url: string): Promise<{ readonly status: number; readonly body: Readiness }> {
  const answer = await fetch(`${url}/readyz`);
  return { status: answer.status, body: (await answer.json()) as Readiness };
}

interface Readiness {
  readonly state: string;
  readonly version: string;
  readonly workers: { readonly wanted: number; readonly ready: number; readonly versions: readonly string[] };
}

/** Tries again until it holds; the last failure is what is told. */
export async function eventually(check: () => Promise<void>, withinMs = 45_000): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
