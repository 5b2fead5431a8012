import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { benchKey } from "./load.ts";
import { folderFor, type Subject } from "./subjects.ts";

/** Another gateway, in the version that is measured. */
interface Peer {
  readonly name: string;
  readonly version: string;
  /** Brings it into a folder outside the checkout; says why that did not work. */
  install(folder: string): string | undefined;
  start(folder: string, upstream: Subject, port: number): ChildProcess;
  /** What its callers say beside their key. */
  headers(upstream: Subject): Readonly<Record<string, string>>;
}

const cache = process.env["HEDGEROW_BENCH_CACHE"] ?? join(homedir(), ".cache/hedgerow-bench");
const readyWithinMs = 120_000;

function ran(program: string, args: readonly string[], cwd: string): string | undefined {
  const done = spawnSync(program, args, { cwd, encoding: "utf8", timeout: 900_000 });
  if (done.status === 0) return undefined;
  return (done.error?.message ?? `${done.stderr}${done.stdout}`).trim().split("\n").slice(-2).join(" ");
}

const quiet = { stdio: "ignore" } as const;

const portkey: Peer = {
  name: "Portkey",
  version: "1.15.2",
  install(folder) {
    if (existsSync(join(folder, "node_modules/@portkey-ai/gateway"))) return undefined;
    // With the newest @hono/node-server, which it would get, this version answers 500 to every stream.
    const overrides = { "@hono/node-server": "1.13.5" };
    const dependencies = { "@portkey-ai/gateway": this.version };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies, overrides }));
    return ran("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
  },
  start(folder, _upstream, port) {
    const main = join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js");
    return spawn(process.execPath, [main, `--port=${port}`, "--headless"], {
      ...quiet,
      env: { ...process.env, NODE_ENV: "production" },
    });
  },
  headers: (upstream) => ({ "x-portkey-provider": "openai", "x-portkey-custom-host": `${upstream.url}/v1` }),
};

const litellm: Peer = {
  name: "LiteLLM",
  version: "1.105.0",
  install(folder) {
    if (existsSync(join(folder, "bin/litellm"))) return undefined;
    return (
      ran("python3", ["-m", "venv", folder], folder) ??
      ran(join(folder, "bin/pip"), ["install", "-q", `litellm[proxy]==${this.version}`], folder)
    );
  },
  start(folder, upstream, port) {
    const own = folderFor("litellm-");
    const config = join(own.path, "config.yaml");
    // Its own advice for production: no debugging, no console output, one worker for one core.
    writeFileSync(
      config,
      `model_list:
  - model_name: "openai/gpt-5.4"
    litellm_params: { model: openai/gpt-5.4, api_base: "${upstream.url}/v1", api_key: ${benchKey} }
litellm_settings: { set_verbose: false, telemetry: false, num_retries: 0 }
general_settings: { master_key: ${benchKey} }
`,
    );
    const args = ["--config", config, "--host", "127.0.0.1", "--port", String(port), "--num_workers", "1"];
    const env = {
      ...process.env,
      LITELLM_LOG: "ERROR",
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
      LITELLM_MODE: "PRODUCTION",
    };
    const child = spawn(join(folder, "bin/litellm"), args, { ...quiet, env });
    own.goWith(child);
    return child;
  },
  headers: () => ({}),
};

const bifrost: Peer = {
  name: "Bifrost",
  version: "1.6.0",
  install(folder) {
    const program = join(folder, "bifrost-http");
    if (existsSync(program)) return undefined;
    const module = "github.com/maximhq/bifrost/transports/bifrost-http";
    return spawnSync("go", ["install", `${module}@v${this.version}`], {
      cwd: folder,
      encoding: "utf8",
      timeout: 900_000,
      env: { ...process.env, GOBIN: folder },
    })
      .stderr?.trim()
      .split("\n")
      .at(-1);
  },
  start: (folder, _upstream, port) => spawn(join(folder, "bifrost-http"), ["-port", String(port)], quiet),
  headers: () => ({}),
};

/** Those that could be brought here and answer; whoever could not is named with the reason. */
export async function startPeers(upstream: Subject): Promise<readonly Subject[]> {
  const started: Subject[] = [];
  for (const [at, peer] of [portkey, litellm, bifrost].entries()) {
    const folder = join(cache, peer.name.toLowerCase());
    mkdirSync(folder, { recursive: true });
    const why = peer.install(folder);
    if (why !== undefined) {
      console.log(`${peer.name} ${peer.version} cannot be installed here and is left out: ${why}`);
      continue;
    }
    const port = 20_000 + ((process.pid + at * 7) % 20_000);
    const subject = {
      name: `${peer.name} ${peer.version}`,
      url: `http://127.0.0.1:${port}`,
      process: peer.start(folder, upstream, port),
      headers: peer.headers(upstream),
    };
    if (await answers(subject)) started.push(subject);
    else {
      console.log(`${subject.name} does not answer as it is started here and is left out`);
      subject.process.kill("SIGKILL");
    }
  }
  return started;
}

async function answers({ url, headers }: Subject): Promise<boolean> {
  for (const until = performance.now() + readyWithinMs; performance.now() < until; await sleep(500)) {
    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", authorization: `Bearer ${benchKey}` },
      body: JSON.stringify({ model: "openai/gpt-5.4", messages: [{ role: "user", content: "Hello" }] }),
    }).catch(() => undefined);
    await reply?.body?.cancel();
    if (reply?.status === 200) return true;
  }
  return false;
}
