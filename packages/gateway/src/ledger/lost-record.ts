import type { BegunAttempt, BegunCall } from "#domain/begun-call";
import type { AttemptRecord, CallRecord } from "#domain/record";
import { emptyUsage } from "#domain/usage";

const warning = "lost: the gateway's process ended while this call was under way; what it used is an estimate";

/** The record of a call whose process died: what was under way counts with all that was held back for it. */
export function lostRecord(begun: BegunCall): CallRecord {
  const { atMs, elapsedMs, attempts: tried, ...facts } = begun;
  const attempts = tried.map((each) => ("outcome" in each ? each : lostAttempt(each, elapsedMs)));
  const paid = attempts.filter(({ usage }) => usage !== undefined);
  const isPriced = paid.length > 0 && paid.every(({ costNanoUsd }) => costNanoUsd !== undefined);
  const cost = paid.reduce((sum, { costNanoUsd = 0 }) => sum + costNanoUsd, 0);
  const usage = attempts.at(-1)?.usage;
  return {
    ...facts,
    at: new Date(atMs).toISOString(),
    decision: begun.shadow === undefined ? "broken" : "shadow",
    committed: false,
    code: "internal_error",
    status: 500,
    answerBytes: 0,
    durationMs: elapsedMs,
    ...(usage === undefined ? {} : { usage }),
    ...(isPriced ? { costNanoUsd: cost } : {}),
    warnings: [warning],
    attempts,
  };
}

function lostAttempt(begun: BegunAttempt, endedMs: number): AttemptRecord {
  const { target, credential, startedMs, role, promptTokens = 0, tokens, nanoUsd } = begun;
  const slash = target.indexOf("/");
  const usage = { ...emptyUsage, inputUncached: promptTokens, output: (tokens ?? 0) - promptTokens, estimated: true };
  return {
    target,
    provider: target.slice(0, slash),
    model: target.slice(slash + 1),
    credential,
    outcome: "broken",
    failure: "internal_error",
    startedMs,
    endedMs,
    ...(role === undefined ? {} : { role }),
    ...(tokens === undefined ? {} : { usage }),
    ...(nanoUsd === undefined ? {} : { costNanoUsd: nanoUsd }),
  };
}
