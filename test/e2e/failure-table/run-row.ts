import { expect } from "vitest";
import type { FirstLanguage } from "../../world/first-languages.ts";
import { Secret } from "#domain/secret";
import type { ProviderSpec } from "#domain/snapshot";
import { ask, type Reply } from "../../world/ask.ts";
import { sampleRoute, sampleTraits } from "../../world/sample-snapshot.ts";
import { providerAt, startGateway, type TestGateway } from "../../world/start-gateway.ts";
import { ok, startUpstream, type Upstream } from "../../upstream/start-upstream.ts";
import { behaviourIn, type AfterCommit, type BeforeCommit, type FaultRow, type NoFault } from "./fault-row.ts";
import type { DeadEnds } from "./dead-ends.ts";

/** Who asks whom, and how. */
export interface Lane {
  readonly client: FirstLanguage;
  readonly upstream: FirstLanguage;
  readonly mode: "whole" | "streamed";
}

const dialects = ["openai-chat", "anthropic-messages"] as const;

/** Every lane the row's fault can happen on. */
export function lanesOf(row: FaultRow): readonly Lane[] {
  return dialects.flatMap((client) =>
    (row.upstream ?? dialects).flatMap((upstream) =>
      (row.modes ?? (["whole", "streamed"] as const)).map((mode) => ({ client, upstream, mode })),
    ),
  );
}

interface World extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly primary: Upstream;
  readonly backup: Upstream;
  ask(): Promise<Reply>;
}

const backupText = "backup speaking";

/** Two providers behind a gateway: the first has the fault, the second answers, or fails too. */
async function build(row: FaultRow, lane: Lane, more: { deadEnds: DeadEnds; allFail?: boolean }): Promise<World> {
  const fault = behaviourIn(row.fault, lane.upstream);
  const both = more.allFail === true;
  const backupFault = (row.phase === "before" ? row.backupFault : undefined) ?? fault;
  const connections = row.connections ?? "accept";
  const primary = await startUpstream({ rules: [{ behaviour: fault }], connections });
  const backup = await startUpstream({
    rules: [{ behaviour: both ? backupFault : ok(backupText) }],
    connections: both ? connections : "accept",
  });
  const larger = row.phase === "before" && row.next === "larger";
  const address = (upstream: Upstream, faulty: boolean): string =>
    faulty && row.deadEnd !== undefined ? more.deadEnds[row.deadEnd] : upstream.url;
  const gateway = await startGateway(
    [
      provider("primary", address(primary, true), { lane, window: 1_000, row }),
      provider("backup", address(backup, both), { lane, window: larger && !both ? 2_000 : 1_000, row }),
    ],
    [sampleRoute("main", ["primary/m-one", "backup/m-two"], { timeouts: row.timeouts ?? {} })],
  );
  return {
    gateway,
    primary,
    backup,
    ask: () => ask(gateway.url, { dialect: lane.client, streamed: lane.mode === "streamed" }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await Promise.all([primary.close(), backup.close()]);
    },
  };
}

function provider(id: string, url: string, at: { lane: Lane; window: number; row: FaultRow }): ProviderSpec {
  const twoKeys = at.row.phase === "before" && at.row.otherCredentialFirst === true;
  const keys = twoKeys ? ["1", "2"] : ["1"];
  const models = ["m-one", "m-two"].map((name) => [name, sampleTraits(name, at.window)] as const);
  return {
    ...providerAt(id, at.lane.upstream === "openai-chat" ? "openai" : "anthropic", url),
    credentials: keys.map((key) => ({ id: `${id}#${key}`, secret: new Secret(`sk-${id}-${key}`) })),
    models: new Map(models),
  };
}

/** The first target fails: is somebody else asked, does the client see one clean answer, is the target left alone? */
export async function oneFails(row: BeforeCommit, lane: Lane, deadEnds: DeadEnds): Promise<void> {
  await using world = await build(row, lane, { deadEnds });
  const { gateway, primary, backup } = world;
  const reply = await world.ask();
  const tries = row.otherCredentialFirst === true ? 2 : 1;
  const reached = row.deadEnd !== undefined || row.connections === "refuse" ? 0 : tries;
  expect(primary.log.entries).toHaveLength(reached);
  const [record] = await gateway.recorded(1);
  const failed = { target: "primary/m-one", outcome: "failed", failure: row.kind };
  const failures = Array.from({ length: tries }, () => failed);
  if (row.next === "nobody") {
    expectError(reply, row, lane);
    expect(record).toMatchObject({ decision: "refused", code: row.client.code, attempts: failures });
    expect(backup.log.entries).toHaveLength(0);
  } else {
    expect(reply).toMatchObject({ status: 200, text: backupText, ending: "complete", cut: false });
    expect(reply.headers.get("x-hedgerow-decision")).toBe("recovered");
    const attempts = [...failures, { target: "backup/m-two", outcome: "answered" }];
    expect(record).toMatchObject({ decision: "recovered", committed: true, attempts });
    expect(record?.attempts).toHaveLength(tries + 1);
    expect(backup.log.entries).toHaveLength(1);
    for (const tried of primary.log.entries) {
      expect(tried.startedAtMs).toBeLessThan(backup.log.entries[0]?.startedAtMs ?? 0);
    }
  }
  expectFacts(reply, world);
  if (tries === 2) expect(new Set(record?.attempts.map((each) => each.credential))).toHaveProperty("size", 3);
  // Whoever was given up on was also let go.
  await primary.log.until((entries) => entries.every((each) => each.state !== "running"), 1_000);
  await expectHealth(row, lane, world);
}

async function expectHealth(row: BeforeCommit, lane: Lane, world: World): Promise<void> {
  // Five calls of some rows take a while: one lane of each mode proves them.
  const deep = lane.client === "openai-chat" && lane.upstream === (row.upstream?.[0] ?? "openai-chat");
  if (row.parks !== "first" && !deep) return;
  const before = row.parks === "first" ? 1 : 5;
  for (let calls = 1; calls < before; calls += 1) await world.ask();
  await world.ask();
  const records = await world.gateway.recorded(before + 1);
  const asked = records.map((record) => record.attempts[0]?.target);
  const expected = Array.from({ length: before }, () => "primary/m-one");
  expect(asked).toEqual([...expected, row.parks === "never" ? "primary/m-one" : "backup/m-two"]);
}

/** Every target fails: does the caller get one honest error, with the status and headers its SDK acts on? */
export async function allFail(row: BeforeCommit, lane: Lane, deadEnds: DeadEnds): Promise<void> {
  await using world = await build(row, lane, { deadEnds, allFail: true });
  const reply = await world.ask();
  expectError(reply, row, lane);
  expectFacts(reply, world);
  const [record] = await world.gateway.recorded(1);
  expect(record).toMatchObject({ committed: false, code: row.client.code });
  const last = row.next === "larger" ? "primary/m-one" : "backup/m-two";
  expect(record?.attempts.at(-1)).toMatchObject({ target: last, outcome: "failed" });
  expect(record?.attempts.length).toBeLessThanOrEqual(3);
  expect(world.backup.log.entries.length).toBeLessThanOrEqual(row.next === "larger" ? 0 : 1);
}

/** A part of the answer is out: is the client told, in the stream and in its own language, and nobody else asked? */
export async function breaks(row: AfterCommit, lane: Lane, deadEnds: DeadEnds): Promise<void> {
  await using world = await build(row, lane, { deadEnds });
  const { gateway, primary, backup } = world;
  const reply = await world.ask();
  expect(reply).toMatchObject({ status: 200, text: row.text, ending: "told", code: row.code, cut: false });
  expect(reply.body).not.toMatch(/\[DONE\]|message_stop|"finish_reason":"|"stop_reason":"/);
  const errorAt = reply.body.lastIndexOf('"error"');
  expect(reply.body.indexOf("data:", errorAt)).toBe(-1);
  const [record] = await gateway.recorded(1);
  const attempts = [{ target: "primary/m-one", outcome: "broken", failure: row.kind }];
  expect(record).toMatchObject({ decision: "broken", committed: true, status: 200, code: row.code, attempts });
  expect(record?.attempts).toHaveLength(1);
  expect(backup.log.entries).toHaveLength(0);
  expectFacts(reply, world);
  await primary.log.until((entries) => entries.every((each) => each.state !== "running"), 1_000);
}

export async function isNoFault(row: NoFault, lane: Lane, deadEnds: DeadEnds): Promise<void> {
  await using world = await build(row, lane, { deadEnds });
  const reply = await world.ask();
  expect(reply).toMatchObject({ status: 200, text: row.text, ending: "complete", cut: false });
  const [record] = await world.gateway.recorded(1);
  expect(record).toMatchObject({ decision: "answered", finish: row.finish ?? "stop" });
  expect(record?.attempts).toMatchObject([{ target: "primary/m-one", outcome: "answered" }]);
  if (row.usageEstimated === true) expect(record?.usage).toMatchObject({ estimated: true });
  else expect(record?.usage?.estimated).toBe(false);
  expectFacts(reply, world);
}

/** Anthropic's language says overload with a status of its own. */
function statusIn(row: BeforeCommit, client: FirstLanguage): number {
  return row.client.code === "overloaded" && client === "anthropic-messages" ? 529 : row.client.status;
}

function expectError(reply: Reply, row: BeforeCommit, lane: Lane): void {
  expect(reply).toMatchObject({
    status: statusIn(row, lane.client),
    code: row.client.code,
    ending: "told",
    cut: false,
  });
  expect(reply.headers.get("x-should-retry")).toBe(String(row.client.shouldRetry));
  expect(reply.headers.get("retry-after")).toBe(
    row.client.retryAfter === undefined ? null : String(row.client.retryAfter),
  );
  expect(reply.headers.get("content-type")).toContain("application/json");
  const body = JSON.parse(reply.body) as { readonly type?: string; readonly error: { readonly metadata: object } };
  expect(body.type).toBe(lane.client === "anthropic-messages" ? "error" : undefined);
  expect(body.error.metadata).toMatchObject({ retryable: row.client.shouldRetry });
  expect(reply.body).not.toMatch(/<html|<!DOCTYPE|sk-primary|sk-backup|127\.0\.0\.1/i);
}

/** What every answer says about itself agrees with the one record of the call. */
function expectFacts(reply: Reply, { gateway }: World): void {
  expect(gateway.records).toHaveLength(1);
  const [record] = gateway.records;
  expect(reply.headers.get("x-request-id")).toBe(record?.id);
  expect(gateway.logs).toEqual([]);
  if (reply.status !== 200 || record?.decision !== "broken") {
    expect(reply.headers.get("x-hedgerow-attempts")).toBe(String(record?.attempts.length));
  }
}
