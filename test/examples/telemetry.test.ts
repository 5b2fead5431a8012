import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeBatches, readTable, tableOf } from "../../examples/telemetry/telemetry.ts";
import { readVerdict, reasonOf } from "../../examples/telemetry/verdict.ts";
import { readConfiguration } from "#control/config/configuration";

const folder = fileURLToPath(new URL("../../examples/telemetry/", import.meta.url));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** Of all that it started. */
  readonly pids: readonly number[];
}

/** The example as a person starts it, without any key, its temporary files in a folder of their own; interrupted as soon as it is to stop. */
async function runExample(
  args: readonly string[],
  temporary: string,
  isToStop: () => boolean = () => false,
): Promise<Ran> {
  const program = ["--conditions=hedgerow-source", join(folder, "main.ts"), ...args];
  const child = spawn(process.execPath, program, {
    env: { PATH: process.env["PATH"] ?? "", TMPDIR: temporary, TEMP: temporary },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  const pids = new Set<number>();
  const look = setInterval(() => {
    for (const pid of childrenOf(child.pid ?? 0)) pids.add(pid);
    if (isToStop()) child.kill("SIGTERM");
  }, 100);
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (err += text.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(look);
  return { code, out, err, pids: [...pids] };
}

/** Where the system tells: Linux. */
function childrenOf(pid: number): readonly number[] {
  try {
    const direct = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number);
    return direct.concat(direct.flatMap(childrenOf));
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const real = { XAI_API_KEY: "xai-real-key-000000", ANTHROPIC_API_KEY: "sk-ant-real-000000" };
const simulated = {
  XAI_API_KEY: "simulated-xai",
  ANTHROPIC_API_KEY: "simulated-anthropic",
  TELEMETRY_XAI_URL: "http://127.0.0.1:1/v1",
  TELEMETRY_ANTHROPIC_URL: "http://127.0.0.1:2/v1",
};

function configured(env: Readonly<Record<string, string>>) {
  const read = readConfiguration({ path: "hedgerow.yaml", cwd: folder, env, today: "2026-11-26" });
  if (read.kind !== "configured") throw new Error(JSON.stringify(read));
  return read;
}

describe("the telemetry example", { timeout: 90_000 }, () => {
  it("shows an answer, a rival's answer and a review, keeps its promise and leaves nothing behind", async () => {
    const temporary = mkdtempSync(join(tmpdir(), "hedgerow-example-"));
    try {
      const { code, out, err, pids } = await runExample([], temporary);
      expect(err).toBe("");
      expect(code).toBe(0);
      const rows = out.split("\n").filter((line) => /^T-\d{3} /u.test(line));
      expect(rows).toHaveLength(50);
      const decided = (word: string): number => rows.filter((row) => row.includes(`  ${word} `)).length;
      for (const word of ["answered", "escalated", "review"]) expect(decided(word), word).toBeGreaterThan(0);
      expect(decided("answered") + decided("escalated") + decided("review")).toBe(50);
      expect(rows.filter((row) => row.includes("unknown"))).toEqual([]);

      const accepted = /^Accepted without a person +(\d+) of 50, (\d+) of them right/mu.exec(out);
      const [, given = "0", right = "0"] = accepted ?? [];
      expect(Number(given)).toBe(50 - decided("review"));
      expect(Number(right) / Number(given)).toBeGreaterThanOrEqual(0.85);
      expect(out).toMatch(/^The second model alone +\d+ of 50 right/mu);

      expect(out).toMatch(/^\$ hedgerow review show rev_\w+$/mu);
      expect(out).toMatch(/^ANSWER 2 of 2, anthropic\/claude-sonnet-5/mu);
      expect(out).toMatch(/has it: \{"verdict":.*\} \((?:accepted|written) by ann\)$/mu);
      expect(out).toContain(`Feedback sent with hedgerow.feedback.create: ${right} answers were right,`);

      // What the README shows is what comes out.
      const [, excerpt = ""] = /```\n(BATCH [^]*?)```/u.exec(readFileSync(join(folder, "README.md"), "utf8")) ?? [];
      expect(excerpt).not.toBe("");
      for (const line of excerpt.split("\n")) expect(out).toContain(line);

      if (existsSync("/proc/self/task")) expect(pids.length).toBeGreaterThan(1);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });

  it("stops its gateway and tidies up when it is interrupted before the gateway is ready", async () => {
    const temporary = mkdtempSync(join(tmpdir(), "hedgerow-example-"));
    try {
      const interrupted = await runExample([], temporary, () => readdirSync(temporary).length > 0);
      expect(interrupted).toMatchObject({ code: 130, err: "" });
      expect(interrupted.pids.filter(isAlive)).toEqual([]);
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });

  it("says what is wrong with a command line", async () => {
    const { code, err } = await runExample(["--batches", "none"], tmpdir());
    expect(code).toBe(2);
    expect(err).toContain("--batches takes 1 to 500");
  });
});

describe("its configuration", () => {
  it("asks real vendors where their keys are set, by the same routes as simulated ones", () => {
    const [withKeys, without] = [configured(real), configured(simulated)];
    const origins = (of: typeof withKeys): readonly string[] =>
      [...of.snapshot.providers.values()].map(({ origin }) => origin);
    expect(origins(withKeys)).toEqual(["https://api.x.ai", "https://api.anthropic.com"]);
    expect(origins(without)).toEqual(["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    expect(without.snapshot.routes).toEqual(withKeys.snapshot.routes);
    const confidence = withKeys.snapshot.routes.get("mission-critical")?.confidence;
    expect(confidence).toMatchObject({ min: 0.85, exhausted: "review" });
  });

  it("passes `hedgerow check` with real keys", () => {
    const main = fileURLToPath(import.meta.resolve("#cli/main"));
    const env = { PATH: process.env["PATH"] ?? "", ...real };
    const args = ["--conditions=hedgerow-source", main, "check"];
    const checked = spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
    expect(checked.status, checked.stdout + checked.stderr).toBe(0);
  });
});

describe("its telemetry", () => {
  it("is the same for the same seed, and its table is read as it was written", () => {
    expect(makeBatches(5, 3)).toEqual(makeBatches(5, 3));
    expect(makeBatches(5, 3)).not.toEqual(makeBatches(5, 4));
    for (const { samples } of makeBatches(20, 3)) {
      const table = tableOf(samples);
      expect(tableOf(readTable(`Analyze this data:\n${table}\n`) ?? [])).toBe(table);
    }
  });

  it("has sound batches and faults of each kind, and says in no word of the table which", () => {
    const batches = makeBatches(200, 7);
    expect(new Set(batches.map(({ truth }) => truth.reason)).size).toBe(6);
    for (const { samples, truth } of batches) expect(tableOf(samples)).not.toContain(truth.reason);
  });

  it("takes for a verdict only words that belong together", () => {
    expect(readVerdict(JSON.stringify(reasonOf("overheating")))).toEqual(reasonOf("overheating"));
    expect(readVerdict(JSON.stringify({ ...reasonOf("overheating"), component: "battery" }))).toBeUndefined();
    expect(readVerdict("overheating")).toBeUndefined();
  });
});
