import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const hedgerow = fileURLToPath(import.meta.resolve("#cli/main"));
const readyWithinMs = 30_000;
const stopWithinMs = 15_000;
/** Characters of its log, to tell why it did not start. */
const keptLog = 4000;

export interface StartedGateway extends AsyncDisposable {
  /** Its address, once it can answer. Rejects with an Error with its words where it does not start. */
  readonly url: Promise<string>;
}

interface GatewayOptions {
  readonly data: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * `hedgerow serve` with this folder's configuration, on a free port. Given at once, not when it is ready: who is interrupted
 * meanwhile has to stop it, too.
 */
export function startGateway({ data, environment }: GatewayOptions): StartedGateway {
  const args = ["serve", "--config", "hedgerow.yaml", "--port", "0", "--workers", "1", "--data", data];
  const child = spawn(process.execPath, [...process.execArgv, hedgerow, ...args], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, log] = ["", ""];
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`The gateway was not ready in time:\n${log}`)), readyWithinMs);
    child.stdout.on("data", (text: Buffer) => {
      out += text.toString();
      const found = /^hedgerow ready on (http:\S+)$/mu.exec(out)?.[1];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    });
    // Read on, or a full pipe would hold the gateway up.
    child.stderr.on("data", (text: Buffer) => {
      log = (log + text.toString()).slice(-keptLog);
    });
    child.once("exit", () => {
      clearTimeout(late);
      reject(new Error(`The gateway did not start:\n${log}`));
    });
  });
  // Nobody may be waiting for it any more.
  url.catch(() => {});
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
      await exited;
      clearTimeout(late);
    },
  };
}

/** Any other command, as a person would run it; its output. Throws an Error with its words where it fails. */
export function runCommand(args: readonly string[]): string {
  const ran = spawnSync(process.execPath, [...process.execArgv, hedgerow, ...args], { cwd: folder, encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`hedgerow ${args.join(" ")}: ${ran.stderr}${ran.error?.message ?? ""}`);
  return ran.stdout;
}
