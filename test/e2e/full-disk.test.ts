import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { audit } from "#cli/commands/audit";
import { startSimulator, type Simulator } from "#simulation/server";
import { runCommand } from "../world/run-command.ts";
import { eventually, Place } from "./gateway-process.ts";

/** A file system of its own for a gateway's data: too small for what is to come. */
class SmallDisk {
  readonly path: string;
  readonly #filler: string;

  constructor(path: string, bytes: number) {
    this.path = path;
    this.#filler = join(path, "filler");
    mkdirSync(path, { recursive: true, mode: 0o700 });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "tmpfs", path], { stdio: "ignore" });
  }

  fill(): void {
    const file = openSync(this.#filler, "a");
    for (let bytes = 1024 * 1024; bytes >= 1; bytes = Math.floor(bytes / 4)) {
      try {
        for (;;) writeSync(file, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
    closeSync(file);
  }

  free(): void {
    rmSync(this.#filler);
  }

  remove(): void {
    execFileSync("umount", ["-l", this.path], { stdio: "ignore" });
  }
}

function mountable(): boolean {
  const place = new Place();
  try {
    new SmallDisk(join(place.folder, "disk"), 1024 * 1024).remove();
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place.folder, { recursive: true, force: true });
  }
}

const canMount = mountable();
if (!canMount) {
  console.log("full-disk: no file system can be mounted here; the journal's own tests play a full disk.");
}

let place: Place;
let disk: SmallDisk;
let simulator: Simulator;

beforeEach(async () => {
  if (!canMount) return;
  place = new Place();
  disk = new SmallDisk(join(place.folder, ".hedgerow"), 24 * 1024 * 1024);
  simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one two three four" } } }] });
  place.write(`
server: { port: 0, workers: 2 }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000, models: { steady: {} } }
routes: { default: { targets: [sim/steady] } }
payloads: { sample: 1 }
audit: { name: example.com/hedgerow }
`);
});

afterEach(async () => {
  if (!canMount) return;
  await place.clear().catch(() => {});
  disk.remove();
  rmSync(place.folder, { recursive: true, force: true });
  await simulator.close();
});

interface Answer {
  readonly id: string;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

async function ask(url: string, stream: boolean): Promise<Answer | undefined> {
  try {
    const reply = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "default", stream, messages: [{ role: "user", content: "Count." }] }),
    });
    const { status, headers } = reply;
    return {
      id: headers.get("x-request-id") ?? "",
      status,
      retryAfter: headers.get("retry-after"),
      text: await reply.text(),
    };
  } catch {
    // Cut: nobody saw it end.
    return undefined;
  }
}

/** The caller has seen it end as it should. */
function isWhole({ status, text }: Answer): boolean {
  return status === 200 && (text.includes("data: [DONE]") || text.startsWith("{"));
}

/** Callers that ask again and again, until they are told to stop. */
function load(url: string): { readonly answers: Answer[]; readonly stop: () => Promise<void> } {
  const answers: Answer[] = [];
  const over = new AbortController();
  const callers = Array.from({ length: 8 }, async (_, at) => {
    while (!over.signal.aborted) {
      const answer = await ask(url, at % 2 === 0);
      if (answer !== undefined) answers.push(answer);
      await new Promise((done) => setTimeout(done, 10));
    }
  });
  return {
    answers,
    async stop() {
      over.abort();
      await Promise.all(callers);
    },
  };
}

describe.skipIf(!canMount)("a disk that is full", { timeout: 180_000 }, () => {
  it("costs new calls a 503, loses none that was answered, doubles none, and all goes on when there is room", async () => {
    const gateway = place.start();
    const url = await gateway.ready();
    const { answers, stop } = load(url);
    await eventually(async () => expect(answers.filter(isWhole).length).toBeGreaterThan(50));
    for (let time = 0; time < 2; time += 1) {
      disk.fill();
      // A worker's last page may have room for some records more: until none has, some calls are still answered.
      await eventually(async () => {
        expect(answers.length).toBeGreaterThan(100);
        expect(answers.slice(-100).every(({ status }) => status === 503)).toBe(true);
      });
      const refused = answers.at(-1);
      expect(JSON.parse(refused?.text ?? "")).toMatchObject({ error: { code: "overloaded" } });
      expect(Number(refused?.retryAfter)).toBeGreaterThan(0);
      await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(503));
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toMatch(/hedgerow_journal_failures_total [1-9]/u);
      const asked = answers.length;
      // Longer than the journal takes to try again.
      await new Promise((done) => setTimeout(done, 2_500));
      await eventually(async () => expect(answers.length).toBeGreaterThan(asked + 20));
      // What a writer gives back of a line that it cut off may hold another's: a few calls get through.
      const since = answers.slice(asked);
      expect(since.filter(({ status }) => status === 503).length).toBeGreaterThan(since.length * 0.8);
      disk.free();
      const before = answers.length;
      await eventually(async () => expect(answers.slice(before).filter(isWhole).length).toBeGreaterThan(50));
      await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
    }
    await stop();
    expect(await gateway.stop()).toBe(0);
    const stored = place.calls();
    const whole = answers.filter(isWhole).map(({ id }) => id);
    expect(new Set(whole).size).toBe(whole.length);
    expect(whole.filter((id) => !stored.has(id))).toEqual([]);
    // Those that were refused for want of a record were never said to have been answered.
    const refused = answers.filter(({ status }) => status === 503).map(({ id }) => id);
    expect(refused.filter((id) => stored.get(id) === "answered" && whole.includes(id))).toEqual([]);
    const verified = await runCommand(["audit", "verify", "--data", ".hedgerow", "--json"], [audit], {
      cwd: place.folder,
      env: {},
    });
    expect(JSON.parse(verified.out)).toMatchObject({ right: true, findings: [] });
    const complaints = gateway.stderr.split("\n").filter((line) => line.includes("the journal's disk failed"));
    expect(complaints.length).toBeGreaterThan(0);
    // A line for each worker and change, not for each call.
    expect(complaints.length).toBeLessThan(refused.length / 5);
    expect(gateway.stderr).not.toMatch(/ {4}at /u);
  });

  it("at the start is said in a line, with what to do, and the command ends", async () => {
    disk.fill();
    const gateway = place.start();
    expect(await gateway.exited).not.toBe(0);
    expect(gateway.stderr).toContain(".hedgerow");
    expect(gateway.stderr).toMatch(/no space|full|space on the disk/iu);
    expect(gateway.stderr).not.toMatch(/ {4}at /u);
    disk.free();
    const second = place.start();
    const url = await second.ready();
    expect((await ask(url, false))?.status).toBe(200);
    expect(await second.stop()).toBe(0);
  });
});
