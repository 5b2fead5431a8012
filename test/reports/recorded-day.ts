import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptRecord, CallRecord } from "#domain/record";
import type { FailureKind } from "#domain/failure";
import { chainHash, genesisOf, markLine, recordLine, segmentFile } from "#ledger/journal-line";

/** The day is over at this moment; commands that look back a day from here see all of it. */
export const dayEndMs = Date.UTC(2026, 10, 21);
const dayStartMs = dayEndMs - 86_400_000;
const everyMs = 30_000;

interface Member {
  readonly target: string;
  /** Dollars per million tokens, in and out; absent: nobody priced it. */
  readonly price?: readonly [number, number];
  readonly firstMs: number;
}

const members = {
  anthropic: { target: "anthropic/claude-sonnet-5", price: [2, 10], firstMs: 400 },
  bedrock: { target: "bedrock/anthropic.claude-sonnet-5", price: [2.2, 11], firstMs: 600 },
  openai: { target: "openai/gpt-5.4", price: [2.5, 15], firstMs: 300 },
  xai: { target: "xai/grok-4.6", price: [3, 15], firstMs: 350 },
  local: { target: "local/qwen3", firstMs: 150 },
} as const satisfies Readonly<Record<string, Member>>;

type Name = keyof typeof members;

const routes: Readonly<Record<string, readonly Name[]>> = {
  default: ["anthropic", "bedrock", "openai"],
  fast: ["openai", "xai"],
  alone: ["anthropic"],
  home: ["local", "xai"],
};

/** Of ten calls in a row. */
const turns = ["default", "fast", "default", "alone", "default", "fast", "default", "default", "fast", "home"];

interface Trouble {
  readonly at: Name;
  readonly fromMinute: number;
  readonly untilMinute: number;
  readonly failure: FailureKind;
  /** How long an attempt lasts that meets it. */
  readonly lastsMs: number;
  /** One call in so many meets it. */
  readonly every: number;
}

/** What went wrong on that day, by the minute. */
const troubles: readonly Trouble[] = [
  { at: "anthropic", fromMinute: 480, untilMinute: 500, failure: "upstream_failed", lastsMs: 800, every: 1 },
  { at: "openai", fromMinute: 782, untilMinute: 791, failure: "first_content_timeout", lastsMs: 10_000, every: 1 },
  { at: "openai", fromMinute: 960, untilMinute: 975, failure: "rate_limited", lastsMs: 90, every: 2 },
  { at: "anthropic", fromMinute: 0, untilMinute: 1440, failure: "upstream_rejected", lastsMs: 120, every: 97 },
];

/** A linear congruential generator (Numerical Recipes): the same day on every machine. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** 2,880 calls, one every half minute of 20 November 2026, UTC. */
export function recordedDay(): readonly CallRecord[] {
  return Array.from({ length: 86_400_000 / everyMs }, (_, at) => recordedCall(at));
}

function recordedCall(at: number): CallRecord {
  const roll = dice(at + 1);
  roll();
  const route = turns[at % turns.length] ?? "default";
  const minute = Math.floor((at * everyMs) / 60_000);
  const usage = {
    inputUncached: 500 + Math.floor(roll() * 1000),
    cacheRead: 0,
    cacheWrite: 0,
    cacheWriteLong: 0,
    output: 100 + Math.floor(roll() * 300),
    reasoning: 0,
    estimated: false,
  };
  const attempts: AttemptRecord[] = [];
  let startedMs = 2;
  let last: FailureKind | undefined;
  for (const name of routes[route] ?? []) {
    const member: Member = members[name];
    const [provider = "", model = ""] = member.target.split("/");
    const common = { target: member.target, provider, model, credential: `${provider}#1`, startedMs };
    const trouble = troubles.find(
      (each) => each.at === name && minute >= each.fromMinute && minute < each.untilMinute && at % each.every === 0,
    );
    last = trouble?.failure;
    if (trouble !== undefined) {
      startedMs += trouble.lastsMs;
      attempts.push({ ...common, outcome: "failed", failure: trouble.failure, endedMs: startedMs });
      startedMs += 1;
      if (trouble.failure === "upstream_rejected") break;
      continue;
    }
    const firstContentMs = startedMs + member.firstMs + Math.floor(roll() * member.firstMs);
    const cost =
      member.price === undefined
        ? undefined
        : Math.round((usage.inputUncached * member.price[0] + usage.output * member.price[1]) * 1000);
    attempts.push({
      ...common,
      outcome: "answered",
      status: 200,
      firstContentMs,
      endedMs: firstContentMs + usage.output * 10,
      usage,
      ...(cost === undefined ? {} : { costNanoUsd: cost }),
    });
    break;
  }
  return recordOf(at, { route, attempts, last });
}

function recordOf(
  at: number,
  call: { readonly route: string; readonly attempts: readonly AttemptRecord[]; readonly last: FailureKind | undefined },
): CallRecord {
  const { route, attempts, last } = call;
  const answer = attempts.find(({ outcome }) => outcome === "answered");
  const isRefused = last === "upstream_rejected";
  return {
    version: 1,
    id: `day-${String(at).padStart(4, "0")}`,
    at: new Date(dayStartMs + at * everyMs).toISOString(),
    snapshot: "0123456789ab",
    caller: at % 3 === 0 ? "app" : "agents",
    dialect: "openai-chat",
    operation: "generate",
    route,
    requestedModel: route,
    streamed: true,
    decision:
      answer === undefined ? (isRefused ? "refused" : "failed") : attempts.length > 1 ? "recovered" : "answered",
    committed: answer !== undefined,
    status: answer === undefined ? (isRefused ? 400 : 502) : 200,
    ...(answer === undefined ? { code: isRefused ? "invalid_request" : "upstream_error" } : { finish: "stop" }),
    requestBytes: 4000,
    answerBytes: answer === undefined ? 200 : 9000,
    durationMs: (attempts.at(-1)?.endedMs ?? 0) + 1,
    ...(answer?.usage === undefined ? {} : { usage: answer.usage }),
    ...(answer?.costNanoUsd === undefined ? {} : { costNanoUsd: answer.costNanoUsd }),
    warnings: [],
    attempts,
  };
}

/** Writes the day as the journal of a gateway's data folder. */
export function writeDay(dataFolder: string, records = recordedDay()): void {
  const name = "w1-1763596800000";
  const begin = markLine(genesisOf(name), { kind: "begin", format: 1, name, segment: 1, previous: genesisOf(name) });
  const lines = [begin.line];
  let previous = begin.hash;
  for (const record of records) {
    const json = JSON.stringify(record);
    previous = chainHash(previous, json);
    lines.push(recordLine(previous, json));
  }
  lines.push(markLine(previous, { kind: "end", records: records.length }).line);
  mkdirSync(join(dataFolder, "journal"), { recursive: true });
  writeFileSync(join(dataFolder, "journal", segmentFile(name, 1)), lines.join(""));
}
