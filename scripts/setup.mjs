// Brings a bare checkout to a state in which everything runs: installs the locked dependencies (with them the
// project's own Node) and builds. Does nothing when nothing changed. Plain JavaScript that Node 20 can run,
// because the machine's Node may be old.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const stampFolder = join(root, ".setup");
const windows = process.platform === "win32";

/** The pinned Node, or undefined before the first install. */
export function pinnedNode() {
  const path = join(root, "node_modules", ".bin", windows ? "node.cmd" : "node");
  return existsSync(path) ? path : undefined;
}

function hashOf(paths) {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(path).update("\0").update(readFileSync(path)).update("\0");
  return hash.digest("hex");
}

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sourceFiles(path);
      return /\.(ts|json)$/.test(entry.name) && !entry.name.endsWith(".test.ts") ? [path] : [];
    })
    .toSorted();
}

function stamped(name, value) {
  const path = join(stampFolder, name);
  return existsSync(path) && readFileSync(path, "utf8") === value;
}

function stamp(name, value) {
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(join(stampFolder, name), value);
}

function must(command, args, what) {
  const ran = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], shell: windows });
  if (ran.status !== 0) {
    console.error(`setup: ${what} failed (${command} ${args.join(" ")}, exit ${ran.status ?? ran.signal}).`);
    process.exit(1);
  }
}

function install() {
  const manifests = [
    "package.json",
    "package-lock.json",
    "packages/gateway/package.json",
    "packages/client/package.json",
  ];
  const wanted = hashOf(manifests.map((path) => join(root, path)));
  if (stamped("install", wanted) && pinnedNode() !== undefined) return;
  console.error("setup: installing locked dependencies (npm ci) …");
  must("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "the install");
  stamp("install", wanted);
}

function build() {
  const packages = ["client", "gateway"].map((name) => join(root, "packages", name));
  const files = packages.flatMap((folder) => [...sourceFiles(join(folder, "src")), join(folder, "tsconfig.json")]);
  const wanted = hashOf([...files, join(root, "tsconfig.base.json")]);
  const built = packages.every((folder) => existsSync(join(folder, "dist")));
  if (built && stamped("build", wanted)) return;
  console.error("setup: building …");
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  for (const folder of packages) must(pinnedNode(), [tsc, "-p", folder], `the build of ${folder}`);
  stamp("build", wanted);
}

export function setup() {
  if (!existsSync(root) || !statSync(root).isDirectory()) throw new Error(`no checkout at ${root}`);
  install();
  build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setup();
  console.error("setup: done. Try `npm start`.");
}
