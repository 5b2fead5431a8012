import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ForwardSettings } from "#control/config/compile-context";
import { ingestRecords } from "#control/store/ingest";
import { countOutbox, openOutbox, putIntoOutbox, waitingRecords } from "#control/store/outbox";
import { openStore, type Store } from "#control/store/sqlite";
import { Secret } from "#domain/secret";
import { forwardingFamilies } from "#planes/forwarding-metrics";
import { renderMetrics } from "#planes/metrics";
import { forwardRecords, type RecordForwarder } from "#planes/forward-records";
import { callRecord } from "../world/sample-record.ts";

interface Post {
  readonly ids: readonly string[];
  readonly headers: IncomingHttpHeaders;
}

/** A collector that keeps what it takes, and answers as it is told. */
class Collector {
  readonly posts: Post[] = [];
  /** Everything it said yes to, in order. */
  readonly taken: string[] = [];
  answer: (ids: readonly string[]) => number = () => 200;
  /** Takes what it is sent and answers only then. */
  slowMs = 0;
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/records`;
  }

  /** On the port it had before, where it had one. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (piece: Buffer) => (text += piece.toString("utf8")));
      request.on("end", () => {
        const lines = text.split("\n").slice(0, -1);
        const ids = lines.map((line) => (JSON.parse(line) as { id: string }).id);
        this.posts.push({ ids, headers: request.headers });
        const status = this.answer(ids);
        if (status < 300) this.taken.push(...ids);
        setTimeout(() => response.writeHead(status).end("noted"), this.slowMs);
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => (this.#server === undefined ? resolve(undefined) : this.#server.close(resolve)));
  }
}

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Setting {
  readonly store: Store;
  readonly collector: Collector;
  readonly said: string[];
  readonly forward: (more?: Partial<ForwardSettings>) => RecordForwarder;
}

async function setting(): Promise<Setting> {
  const opened = openStore(":memory:");
  if (opened.kind !== "opened") throw new Error(opened.message);
  const { store } = opened;
  cleanups.push(() => store.close());
  const collector = new Collector();
  await collector.start();
  cleanups.push(() => collector.stop());
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  return {
    store,
    collector,
    said,
    forward(more = {}) {
      const settings = { url: collector.url, batchRecords: 10, timeoutMs: 2_000, keptRecords: 100_000, ...more };
      const log = { info: say, warn: say, error: say };
      const forwarder = forwardRecords({ store, log, settings: () => settings, everyMs: 10, pace: 0.02 });
      cleanups.push(() => forwarder.finish());
      return forwarder;
    },
  };
}

/** As from a journal that is read from its beginning. */
function bring(store: Store, ...ids: readonly string[]): void {
  store.run("DELETE FROM journal_files");
  const piece = { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 10, chainHash: "h" };
  ingestRecords(
    store,
    piece,
    ids.map((id) => callRecord(id)),
  );
}

const numbered = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, at) => `req_${String(from + at).padStart(4, "0")}`);
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 8_000, interval: 10 });

describe("Forwarding of records", () => {
  it("posts every record as a line of JSON, in order, in bounded batches, with the key", async () => {
    const { store, collector, forward } = await setting();
    forward({ key: new Secret("canary-collector") });
    bring(store, ...numbered(0, 25));
    await soon(() => expect(collector.taken).toEqual(numbered(0, 25)));
    expect(Math.max(...collector.posts.map(({ ids }) => ids.length))).toBeLessThanOrEqual(10);
    expect(collector.posts[0]?.headers).toMatchObject({
      authorization: "Bearer canary-collector",
      "content-type": "application/x-ndjson",
    });
    await soon(() => expect(countOutbox(store)).toEqual({ waiting: 0, refused: 0, dropped: 0 }));
  });

  it("sends records as they are in the journal", async () => {
    const { store, forward } = await setting();
    await forward({ url: "http://127.0.0.1:9/" }).finish();
    const record = callRecord("req_1", {
      usage: {
        inputUncached: 1,
        cacheRead: 0,
        cacheWrite: 0,
        cacheWriteLong: 0,
        output: 1,
        reasoning: 0,
        inputAudio: 7,
        estimated: false,
      },
    });
    ingestRecords(store, { file: "f", fromOffset: 0, toOffset: 1, chainHash: "h" }, [record]);
    expect(waitingRecords(store, 10).map(({ line }) => JSON.parse(line) as object)).toEqual([record]);
  });

  it("loses nothing while the collector is down, and goes on in order when it is back", async () => {
    const { store, collector, said, forward } = await setting();
    await collector.stop();
    forward();
    bring(store, ...numbered(0, 30));
    await soon(() => expect(said.join()).toContain("records could not be forwarded; they wait in the data folder"));
    bring(store, ...numbered(30, 40));
    expect(countOutbox(store).waiting).toBe(40);
    await collector.start();
    await soon(() => expect(collector.taken).toEqual(numbered(0, 40)));
    expect(said).toContain("records reach the collector again");
  });

  it.each([401, 404, 429, 500, 503])("keeps what a collector that answers %i does not take", async (status) => {
    const { store, collector, forward } = await setting();
    collector.answer = () => status;
    forward();
    bring(store, ...numbered(0, 3));
    await soon(() => expect(collector.posts.length).toBeGreaterThan(1));
    expect(countOutbox(store)).toMatchObject({ waiting: 3, refused: 0 });
    collector.answer = () => 200;
    await soon(() => expect(collector.taken).toEqual(numbered(0, 3)));
  });

  it("sends again what a slow collector took without saying so in time: by its id a second is told from a first", async () => {
    const { store, collector, forward } = await setting();
    collector.slowMs = 400;
    forward({ timeoutMs: 100 });
    bring(store, ...numbered(0, 3));
    await soon(() => expect(collector.posts.length).toBeGreaterThan(1));
    collector.slowMs = 0;
    await soon(() => expect(countOutbox(store).waiting).toBe(0));
    expect(collector.taken.length).toBeGreaterThan(3);
    expect([...new Set(collector.taken)]).toEqual(numbered(0, 3));
  });

  it("sets one record aside that the collector refuses, lets the others pass, and tries it again at the next start", async () => {
    const { store, collector, said, forward } = await setting();
    const [bad] = numbered(7, 8);
    collector.answer = (ids) => (ids.includes(bad ?? "") ? 400 : 200);
    const forwarder = forward();
    bring(store, ...numbered(0, 20));
    const others = numbered(0, 20).filter((id) => id !== bad);
    await soon(() => expect(collector.taken).toEqual(others));
    await soon(() => expect(countOutbox(store)).toEqual({ waiting: 0, refused: 1, dropped: 0 }));
    expect(said.join()).toContain("the collector refuses a record");
    await forwarder.finish();
    collector.answer = () => 200;
    forward();
    await soon(() => expect(collector.taken).toEqual([...others, bad]));
  });

  it("takes a record once that two passes over the journal bring", async () => {
    const { store, collector, forward } = await setting();
    const forwarder = forward();
    bring(store, "req_1");
    bring(store, "req_1", "req_2");
    await soon(() => expect(collector.taken).toEqual(["req_1", "req_2"]));
    await forwarder.finish();
    expect(collector.posts.flatMap(({ ids }) => ids)).toEqual(["req_1", "req_2"]);
  });

  it("sends what waits before it stops, and does not wait for a collector that is down", async () => {
    const { store, collector, forward } = await setting();
    const forwarder = forward();
    await soon(() => expect(collector.posts).toEqual([]));
    bring(store, ...numbered(0, 35));
    await forwarder.finish();
    expect(collector.taken).toEqual(numbered(0, 35));
    await collector.stop();
    const again = forward();
    bring(store, ...numbered(40, 45));
    const before = performance.now();
    await again.finish();
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(countOutbox(store).waiting).toBe(5);
  });

  it("keeps the last records where too many wait, counts those that left, and the store has them all", async () => {
    const { store } = await setting();
    openOutbox(store, 1_000);
    for (let at = 0; at < 30; at += 1) bring(store, ...numbered(at * 50, at * 50 + 50));
    expect(countOutbox(store)).toEqual({ waiting: 1_000, refused: 0, dropped: 500 });
    expect((JSON.parse(waitingRecords(store, 1)[0]?.line ?? "{}") as { id?: string }).id).toBe(numbered(500, 501)[0]);
    expect(store.get("SELECT count(*) AS calls FROM calls")?.["calls"]).toBe(1_500);
  });

  it("follows the configuration: to another collector at once, and to none", async () => {
    const { store, collector, said } = await setting();
    const say = (message: string): void => void said.push(message);
    let settings: ForwardSettings | undefined = {
      url: "http://127.0.0.1:9/",
      batchRecords: 10,
      timeoutMs: 2_000,
      keptRecords: 100_000,
    };
    const log = { info: say, warn: say, error: say };
    const forwarder = forwardRecords({ store, log, settings: () => settings, everyMs: 10 });
    cleanups.push(() => forwarder.finish());
    bring(store, "req_1");
    await soon(() => expect(said.join()).toContain("could not be forwarded"));
    settings = { ...settings, url: collector.url };
    forwarder.apply();
    await soon(() => expect(collector.taken).toEqual(["req_1"]));
    settings = undefined;
    forwarder.apply();
    bring(store, "req_2");
    expect(countOutbox(store)).toEqual({ waiting: 0, refused: 0, dropped: 0 });
  });

  it("shows in the metrics how many wait, were refused and were dropped, where anybody collects", async () => {
    const { store, collector, forward } = await setting();
    const shown = (): string => renderMetrics(forwardingFamilies(store));
    expect(shown()).toBe("");
    openOutbox(store, 10);
    bring(store, ...numbered(0, 14));
    expect(shown()).toContain("hedgerow_forwarding_waiting_records 10\n");
    expect(shown()).toContain("hedgerow_forwarding_dropped_total 4\n");
    collector.answer = (ids) => (ids.includes("req_0007") ? 400 : 200);
    forward({ keptRecords: 10 });
    await soon(() => expect(shown()).toContain("hedgerow_forwarding_waiting_records 0\n"));
    expect(shown()).toContain("hedgerow_forwarding_refused_records 1\n");
    expect(shown()).toContain("hedgerow_forwarding_dropped_total 4\n");
  });

  it("shows nothing of a store that cannot be asked", async () => {
    const opened = openStore(":memory:");
    if (opened.kind !== "opened") throw new Error(opened.message);
    openOutbox(opened.store, 10);
    opened.store.close();
    expect(forwardingFamilies(opened.store)).toEqual([]);
  });

  it("keeps nothing for a collector that is not configured", async () => {
    const { store } = await setting();
    bring(store, "req_1");
    putIntoOutbox(store, [callRecord("req_2")]);
    expect(countOutbox(store)).toEqual({ waiting: 0, refused: 0, dropped: 0 });
  });
});
