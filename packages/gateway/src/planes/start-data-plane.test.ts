import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compileMade } from "#control/config/configuration";
import { simulatedDocument } from "#control/config/from-environment";
import type { Snapshot } from "#domain/snapshot";
import { openJournal, type JournalWriter } from "#ledger/journal";
import { startSimulator, type Simulator } from "#simulation/server";
import { startDataPlane, type DataPlaneJournal, type RunningDataPlane } from "./start-data-plane.ts";

let folder: string;
let simulator: Simulator;
let journal: JournalWriter;
let plane: RunningDataPlane;
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-plane-"));
  simulator = await startSimulator({
    script: [
      { match: { model: "steady" }, behaviour: { answer: { chunks: ["a", "b", "c"] }, interChunkDelayMs: 100 } },
    ],
  });
  journal = await openJournal({ folder, name: "w1-1" });
});

afterEach(async () => {
  await plane.drain(0);
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

function snapshot(): Snapshot {
  const made = simulatedDocument({ openaiUrl: `${simulator.url}/v1`, anthropicUrl: `${simulator.url}/v1` });
  const compiled = compileMade(made, { today: "2026-11-21" });
  if (compiled.kind === "refused") throw new Error("the simulated document must compile");
  return compiled.snapshot;
}

async function start(over: Partial<DataPlaneJournal> = {}): Promise<void> {
  const watched: DataPlaneJournal = {
    append: (record, then) => journal.append(record, then),
    close: (then) => journal.close(then),
    get stats() {
      return journal.stats;
    },
    get healthy() {
      return over.healthy ?? journal.healthy;
    },
  };
  plane = await startDataPlane({ snapshot: snapshot(), journal: watched, listen: { host: "127.0.0.1", port: 0 }, log });
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Over one kept-alive connection, so that a drained listener can still be asked. */
function ask(path: string, body?: object, method = body === undefined ? "GET" : "POST"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      port: plane.port,
      path,
      method,
      agent,
      headers: { "content-type": "application/json" },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function chat(model: string, stream = false): Promise<Answer> {
  return ask("/v1/chat/completions", { model, stream, messages: [{ role: "user", content: "Hello" }] });
}

describe("a data plane in this process", () => {
  it("answers a call, records it before the answer is complete, and counts it", async () => {
    await start();
    const answer = await chat("sim/steady");
    expect(answer.status).toBe(200);
    expect(journal.stats.records).toBe(1);
    const metrics = await ask("/metrics");
    expect(metrics.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(metrics.body).toContain('hedgerow_attempts_total{target="sim/steady",outcome="answered",failure=""} 1\n');
    expect(metrics.body).toContain("hedgerow_journal_records_total 1\n");
    expect(metrics.body).toContain("hedgerow_calls_in_flight 0\n");
  });

  it("tells operators how it is", async () => {
    await start();
    expect(await ask("/livez")).toMatchObject({ status: 200, body: '{"state":"alive"}\n' });
    const ready = await ask("/readyz");
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.body)).toEqual({
      state: "ready",
      version: snapshot().version,
      workers: { wanted: 1, ready: 1, versions: [snapshot().version] },
    });
    expect(await ask("/readyz", {}, "POST")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    expect(await ask("/readyz", undefined, "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  it("takes no call while nothing can be recorded, and is not ready, but alive", async () => {
    await start({ healthy: false });
    expect(await chat("sim/steady")).toMatchObject({ status: 503 });
    expect(simulator.log.entries).toEqual([]);
    expect(await ask("/readyz")).toMatchObject({
      status: 503,
      body: expect.stringContaining("journal-unhealthy") as string,
    });
    expect(await ask("/livez")).toMatchObject({ status: 200 });
  });

  it("serves new calls from a new snapshot", async () => {
    await start();
    expect((await chat("later")).status).toBe(404);
    plane.applySnapshot({ ...snapshot(), aliases: new Map([["later", "sim/steady"]]), version: "later0000000" });
    expect((await chat("later")).status).toBe(200);
    expect((await ask("/readyz")).body).toContain("later0000000");
  });

  it("lets a call in flight finish when it drains, and refuses new ones meanwhile", async () => {
    await start();
    const other = new Agent({ keepAlive: true });
    await ask("/livez");
    const inFlight = new Promise<string>((resolve, reject) => {
      const request = httpRequest(
        { port: plane.port, path: "/v1/chat/completions", method: "POST", agent: other },
        (response) => {
          let text = "";
          response.on("data", (chunk) => (text += String(chunk)));
          response.on("end", () => resolve(text));
        },
      );
      request.on("error", reject);
      request.end(
        JSON.stringify({ model: "sim/steady", stream: true, messages: [{ role: "user", content: "Hello" }] }),
      );
    });
    await simulator.log.until((entries) => entries.length === 1);
    const drained = plane.drain(10_000);
    await vi.waitFor(() => expect(plane.draining).toBe(true), { timeout: 10_000 });
    await expect(fetch(`http://127.0.0.1:${plane.port}/livez`)).rejects.toThrow();
    expect(await inFlight).toContain("[DONE]");
    await drained;
    expect(journal.stats.records).toBe(1);
    other.destroy();
  });

  it("rejects a drain whose records could not be written", async () => {
    await start();
    const failing = vi.spyOn(journal, "close").mockImplementation((then) => then(new Error("no space left")));
    await expect(plane.drain(0)).rejects.toThrow("no space left");
    failing.mockRestore();
    // For the clean-up, which expects a drain that ends well.
    await start();
  });
});
