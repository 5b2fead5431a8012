import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { builtInModels } from "#simulation/assistant";
import { parseScript } from "#simulation/script";
import type { Script } from "#simulation/script";
import { explainListenFailure } from "#planes/listen-address";
import { simulatorIssuer } from "#simulation/issuer";
import { startSimulator } from "#simulation/server";
import type { Simulator } from "#simulation/server";
import { isLoopback } from "#control/config/address";
import type { Command, CommandIo } from "#cli/command";
import { readCommandLine, wholeNumber } from "#cli/command-line";

const defaultPort = 4010;
const defaultHost = "127.0.0.1";

const usage = `Usage: hedgerow sim [--port P] [--host H] [--script FILE]

Runs simulated providers that speak the languages of OpenAI (/v1/chat/completions, /v1/responses), Anthropic
(/v1/messages), Gemini (/v1beta/models/…), Bedrock (/model/…) and Cohere (/v2/chat), to try an application against rate
limits, stalls, cut streams and the like. Without a script these models answer:

${builtInModels.map(({ name, does }) => `  ${name.padEnd(13)} ${does}\n`).join("")}
      --port P        port to listen on, 0 for any free one (default ${defaultPort})
      --host H        address to listen on (default ${defaultHost}); anybody who reaches it may use it
      --script FILE   rules in YAML or JSON that say what is answered, how, and what breaks: docs/simulation.md

Stops on SIGINT or SIGTERM. Exit code 1 when the script is wrong or the port is taken.
`;

export const sim: Command = {
  name: "sim",
  summary: "run simulated providers, with scripted faults, to test your own application",
  usage,
  async run(args, io) {
    const { values } = readCommandLine(args, {
      options: { port: { type: "string" }, host: { type: "string" }, script: { type: "string" } },
      words: { least: 0, most: 0, what: "nothing" },
    });
    const port = values.port === undefined ? defaultPort : wholeNumber("--port", values.port, { min: 0, max: 65_535 });
    const host = values.host ?? defaultHost;
    const script = values.script === undefined ? { rules: [] } : readScript(values.script, io);
    if (script === undefined) return 1;
    const simulator = await start({ script, port, host }, io);
    if (simulator === undefined) return 1;
    announce(simulator, { host, script }, io);
    await untilSignal();
    await simulator.close();
    return 0;
  },
};

function readScript(path: string, io: CommandIo): Script | undefined {
  let text: string;
  try {
    text = readFileSync(resolve(io.cwd, path), "utf8");
  } catch (error) {
    io.stderr(`error: cannot read the script ${path}: ${(error as Error).message}\n`);
    return undefined;
  }
  const parsed = parseScript(text, path);
  if (parsed.kind === "parsed") return parsed.script;
  for (const message of parsed.errors) io.stderr(`error: ${message}\n`);
  return undefined;
}

interface Settings {
  readonly script: Script;
  readonly port: number;
  readonly host: string;
}

async function start({ script, port, host }: Settings, io: CommandIo): Promise<Simulator | undefined> {
  try {
    return await startSimulator({ script, port, host, issuer: simulatorIssuer });
  } catch (error) {
    io.stderr(`hedgerow sim: ${explainListenFailure(error as NodeJS.ErrnoException, { host, port })}\n`);
    return undefined;
  }
}

function announce(simulator: Simulator, { host, script }: Omit<Settings, "port">, io: CommandIo): void {
  if (!isLoopback(host)) {
    io.stderr(`warning: ${host} can be reached from other machines, and the simulator asks nobody for a key\n`);
  }
  io.stdout(`hedgerow sim ready on ${simulator.url}\n`);
  if (script.rules.length > 0) io.stdout(`${script.rules.length} rules; where none matches, these models answer:\n`);
  for (const { name, does } of builtInModels) io.stdout(`  ${name.padEnd(13)} ${does}\n`);
}

function untilSignal(): Promise<void> {
  return new Promise((done) => {
    const resolve = (): void => done();
    // Left in place: the same wish may come twice, from the terminal and from a process between, and must not kill.
    process.on("SIGINT", resolve).on("SIGTERM", resolve);
  });
}
