import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const hedgerow = fileURLToPath(import.meta.resolve("#cli/main"));
const readyWithinMs = 30_000;
const stopWithinMs = 15_000;

export interface RunningGateway extends AsyncDisposable {
  readonly url: string;
}

interface GatewayOptions {
  readonly data: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** `hedgerow serve` with this folder's configuration, on a free port. Throws an Error with its words where it does not start. */
export async function startGateway({ data, environment }: GatewayOptions): Promise<RunningGateway> {
  const args = ["serve", "--config", "hedgerow.yaml", "--port", "0", "--workers", "1", "--data", data];
  const child = spawn(process.execPath, [...process.execArgv, hedgerow, ...args], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, log] = ["", ""];
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
    await exited;
    clearTimeout(late);
  };
  const url = await new Promise<string | undefined>((resolve) => {
    const late = setTimeout(() => resolve(undefined), readyWithinMs);
    const settle = (found: string | undefined): void => {
      clearTimeout(late);
      resolve(found);
    };
    child.stdout.on("data", (text: Buffer) => {
      out += text.toString();
      const found = /^hedgerow ready on (http:\S+)$/mu.exec(out)?.[1];
      if (found !== undefined) settle(found);
    });
    // Read on, or a full pipe would hold the gateway up.
    child.stderr.on("data", (text: Buffer) => {
      log = (log + text.toString()).slice(-4000);
    });
    void exited.then(() => settle(undefined));
  });
  if (url !== undefined) return { url, [Symbol.asyncDispose]: stop };
  await stop();
  throw new Error(`The gateway did not start:\n${log}`);
}

/** Any other command, as a person would run it; its output. Throws an Error with its words where it fails. */
export function runCommand(args: readonly string[]): string {
  const ran = spawnSync(process.execPath, [...process.execArgv, hedgerow, ...args], { cwd: folder, encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`hedgerow ${args.join(" ")}: ${ran.stderr}${ran.error?.message ?? ""}`);
  return ran.stdout;
}
