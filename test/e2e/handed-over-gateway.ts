// Runs a supervisor the way it runs where processes cannot bind one port together (macOS, Windows).
// A program of its own, started in the folder of its configuration.
import { readConfiguration } from "../../packages/gateway/src/control/config/configuration.ts";
import { openLog } from "../../packages/gateway/src/planes/log.ts";
import { startSupervisor } from "../../packages/gateway/src/planes/supervisor.ts";

const cwd = process.cwd();
const started = await startSupervisor({
  configure() {
    const read = readConfiguration({ path: "hedgerow.yaml", cwd, env: {}, today: "2026-11-21" });
    if (read.kind === "unconfigured") throw new Error("the folder holds no configuration");
    return read;
  },
  cwd,
  log: openLog({ style: "plain", from: "supervisor", wallMs: Date.now, write: (line) => process.stderr.write(line) }),
  logStyle: "plain",
  listenHow: "handed",
});
if (started.kind === "refused") throw new Error(started.lines.join("\n"));
const { supervisor } = started;
process.on("SIGTERM", () => void supervisor.stop());
console.log(`hedgerow ready on ${supervisor.url}`);
