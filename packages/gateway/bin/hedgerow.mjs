#!/usr/bin/env node
// Runs the built command line. Re-executes under the project's own Node where the machine's is too old,
// so that `npx hedgerow` works from a checkout on any machine.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const oldestMajor = 24;
const entry = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

if (!existsSync(entry)) {
  console.error("hedgerow is not built yet: run `npm run setup` in the checkout first.");
  process.exit(1);
}
if (Number(process.versions.node.split(".")[0]) < oldestMajor) {
  const pinned = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url));
  if (!existsSync(pinned)) {
    console.error(`hedgerow needs Node ${oldestMajor} or newer, this is ${process.version}.`);
    process.exit(1);
  }
  const ran = spawnSync(pinned, [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  process.exit(ran.status ?? 1);
}
await import(entry);
