import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { compileMade, readConfiguration, usualFile } from "#control/config/configuration";
import type { Configuration, Refused } from "#control/config/configuration";
import type { ServerSettings } from "#control/config/compile-context";
import { maxWorkers } from "#control/config/schema";
import { simulatedDocument } from "#control/config/from-environment";
import { openLog } from "#planes/log";
import { startSupervisor, type Supervisor } from "#planes/supervisor";
import { simulatorIssuer } from "#simulation/issuer";
import { startSimulator, type Simulator } from "#simulation/server";
import { UsageError, type Command, type CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { terminalLine } from "#cli/terminal-text";
import { showTour } from "#cli/tour";

const usage = `Usage: hedgerow serve [-c FILE] [--host HOST] [--port PORT] [--workers N] [--data FOLDER]

Runs the gateway until SIGTERM or SIGINT: then calls in flight finish, and a second signal ends them with an error.
SIGHUP, or a change of the file, reloads the configuration: all of it, or nothing where it has problems.

  -c, --config FILE   the configuration (default: hedgerow.yaml where it exists, else the provider keys in the
                      environment, else simulated providers, which show what the gateway does)
      --host HOST     address to listen on (default 127.0.0.1)
      --port PORT     port to listen on (default 4000; 0 takes a free one)
      --workers N     worker processes, 1 to ${maxWorkers}, or auto: one for each core (default auto)
      --data FOLDER   journal and store (default ./.hedgerow)

Prints \`hedgerow ready on http://HOST:PORT\` once it answers; the log goes to stderr, as JSON unless on a terminal.
Exit code 1 when it could not start, or when a worker died at the end and cut its calls.
`;

export const serve: Command = {
  name: "serve",
  summary: "run the gateway",
  usage,
  async run(args, io) {
    const { values } = readCommandLine(args, {
      options: {
        config: { type: "string", short: "c" },
        host: { type: "string" },
        port: { type: "string" },
        workers: { type: "string" },
        data: { type: "string" },
      },
      words: { least: 0, most: 0, what: "nothing" },
    });
    const overrides = readOverrides(values);
    // Found once: a file that is gone at a reload is a problem, not a reason to serve something else.
    const path = values.config ?? (existsSync(resolve(io.cwd, usualFile)) ? usualFile : undefined);
    const signals = new Signals();
    const source = await openSource({ io, overrides, ...(path === undefined ? {} : { path }) });
    try {
      return await serveUntilStopped({ io, source, signals, ...(path === undefined ? {} : { path }) });
    } finally {
      signals.release();
      await source.simulator?.close();
    }
  },
};

function readOverrides(values: {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly workers?: string | undefined;
  readonly data?: string | undefined;
}): Partial<ServerSettings> {
  const { host, port, workers, data } = values;
  if (host === "" || data === "") throw new UsageError("--host and --data take a value that is not empty");
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: wholeNumber("--port", port, { min: 0, max: 65_535 }) }),
    ...(workers === undefined ? {} : { workers: readWorkers(workers) }),
    ...(data === undefined ? {} : { data }),
  };
}

function readWorkers(text: string): number | "auto" {
  return text === "auto" ? text : wholeNumber("--workers", text, { min: 1, max: maxWorkers });
}

interface Source {
  readonly configure: () => Configuration | Refused;
  /** Runs only where nothing else is configured. */
  readonly simulator?: Simulator;
}

interface SourceOptions {
  readonly io: CommandIo;
  readonly overrides: Partial<ServerSettings>;
  readonly path?: string;
}

async function openSource({ io, overrides, path }: SourceOptions): Promise<Source> {
  const read = () =>
    readConfiguration({
      cwd: io.cwd,
      env: io.env,
      overrides,
      today: isoDate(),
      ...(path === undefined ? {} : { path }),
    });
  const simulator = read().kind === "unconfigured" ? await startSimulator({ issuer: simulatorIssuer }) : undefined;
  const configure = (): Configuration | Refused => {
    const found = read();
    if (found.kind !== "unconfigured") return found;
    const url = simulator?.url ?? "";
    const made = simulatedDocument({ openaiUrl: `${url}/v1`, anthropicUrl: `${url}/v1` });
    const compiled = compileMade(made, { overrides, env: io.env, today: isoDate(), from: "simulation" });
    // What to improve about a configuration is no news about one that nobody wrote.
    return compiled.kind === "refused" ? compiled : { ...compiled, warnings: [] };
  };
  return { configure, ...(simulator === undefined ? {} : { simulator }) };
}

function isoDate(): string {
  return new Date().toISOString().slice(0, 10);
}

interface Serving {
  readonly io: CommandIo;
  readonly source: Source;
  readonly signals: Signals;
  readonly path?: string;
}

async function serveUntilStopped({ io, source, signals, path }: Serving): Promise<number> {
  const logStyle = io.stderrIsTty ? "plain" : "json";
  const log = openLog({ style: logStyle, write: io.stderr, wallMs: Date.now, from: "supervisor" });
  const started = await startSupervisor({
    configure: source.configure,
    cwd: io.cwd,
    log,
    logStyle,
    ...(path === undefined ? {} : { watch: resolve(io.cwd, path) }),
  });
  if (started.kind === "refused") {
    for (const line of started.lines) io.stderr(`hedgerow serve: ${terminalLine(line)}\n`);
    return 1;
  }
  const { supervisor } = started;
  io.stdout(`hedgerow ready on ${supervisor.url}\n`);
  const stopped = signals.attach(supervisor);
  if (source.simulator !== undefined) void showTour(supervisor.url, io.stderr);
  return (await stopped) ? 0 : 1;
}

/**
 * A terminal, a service manager and a process between them and us may each pass on one and the same wish to stop: what
 * comes so soon after the first is no second wish.
 */
const oneWishMs = 500;

/** Signals are heard from the first moment, so that one that comes during the start leaves no worker behind. */
class Signals {
  #supervisor: Supervisor | undefined;
  #wanted = false;
  #wantedAtMs = Number.NEGATIVE_INFINITY;
  #stopped: ((clean: boolean) => void) | undefined;
  readonly #onStop = (): void => {
    const nowMs = performance.now();
    if (nowMs - this.#wantedAtMs < oneWishMs) return;
    this.#wantedAtMs = nowMs;
    this.#stop();
  };
  readonly #onReload = (): void => this.#supervisor?.reload();
  // A log that nobody reads any more is no reason to stop serving.
  readonly #onDeafEar = (): void => {};

  constructor() {
    process.on("SIGTERM", this.#onStop).on("SIGINT", this.#onStop).on("SIGHUP", this.#onReload);
    process.stderr.on("error", this.#onDeafEar);
  }

  /** Resolves when the supervisor has stopped after a signal: whether all went well. */
  attach(supervisor: Supervisor): Promise<boolean> {
    this.#supervisor = supervisor;
    return new Promise((resolve) => {
      this.#stopped = resolve;
      if (this.#wanted) this.#stop();
    });
  }

  release(): void {
    process.off("SIGTERM", this.#onStop).off("SIGINT", this.#onStop).off("SIGHUP", this.#onReload);
    process.stderr.off("error", this.#onDeafEar);
  }

  #stop(): void {
    this.#wanted = true;
    void this.#supervisor?.stop().then((clean) => this.#stopped?.(clean));
  }
}
