import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { KeyStore } from "#control/keys/key-store";
import { openSqlFile } from "#control/store/sql";
import type { KeyNews } from "#domain/gateway-key";
import type { KeyChange } from "#domain/key-desk";
import { SupervisorDesk } from "#planes/ask-supervisor";
import { KeyCopy } from "#planes/key-copy";
import { KeyFeed, openKeyFeed } from "#planes/key-feed";
import type { WorkerMessage } from "#planes/messages";
import { VirtualClock } from "#simulation/virtual-clock";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const logged: string[] = [];
const log = { info: (text: string) => void logged.push(text), error: (text: string) => void logged.push(text) };

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-keys-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "store.sqlite");
}

async function feedOn(path: string): Promise<{ readonly feed: KeyFeed; readonly told: KeyNews[] }> {
  const feed = await openKeyFeed({ sql: undefined, path, log, everyMs: 20 });
  cleanups.push(() => feed.finish());
  const told: KeyNews[] = [];
  feed.follow((news) => void told.push(news));
  return { feed, told };
}

describe("the feed of issued keys", () => {
  it("has told of a change when whoever asked for it is answered", async () => {
    const { feed, told } = await feedOn(place());
    expect(feed.current).toEqual({ keys: [], gone: [], guards: false });
    const issued = await feed.ask({ kind: "create", facts: { name: "app" } });
    if (issued.kind !== "issued") throw new Error(issued.kind);
    expect(told).toMatchObject([{ keys: [{ id: issued.key.id, name: "app" }], gone: [], guards: true }]);
    expect(feed.current.keys).toHaveLength(1);
    await feed.ask({ kind: "revoke", key: "app" });
    expect(told.at(-1)).toEqual({ keys: [], gone: [issued.key.id], guards: true });
    // Whoever revokes the last one does not mean to let everybody in.
    expect(feed.current).toEqual({ keys: [], gone: [], guards: true });
    expect(logged.join("\n")).not.toContain(issued.text);
  });

  it("says what was changed, here or elsewhere, and by whom", async () => {
    const path = place();
    const changes: KeyChange[] = [];
    const feed = await openKeyFeed({
      sql: undefined,
      path,
      log,
      everyMs: 20,
      onChange: (change) => void changes.push(change),
    });
    cleanups.push(() => feed.finish());
    await feed.ask({ kind: "create", facts: { name: "app" }, by: "boss" });
    await feed.ask({ kind: "create", facts: { name: "app" }, by: "boss" });
    await feed.ask({ kind: "show", key: "app" });
    await feed.ask({ kind: "rotate", key: "app", overlapMs: 0, by: "admin token" });
    const opened = openSqlFile(path);
    if (opened.kind === "refused") throw new Error(opened.message);
    cleanups.push(() => opened.store.close());
    await new KeyStore({ sql: opened.store, wallMs: Date.now }).ask({ kind: "revoke", key: "app", by: "a command" });
    await expect
      .poll(() => changes, { timeout: 10_000 })
      .toMatchObject([
        { what: "issued", name: "app", by: "boss" },
        { what: "rotated", name: "app", by: "admin token" },
        { what: "revoked", name: "app", by: "a command" },
      ]);
  });

  it("tells of what another process wrote, and of what was there before it began", async () => {
    const path = place();
    const opened = openSqlFile(path);
    if (opened.kind === "refused") throw new Error(opened.message);
    cleanups.push(() => opened.store.close());
    const other = new KeyStore({ sql: opened.store, wallMs: Date.now });
    await other.ask({ kind: "create", facts: { name: "before" } });
    const { feed, told } = await feedOn(path);
    expect(feed.current.keys).toMatchObject([{ name: "before" }]);
    await other.ask({ kind: "create", facts: { name: "later" } });
    await expect.poll(() => told, { timeout: 10_000 }).toMatchObject([{ keys: [{ name: "later" }] }]);
    await other.ask({ kind: "revoke", key: "before" });
    await expect.poll(() => feed.current.keys, { timeout: 10_000 }).toMatchObject([{ name: "later" }]);
  });

  it("goes on with what it knows where the store fails, and hears the rest afterwards", async () => {
    let broken = false;
    const opened = openSqlFile(":memory:");
    if (opened.kind === "refused") throw new Error(opened.message);
    const store = new KeyStore({ sql: opened.store, wallMs: Date.now });
    const failing = <T>(work: () => Promise<T>): Promise<T> => (broken ? Promise.reject(new Error("locked")) : work());
    const feed = new KeyFeed({
      store: { ask: (ask) => failing(() => store.ask(ask)), changes: (since) => failing(() => store.changes(since)) },
      log,
      everyMs: 10,
      close: () => opened.store.close(),
    });
    cleanups.push(() => feed.finish());
    await feed.start();
    await feed.ask({ kind: "create", facts: { name: "app" } });
    broken = true;
    expect(await feed.ask({ kind: "revoke", key: "app" })).toEqual({ kind: "unavailable", why: "locked" });
    expect(feed.current.keys).toMatchObject([{ name: "app" }]);
    await store.ask({ kind: "revoke", key: "app" });
    broken = false;
    await expect.poll(() => feed.current.keys, { timeout: 10_000 }).toEqual([]);
  });

  it("lets nobody in without a key as long as it could not look whether there are any", async () => {
    const feed = new KeyFeed({
      store: { ask: () => Promise.reject(new Error("no")), changes: () => Promise.reject(new Error("no")) },
      log,
      everyMs: 1_000,
      close: async () => {},
    });
    cleanups.push(() => feed.finish());
    await feed.start();
    expect(feed.current).toEqual({ keys: [], gone: [], guards: true });
  });
});

describe("the copy of keys that are kept elsewhere", () => {
  it("is what a node starts with where that place is away, until it is back", async () => {
    const path = join(place(), "..", "copy.json");
    const opened = openSqlFile(":memory:");
    if (opened.kind === "refused") throw new Error(opened.message);
    cleanups.push(() => opened.store.close());
    const store = new KeyStore({ sql: opened.store, wallMs: Date.now });
    let isAway = false;
    const away = (): Promise<never> => Promise.reject(new Error("away"));
    const start = async (): Promise<{ readonly feed: KeyFeed; readonly told: KeyNews[] }> => {
      const feed = new KeyFeed({
        store: {
          ask: (ask) => (isAway ? away() : store.ask(ask)),
          changes: (since) => (isAway ? away() : store.changes(since)),
        },
        log,
        everyMs: 10,
        close: async () => {},
        copy: new KeyCopy(path),
      });
      cleanups.push(() => feed.finish());
      const told: KeyNews[] = [];
      feed.follow((news) => void told.push(news));
      await feed.start();
      return { feed, told };
    };
    const first = await start();
    await first.feed.ask({ kind: "create", facts: { name: "app" } });
    await first.feed.ask({ kind: "create", facts: { name: "revoked-meanwhile" } });
    await first.feed.finish();
    expect(statSync(path).mode & 0o777).toBe(0o600);

    await store.ask({ kind: "revoke", key: "revoked-meanwhile" });
    isAway = true;
    const second = await start();
    expect(second.feed.current).toMatchObject({
      keys: [{ name: "app" }, { name: "revoked-meanwhile", secrets: [{}] }],
      guards: true,
    });
    const [, lost] = second.feed.current.keys;
    isAway = false;
    await expect.poll(() => second.told, { timeout: 10_000 }).toMatchObject([{ gone: [lost?.id] }]);
    expect(second.feed.current.keys).toMatchObject([{ name: "app" }]);
  });

  it("is no reason not to start where it is broken", async () => {
    const path = join(place(), "..", "copy.json");
    writeFileSync(path, "[{");
    expect(new KeyCopy(path).read()).toBeUndefined();
    expect(new KeyCopy(`${path}.none`).read()).toBeUndefined();
  });
});

describe("a worker's way to its supervisor's desk", () => {
  function desk(isAlone = false) {
    const clock = new VirtualClock();
    const said: Extract<WorkerMessage, { readonly kind: "admin-ask" }>[] = [];
    const say = (message: WorkerMessage): boolean => {
      if (message.kind === "admin-ask") said.push(message);
      return !isAlone;
    };
    return { clock, said, desk: new SupervisorDesk({ say, timer: (ms, then) => clock.timer(ms, then) }) };
  }
  const show = { kind: "show", key: "app" } as const;

  it("gives each the answer to what it asked", async () => {
    const { desk: way, said } = desk();
    const [one, two] = [way.ask(show), way.ask({ kind: "revoke", key: "b" })];
    expect(said).toMatchObject([{ ask: show }, { ask: { kind: "revoke" } }]);
    way.answered({ kind: "admin-answer", id: said[1]?.id ?? 0, answer: { kind: "unknown" } });
    way.answered({ kind: "admin-answer", id: said[0]?.id ?? 0, answer: { kind: "revoked" } });
    expect([await one, await two]).toEqual([{ kind: "revoked" }, { kind: "unknown" }]);
  });

  it("waits five seconds, and lets 64 wait at once", async () => {
    const { desk: way, said, clock } = desk();
    const waiting = Array.from({ length: 64 }, () => way.ask(show));
    expect(await way.ask(show)).toEqual({ kind: "unavailable", why: "too many ask at once" });
    clock.advance(5_000);
    expect(await Promise.all(waiting)).toEqual(
      Array.from({ length: 64 }, () => ({ kind: "unavailable", why: "the supervisor did not answer in time" })),
    );
    const next = way.ask(show);
    way.answered({ kind: "admin-answer", id: said.at(-1)?.id ?? 0, answer: { kind: "unknown" } });
    expect(await next).toEqual({ kind: "unknown" });
  });

  it("says so where there is no supervisor", async () => {
    expect(await desk(true).desk.ask(show)).toMatchObject({ kind: "unavailable" });
  });
});
