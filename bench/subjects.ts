import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { benchKey } from "./load.ts";

export interface Subject {
  readonly name: string;
  readonly url: string;
  readonly process: ChildProcess;
  /** What its callers say beside their key. */
  readonly headers?: Readonly<Record<string, string>>;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Starts a Node program that prints `ready PORT` (or the gateway's own ready line) and waits for it. */
async function startNode(name: string, args: readonly string[], env = process.env): Promise<Subject> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env });
  // Whatever ends the benchmark ends it too.
  process.once("exit", () => child.kill("SIGTERM"));
  const port = await readyPort(child, name);
  return { name, url: `http://127.0.0.1:${port}`, process: child };
}

/** Nobody has calls on their way then: whoever takes longer is told again, which cuts a gateway's drain short. */
const endsWithinMs = 10_000;

/** Ends them and waits until they are gone, so that none of them takes of what is measured next. */
export async function endAll(subjects: readonly Subject[]): Promise<void> {
  await Promise.all(subjects.map(({ process: child }) => ended(child)));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const again = setTimeout(() => child.kill("SIGTERM"), endsWithinMs);
  await gone;
  clearTimeout(again);
}

/** A folder for what is started: it goes when that has ended, or with the benchmark. */
export function folderFor(what: string): { readonly path: string; goWith(child: ChildProcess): void } {
  const path = mkdtempSync(join(tmpdir(), `hedgerow-bench-${what}`));
  const remove = (): void => {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // Whoever is still ending has just written into it: it is left behind.
    }
  };
  process.once("exit", remove);
  return {
    path,
    goWith(child) {
      child.once("exit", () => {
        process.off("exit", remove);
        remove();
      });
    },
  };
}

/** How it answers from here on: `chunks=64`, `paceMs=20`, `faults=0.05`. */
export async function setUpstream({ url }: Subject, settings: Readonly<Record<string, number>>): Promise<void> {
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await (await fetch(`${url}/set?${words.join("&")}`)).text();
}

export function startUpstream(): Promise<Subject> {
  return startNode("upstream", [here("upstream.ts")]);
}

export function startBareRelay(upstream: Subject): Promise<Subject> {
  return startNode("bare relay", [here("relay.ts"), upstream.url]);
}

export function startParsingRelay(upstream: Subject): Promise<Subject> {
  return startNode("parse + stringify relay", [here("relay.ts"), upstream.url, "parse"]);
}

/** Everything that can be counted of a call is: nothing of it is ever reached. */
const bounds = `keys:
  bench:
    sha256: ${createHash("sha256").update(benchKey).digest("hex")}
    limits: { rpm: 10000000, tpm: 10000000000, concurrency: 10000 }
    budget: [100000usd/day, 1000000usd/month]
`;

export interface HedgerowOptions {
  readonly checkout?: string;
  readonly name?: string;
  /** With a key, its limits and its budgets. */
  readonly bounded?: boolean;
  readonly workers?: number;
  /** The language its provider speaks. */
  readonly speaks?: "openai" | "anthropic";
  /** More of the configuration, and more providers of the same address as targets of the route. */
  readonly more?: string;
  readonly backups?: number;
  /** Not built: its sources. */
  readonly fromSource?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Where its data are; by default a folder of its own. */
  readonly folder?: string;
}

/** The gateway of a checkout as a user runs it: built, one worker, journal on disk. */
export async function startHedgerow(upstream: Subject, options: HedgerowOptions = {}): Promise<Subject> {
  const {
    checkout = here(".."),
    name = "hedgerow",
    bounded = false,
    workers = 1,
    speaks = "openai",
    more = "",
  } = options;

  const own = options.folder === undefined ? folderFor("") : undefined;
  const folder = own?.path ?? options.folder ?? "";
  const config = join(folder, "hedgerow.yaml");
  const spare = Array.from({ length: options.backups ?? 0 }, (_, at) => `spare${at + 1}`);
  const target = speaks === "openai" ? "openai/gpt-5.4" : "anthropic/claude-sonnet-5";
  writeFileSync(
    config,
    `server: { port: 0, workers: ${workers}, data: ${folder}/data, limits: { maxConcurrentCalls: 20000 } }
providers:
  ${speaks}: { kind: ${speaks}, url: "${upstream.url}/v1", key: sk-bench-0000000000000000000000 }
${spare.map((id) => `  ${id}: { kind: openai, url: "${upstream.url}/v1", key: sk-bench-0000000000000000000000 }\n`).join("")}routes:
  default: { targets: [${[target, ...spare.map((id) => `${id}/gpt-5.4`)].join(", ")}] }
${bounded ? bounds : ""}${more}`,
  );
  const program =
    options.fromSource === true
      ? ["--conditions=hedgerow-source", join(checkout, "packages/gateway/src/cli/main.ts")]
      : [join(checkout, "packages/gateway/dist/cli/main.js")];
  const started = await startNode(name, [...program, "serve", "-c", config], { ...process.env, ...options.env });
  own?.goWith(started.process);
  return started;
}

/** nginx with the settings a relay needs (no buffering); undefined where it is not installed. */
export async function startNginx(upstream: Subject): Promise<Subject | undefined> {
  const found = spawnSync("sh", ["-c", "command -v nginx"], { encoding: "utf8" });
  const program = found.status === 0 ? found.stdout.trim() : "/usr/sbin/nginx";
  if (!existsSync(program)) return undefined;
  const own = folderFor("nginx-");
  const folder = own.path;
  const port = await freePort();
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; client_max_body_size 64m; client_body_buffer_size 2m; client_body_temp_path ${folder}; proxy_temp_path ${folder};
  fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  upstream provider { server ${new URL(upstream.url).host}; keepalive 256; }
  server { listen 127.0.0.1:${port}; keepalive_requests 1000000;
    location / { proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}
`,
  );
  const child = spawn(program, ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "inherit" });
  own.goWith(child);
  process.once("exit", () => child.kill("SIGTERM"));
  await new Promise((resolve) => setTimeout(resolve, 500));
  // Whoever else has its port would be measured in its place.
  if (child.exitCode !== null) throw new Error(`nginx ended before it was ready (exit ${child.exitCode})`);
  return { name: "nginx", url: `http://127.0.0.1:${port}`, process: child };
}

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

function readyPort(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      const found = /ready (?:on http:\/\/[^:]+:)?(\d+)/.exec(text);
      if (found !== null) resolve(Number(found[1]));
    });
    child.once("exit", (code) => reject(new Error(`${name} ended before it was ready (exit ${code})`)));
  });
}
