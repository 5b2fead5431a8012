import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  capabilityFile,
  emptyCapabilityFile,
  readCapabilityFile,
  type CapabilityFile,
  type ProbedTarget,
} from "#control/config/capability-file";
import { compileMade, readConfiguration, type Configuration } from "#control/config/configuration";
import { simulatedDocument } from "#control/config/from-environment";
import { renderProblem } from "#control/config/problem";
import type { Snapshot } from "#domain/snapshot";
import { startDataPlane, type DataPlaneJournal } from "#planes/start-data-plane";
import { findKind } from "#providers/kinds";
import { simulatorIssuer } from "#simulation/issuer";
import { startSimulator } from "#simulation/server";
import { UsageError, type Command, type CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";
import { features, type Feature } from "#cli/probe/features";
import { probeTarget } from "#cli/probe/probe-target";
import { progressBar } from "#cli/progress-bar";
import { renderTable } from "#cli/table";
import { terminalLine } from "#cli/terminal-text";

const defaultTimeoutS = 60;

const usage = `Usage: hedgerow probe [TARGET…] [-c FILE] [--features A,B] [--timeout S] [--out FILE] [--json]

Asks each target (provider/model; without any: those of all routes) what it can do, one question after another, and
writes what it found, with the date and the evidence, to capabilities.json in the data folder. A gateway reads that
file at start and on reload: what a target was found unable to do is not asked of it.
The questions are real calls: a few thousand tokens for each target. Nothing is retried elsewhere.

  -c, --config FILE    the configuration (default: hedgerow.yaml where it exists, else the environment)
      --features A,B   only these: ${features.map(({ name }) => name).join(", ")}
      --timeout S      seconds one question may take (default ${defaultTimeoutS})
      --out FILE       where to write (default: capabilities.json in the data folder)
      --json           print what was found as one JSON object

Results: pass, lossy (answered, but something was lost), fail, untried. Exit code 1 when a target answers no question.
`;

export const probe: Command = {
  name: "probe",
  summary: "ask targets what they can do, and write it down for the planner",
  usage,
  async run(args, io) {
    const { values, words } = readCommandLine(args, {
      options: {
        config: { type: "string", short: "c" },
        features: { type: "string" },
        timeout: { type: "string" },
        out: { type: "string" },
        json: { type: "boolean" },
      },
      words: { least: 0, most: 1000, what: "targets" },
    });
    const wanted = chosenFeatures(values.features);
    const timeoutMs = wholeNumber("--timeout", values.timeout ?? String(defaultTimeoutS), { min: 1, max: 3600 }) * 1000;
    await using world = await openWorld(values.config, io);
    if (world.configuration === undefined) return 1;
    const { configuration } = world;
    const targets = words.length > 0 ? words : targetsOfRoutes(configuration.snapshot);
    const unknown = targets.find((target) => !configuration.snapshot.providers.has(target.split("/", 1)[0] ?? ""));
    if (unknown !== undefined) {
      const known = [...configuration.snapshot.providers.keys()].join(", ");
      io.stderr(
        `hedgerow probe: there is no provider for ${terminalLine(unknown)}; there are ${terminalLine(known)}\n`,
      );
      return 1;
    }
    const found = await probeAll({ targets, features: wanted, timeoutMs, snapshot: configuration.snapshot, io });
    const path = resolve(io.cwd, values.out ?? `${configuration.server.data}/${capabilityFile}`);
    const problem = write(path, found);
    if (problem !== undefined) {
      io.stderr(`hedgerow probe: ${terminalLine(problem)}\n`);
      return 1;
    }
    if (values.json === true) io.stdout(`${JSON.stringify({ file: path, targets: found }, null, 2)}\n`);
    else print({ found, features: wanted, path }, io);
    return Object.values(found).every(isReached) ? 0 : 1;
  },
};

function chosenFeatures(list: string | undefined): readonly Feature[] {
  if (list === undefined) return features;
  const names = list.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !features.some((feature) => feature.name === name));
  if (wrong !== undefined) {
    throw new UsageError(
      `no feature ${JSON.stringify(wrong)}; there are ${features.map(({ name }) => name).join(", ")}`,
    );
  }
  // What a feature goes on from is asked too.
  const needed = new Set(names.flatMap((name) => [name, features.find((each) => each.name === name)?.after ?? name]));
  return features.filter(({ name }) => needed.has(name));
}

interface World extends AsyncDisposable {
  readonly configuration: Configuration | undefined;
}

/** The configuration to probe; without any, simulated providers, so that the command can be tried. */
async function openWorld(path: string | undefined, io: CommandIo): Promise<World> {
  const today = new Date().toISOString().slice(0, 10);
  const read = readConfiguration({ cwd: io.cwd, env: io.env, today, ...(path === undefined ? {} : { path }) });
  const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() };
  if (read.kind === "configured") return { configuration: read, ...nothing };
  if (read.kind === "refused") {
    for (const problem of read.problems) io.stderr(`error: ${terminalLine(renderProblem(problem))}\n`);
    return { configuration: undefined, ...nothing };
  }
  const simulator = await startSimulator({ issuer: simulatorIssuer });
  io.stderr("No configuration and no provider's key: the simulated providers are probed.\n");
  const urls = { openaiUrl: `${simulator.url}/v1`, anthropicUrl: `${simulator.url}/v1` };
  const compiled = compileMade(simulatedDocument(urls), { today });
  return {
    configuration: compiled.kind === "configured" ? compiled : undefined,
    [Symbol.asyncDispose]: () => simulator.close(),
  };
}

function targetsOfRoutes({ routes }: Snapshot): readonly string[] {
  return [...new Set([...routes.values()].flatMap((route) => route.targets.map((t) => `${t.provider}/${t.model}`)))];
}

interface Probing {
  readonly targets: readonly string[];
  readonly features: readonly Feature[];
  readonly timeoutMs: number;
  readonly snapshot: Snapshot;
  readonly io: CommandIo;
}

const silent = (): void => {};

/** Through a gateway of its own on loopback, so that what is tried is what callers get. */
async function probeAll(probing: Probing): Promise<Record<string, ProbedTarget>> {
  const { targets, timeoutMs, snapshot, io } = probing;
  const plane = await startDataPlane({
    // Nobody's key, and no route: each target is asked by its own name alone.
    snapshot: { ...snapshot, keys: [], routes: new Map(), aliases: new Map() },
    journal: forgetfulJournal(),
    listen: { host: "127.0.0.1", port: 0 },
    log: { info: silent, warn: silent, error: (message) => io.stderr(`${terminalLine(message)}\n`) },
  });
  const found: Record<string, ProbedTarget> = {};
  const progress = progressBar(targets.length * probing.features.length, io);
  try {
    for (const target of targets) {
      const spec = snapshot.providers.get(target.split("/", 1)[0] ?? "");
      const kind = spec === undefined ? undefined : findKind(spec.kind);
      const model = target.slice(target.indexOf("/") + 1);
      found[target] = {
        at: new Date().toISOString(),
        languages: [...(spec?.dialects ?? kind?.lanes?.(model) ?? (spec === undefined ? [] : [spec.dialect]))],
        features: await probeTarget({
          url: `http://127.0.0.1:${plane.port}`,
          target,
          features: probing.features,
          timeoutMs,
          onFeature: (name) => progress.step(`${target} ${name}`),
        }),
      };
    }
  } finally {
    progress.done();
    await plane.drain(0);
  }
  return found;
}

/** A probe is no traffic: its calls leave no records. */
function forgetfulJournal(): DataPlaneJournal {
  return {
    healthy: true,
    stats: { records: 0, failures: 0, dropped: 0, queuedBytes: 0 } as DataPlaneJournal["stats"],
    append: (_record, then) => void setImmediate(() => then()),
    close: (then) => then(),
  };
}

/** Joins what was found to what is known of other targets; in one step, so that a gateway never reads half a file. */
function write(path: string, found: Readonly<Record<string, ProbedTarget>>): string | undefined {
  const read = readCapabilityFile(path);
  if (read.kind === "broken")
    return `${path} is there and is no capability file (${read.why}); name another with --out`;
  const known: CapabilityFile = read.kind === "read" ? read.file : emptyCapabilityFile;
  const targets: Record<string, ProbedTarget> = { ...known.targets };
  for (const [target, probed] of Object.entries(found)) {
    targets[target] = { ...probed, features: { ...known.targets[target]?.features, ...probed.features } };
  }
  const sorted = Object.fromEntries(Object.entries(targets).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, `${JSON.stringify({ ...known, targets: sorted }, null, 2)}\n`);
    renameSync(`${path}.new`, path);
    return undefined;
  } catch (error) {
    return `cannot write ${path}: ${(error as Error).message}`;
  }
}

interface Printing {
  readonly found: Readonly<Record<string, ProbedTarget>>;
  readonly features: readonly Feature[];
  readonly path: string;
}

function print({ found, features: asked, path }: Printing, io: CommandIo): void {
  for (const [target, { features: results, languages }] of Object.entries(found)) {
    io.stdout(`${terminalLine(target)} (${languages.join(", ")})\n\n`);
    io.stdout(
      renderTable(
        [
          { title: "FEATURE", value: ({ name }) => name },
          { title: "RESULT", value: ({ name }) => results[name]?.result ?? "" },
          { title: "WHAT", value: ({ title }) => title },
          { title: "EVIDENCE", value: ({ name }) => results[name]?.evidence ?? "" },
        ],
        asked,
      ),
    );
    io.stdout("\n");
  }
  io.stdout(`written to ${terminalLine(path)}\n`);
}

function isReached({ features: results }: ProbedTarget): boolean {
  return Object.values(results).some(({ result }) => result === "pass" || result === "lossy");
}
