import { describe, expect, it } from "vitest";
import { ingestRecords } from "#control/store/ingest";
import { openStore, type Store } from "#control/store/sqlite";
import type { AttemptRecord } from "#domain/record";
import type { Route } from "#domain/snapshot";
import { LiveHealth } from "#planes/live-health";
import { usualSuccess } from "#planes/usual-success";
import { attemptRecord, callRecord } from "../world/sample-record.ts";

const nowMs = Date.parse("2026-11-21T00:00:00Z");
const dayMs = 86_400_000;

const route = (...targets: readonly string[]): Route => ({
  name: "default",
  targets: targets.map((target) => {
    const [provider = "", model = ""] = target.split("/");
    return { provider, model, lastResort: false };
  }),
  timeouts: {},
  maxAttempts: 3,
  retryEmpty: true,
});

function emptyStore(): Store {
  const opened = openStore(":memory:");
  if (opened.kind !== "opened") throw new Error(opened.message);
  return opened.store;
}

let files = 0;
interface Brought {
  readonly target: string;
  readonly daysAgo: number;
}

function bring(store: Store, { target, daysAgo }: Brought, more: readonly Partial<AttemptRecord>[]): void {
  const [provider = "", model = ""] = target.split("/");
  const at = new Date(nowMs - daysAgo * dayMs - 1000).toISOString();
  files += 1;
  const records = more.map((each, number) =>
    callRecord(`req_${files}_${number}`, { at, attempts: [attemptRecord({ target, provider, model, ...each })] }),
  );
  ingestRecords(store, { file: `w1-${files}-000001.jsonl`, fromOffset: 0, toOffset: 1, chainHash: "h" }, records);
}

const failed = (count: number): readonly Partial<AttemptRecord>[] =>
  Array.from({ length: count }, () => ({ outcome: "failed", failure: "upstream_failed" }) as const);
const answered = (count: number): readonly Partial<AttemptRecord>[] => Array.from({ length: count }, () => ({}));

function looked(store: Store, routes: readonly Route[], said: string[] = []) {
  const log = { warn: (message: string) => void said.push(message) };
  return usualSuccess({ store, log, wallMs: () => nowMs })(new Map(routes.map((each) => [each.name, each])));
}

describe("what is usual of a route's targets, by the records", () => {
  it("counts days by halves each week, leaves out what says nothing of a provider, and others' targets", () => {
    const store = emptyStore();
    // A day's calls count from its end.
    bring(store, { target: "a/m", daysAgo: 0 }, [
      ...answered(6),
      ...failed(2),
      { outcome: "failed", failure: "invalid_request" },
    ]);
    bring(store, { target: "a/m", daysAgo: 7 }, failed(4));
    bring(store, { target: "a/m", daysAgo: 40 }, failed(1000));
    bring(store, { target: "else/m", daysAgo: 0 }, failed(5));
    expect(looked(store, [route("a/m", "b/m")])).toEqual([{ provider: "a", model: "m", calls: 10, failures: 4 }]);
    store.close();
  });

  it("makes a worker that starts expect failures where there used to be some, and is outweighed by what happens", () => {
    const store = emptyStore();
    bring(store, { target: "bad/m", daysAgo: 1 }, [...answered(50), ...failed(50)]);
    bring(store, { target: "good/m", daysAgo: 1 }, answered(100));
    let clockMs = 5;
    const health = new LiveHealth(() => clockMs, "v");
    health.learn(looked(store, [route("bad/m", "good/m")]));
    const failing = (provider: string) => health.current.recentAt({ provider, model: "m" }).outlook(clockMs).failing;
    expect(failing("bad")).toBeGreaterThan(0.4);
    expect(failing("good")).toBeLessThan(0.01);
    expect(failing("new")).toBeCloseTo(0.02);
    clockMs += 1000;
    for (let call = 0; call < 100; call += 1)
      health.current.recentAt({ provider: "bad", model: "m" }).note(false, clockMs);
    expect(failing("bad")).toBeLessThan(0.06);
    store.close();
  });

  it("is looked for once by workers that start together, and anew a minute later or on other routes", () => {
    const store = emptyStore();
    let clockMs = nowMs;
    const usual = usualSuccess({ store, log: { warn() {} }, wallMs: () => clockMs });
    const routes = new Map([["default", route("a/m")]]);
    expect(usual(routes)).toEqual([]);
    bring(store, { target: "a/m", daysAgo: 0 }, answered(3));
    expect(usual(routes)).toEqual([]);
    expect(usual(new Map(routes))).toMatchObject([{ calls: 3 }]);
    expect(usual(routes)).toMatchObject([{ calls: 3 }]);
    bring(store, { target: "a/m", daysAgo: 0 }, answered(4));
    clockMs += 61_000;
    expect(usual(routes)[0]?.calls).toBeCloseTo(7, 1);
    store.close();
  });

  it("is nothing where the store cannot be asked, and the log says so", () => {
    const store = emptyStore();
    store.close();
    const said: string[] = [];
    expect(looked(store, [route("a/m")], said)).toEqual([]);
    expect(said).toEqual(["a worker starts without what records say of its targets"]);
  });
});
