// `npm start|test|check|bench|example|format`: sets up what is missing, then runs the command under the pinned Node.
import { spawn } from "node:child_process";
import { dirname, delimiter, join } from "node:path";
import { pinnedNode, root, setup } from "./setup.mjs";

const bin = (name) => join(root, "node_modules", ".bin", name);

/** What each command runs, in order; the first failure ends it. */
const commands = {
  start: [["node", join(root, "packages/gateway/dist/cli/main.js"), "serve"]],
  test: [[bin("vitest"), "run"]],
  check: [
    [bin("tsc"), "-p", "."],
    [bin("oxlint"), "--type-aware", "--deny-warnings"],
    [bin("oxfmt"), "--check"],
    [bin("knip")],
    [bin("vitest"), "run", "test/architecture.test.ts"],
  ],
  example: [["node", "examples/telemetry/main.ts"]],
  bench: [["node", "--conditions=hedgerow-source", "bench/main.ts"]],
  format: [[bin("oxfmt")]],
};

const parentLookMs = 250;

const [name, ...given] = process.argv.slice(2);
const steps = commands[name];
if (steps === undefined) {
  console.error(`run: no command ${name}; there are ${Object.keys(commands).join(", ")}.`);
  process.exit(2);
}
setup();

const environment = { ...process.env, PATH: dirname(pinnedNode()) + delimiter + process.env.PATH };
for (const [index, [program, ...args]] of steps.entries()) {
  // Extra words belong to the command itself, so only a single-step command takes them.
  const words = index === steps.length - 1 && steps.length === 1 ? [...args, ...given] : args;
  if (steps.length > 1) console.error(`${name}: ${program.split(/[\\/]/).pop()} ${words.join(" ")}`);
  const status = await run(program, words);
  if (status !== 0) process.exit(status);
}

function run(program, args) {
  return new Promise((resolve) => {
    const file = program === "node" ? pinnedNode() : program;
    const child = spawn(file, args, {
      cwd: root,
      stdio: "inherit",
      env: environment,
      shell: process.platform === "win32",
    });
    // The terminal sends Ctrl-C to the whole group; a supervisor of processes sends it to us only.
    for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    process.on("SIGINT", () => {});
    // npm passes SIGTERM to the shell between us, which dies of it without a word: then its wish is ours to fulfil.
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      child.kill("SIGTERM");
    }, parentLookMs);
    watch.unref();
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
    child.on("error", (error) => {
      console.error(`run: cannot start ${file}: ${error.message}`);
      resolve(1);
    });
  });
}
