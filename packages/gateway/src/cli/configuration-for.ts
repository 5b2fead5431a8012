import { compileMade, readConfiguration } from "#control/config/configuration";
import type { Configuration } from "#control/config/configuration";
import { simulatedDocument } from "#control/config/from-environment";
import { renderProblem } from "#control/config/problem";
import type { CommandIo } from "./command.ts";
import { terminalLine } from "./terminal-text.ts";

/** The configuration a gateway would serve here, simulated providers included; undefined once its problems are said. */
export function configurationFor(
  path: string | undefined,
  { io, today, issuing }: { readonly io: CommandIo; readonly today: string; readonly issuing?: true },
): Configuration | undefined {
  const read = readConfiguration({
    cwd: io.cwd,
    env: io.env,
    today,
    ...(path === undefined ? {} : { path }),
    ...(issuing === undefined ? {} : { issuing }),
  });
  // Nothing is asked, so that the simulators need not run for it.
  const urls = { openaiUrl: "http://127.0.0.1/v1", anthropicUrl: "http://127.0.0.1/v1" };
  const found = read.kind === "unconfigured" ? compileMade(simulatedDocument(urls), { today }) : read;
  if (found.kind === "configured") return found;
  for (const problem of found.problems) io.stderr(`error: ${terminalLine(renderProblem(problem))}\n`);
  return undefined;
}
