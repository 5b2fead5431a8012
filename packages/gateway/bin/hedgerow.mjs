#!/usr/bin/env node
// Runs the built command line. Runs it again under the project's own Node where the machine's is too old,
// so that `npx hedgerow` works from a checkout on any machine.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const oldestMajor = 24;
const entry = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

if (!existsSync(entry)) {
  console.error("hedgerow is not built yet: run `npm run setup` in the checkout first.");
  process.exit(1);
}
if (Number(process.versions.node.split(".")[0]) >= oldestMajor) {
  await import(entry);
} else {
  const pinned = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url));
  if (!existsSync(pinned)) {
    console.error(`hedgerow needs Node ${oldestMajor} or newer, this is ${process.version}.`);
    process.exit(1);
  }
  runUnder(pinned);
}

function runUnder(node) {
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  // Whoever stops or reloads a gateway knows only this process: without the passing on, the gateway would outlive it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`hedgerow: cannot start ${node}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
