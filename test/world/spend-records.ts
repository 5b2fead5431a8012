import fc from "fast-check";
import type { AttemptRecord, CallRecord, Decision } from "#domain/record";
import type { Usage } from "#domain/usage";
import { attemptRecord, callRecord, sampleJudgement } from "./sample-record.ts";

const decisions: readonly Decision[] = [
  "answered",
  "recovered",
  "escalated",
  "degraded",
  "doubted",
  "deadline",
  "refused",
  "failed",
  "broken",
  "aborted",
  "shadow",
];

const outcomes = ["answered", "failed", "doubted", "blocked", "broken", "outrun"] as const;
const target = fc.constantFrom(["openai", "gpt-5.4"], ["xai", "grok-4.6"], ["bedrock", "claude/sonnet"]);
const tokens = fc.nat({ max: 100_000 });

const usage = fc.record({
  inputUncached: tokens,
  cacheRead: tokens,
  cacheWrite: tokens,
  cacheWriteLong: tokens,
  output: tokens,
  reasoning: tokens,
  estimated: fc.boolean(),
});

/** An attempt of any kind, with and without usage, price, role and judgement. */
const anyAttempt = fc
  .record({
    target,
    outcome: fc.constantFrom(...outcomes),
    gone: fc.boolean(),
    usage: fc.option(usage, { nil: undefined }),
    cost: fc.option(fc.nat({ max: 50_000_000 }), { nil: undefined }),
    role: fc.constantFrom(undefined, undefined, "second" as const, "judge" as const),
    verdict: fc.constantFrom(undefined, "accepted" as const, "doubted" as const),
  })
  .map((drawn) => attemptOf(drawn));

interface Drawn extends Pick<AttemptRecord, "outcome"> {
  readonly target: readonly string[];
  readonly gone: boolean;
  readonly usage: Usage | undefined;
  readonly cost: number | undefined;
  readonly role: "second" | "judge" | undefined;
  readonly verdict: "accepted" | "doubted" | undefined;
}

function attemptOf({
  target: [provider = "", model = ""],
  outcome,
  gone,
  role,
  verdict,
  ...more
}: Drawn): AttemptRecord {
  const { usage: _usage, costNanoUsd: _cost, ...bare } = attemptRecord({ outcome, provider, model });
  const isPriced = more.usage !== undefined && more.cost !== undefined;
  return {
    ...bare,
    target: `${provider}/${model}`,
    ...(outcome === "failed" ? { failure: gone ? "client_gone" : "upstream_failed" } : {}),
    ...(more.usage === undefined ? {} : { usage: more.usage }),
    ...(isPriced ? { costNanoUsd: more.cost } : {}),
    ...(role === undefined ? {} : { role }),
    ...(verdict === undefined ? {} : { judgement: sampleJudgement({ verdict }) }),
  } as AttemptRecord;
}

const name = (...names: readonly string[]) => fc.constantFrom(undefined, ...names);

/** Calls of three days in November 2026, of every decision, with nought to three attempts. */
export const anyCalls: fc.Arbitrary<readonly CallRecord[]> = fc
  .array(
    fc.record({
      atMs: fc.integer({ min: Date.UTC(2026, 10, 20), max: Date.UTC(2026, 10, 22, 23, 59) }),
      decision: fc.constantFrom(...decisions),
      operation: fc.constantFrom("generate", "generate", "embed", "count-tokens", "moderate"),
      committed: fc.boolean(),
      caller: fc.constantFrom("alice", "bob"),
      route: fc.constantFrom("default", "other"),
      organisation: name("acme"),
      team: name("web", "batch"),
      user: name("u1", "u2"),
      tags: name("a", "b").map((tag) => (tag === undefined ? undefined : [tag, "all", tag])),
      attempts: fc.array(anyAttempt, { maxLength: 3 }),
    }),
    { maxLength: 12 },
  )
  .map((all) =>
    all.map(({ atMs, organisation, team, user, tags, ...more }, at) => ({
      ...callRecord(`req_${at}`, { at: new Date(atMs).toISOString() }),
      ...more,
      ...(organisation === undefined ? {} : { organisation }),
      ...(team === undefined ? {} : { team }),
      ...(user === undefined ? {} : { user }),
      ...(tags === undefined ? {} : { tags }),
    })),
  );
