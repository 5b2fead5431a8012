import type { CalibrationKey, Judgement } from "#domain/confidence";
import type { AttemptRecord, CallRecord } from "#domain/record";
import type { Usage } from "#domain/usage";
import type { Writes } from "./sqlite.ts";

/** One call and its attempts; false where it is there already, which then stays as it is. */
export function writeCall(store: Writes, record: CallRecord): boolean {
  const changes = store.run(
    `INSERT INTO calls (id, at_ms, snapshot, caller, dialect, operation, route, requested_model, streamed, decision,
       committed, code, status, finish, request_bytes, answer_bytes, duration_ms, input_uncached, cache_read,
       cache_write, cache_write_long, output, reasoning, usage_estimated, cost_nano_usd, warnings, tags, session, graph, plan,
       review, shadow_of, propensity, organisation, team, end_user)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO NOTHING`,
    record.id,
    Date.parse(record.at),
    record.snapshot,
    record.caller,
    record.dialect,
    record.operation,
    record.route,
    record.requestedModel,
    Number(record.streamed),
    record.decision,
    Number(record.committed),
    record.code ?? null,
    record.status,
    record.finish ?? null,
    record.requestBytes,
    record.answerBytes,
    record.durationMs,
    ...usageValues(record.usage),
    record.costNanoUsd ?? null,
    JSON.stringify(record.warnings),
    record.tags === undefined ? null : JSON.stringify(record.tags),
    record.session ?? null,
    record.graph ?? null,
    record.plan === undefined ? null : JSON.stringify(record.plan),
    record.review ?? null,
    record.shadow?.of ?? null,
    record.shadow?.propensity ?? null,
    record.organisation ?? null,
    record.team ?? null,
    record.user ?? null,
  );
  if (changes === 0) return false;
  const atMs = Date.parse(record.at);
  for (const [index, attempt] of record.attempts.entries()) {
    insertAttempt(store, { callId: record.id, number: index + 1, attempt, atMs });
  }
  return true;
}

function insertAttempt(
  store: Writes,
  row: { callId: string; number: number; attempt: AttemptRecord; atMs: number },
): void {
  const { attempt } = row;
  store.run(
    `INSERT INTO attempts (call_id, number, target, provider, model, credential, outcome, failure, status,
       upstream_request_id, started_ms, first_byte_ms, first_content_ms, ended_ms, input_uncached, cache_read,
       cache_write, cache_write_long, output, reasoning, usage_estimated, cost_nano_usd, risk_groups, role, agrees,
       judged_at_ms, score, raw, estimator, features, calibration_key, calibration_state, threshold, verdict)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.callId,
    row.number,
    attempt.target,
    attempt.provider,
    attempt.model,
    attempt.credential,
    attempt.outcome,
    attempt.failure ?? null,
    attempt.status ?? null,
    attempt.upstreamRequestId ?? null,
    attempt.startedMs,
    attempt.firstByteMs ?? null,
    attempt.firstContentMs ?? null,
    attempt.endedMs,
    ...usageValues(attempt.usage),
    attempt.costNanoUsd ?? null,
    attempt.groups === undefined ? null : JSON.stringify(attempt.groups),
    attempt.role ?? null,
    attempt.agrees === undefined ? null : Number(attempt.agrees),
    // The time stands here, too, so that what was judged or compared is found without a look at all the rest.
    attempt.judgement === undefined && attempt.agrees === undefined ? null : row.atMs,
    ...judgementValues(attempt.judgement),
  );
}

function judgementValues(judgement: Judgement | undefined): readonly (string | number | null)[] {
  if (judgement === undefined) return [null, null, null, null, null, null, null, null];
  const { score, raw, estimator, features, key, calibration, threshold, verdict } = judgement;
  return [score, raw, estimator, JSON.stringify(features), keyText(key), calibration.state, threshold, verdict];
}

function usageValues(usage: Usage | undefined): readonly (number | null)[] {
  if (usage === undefined) return [null, null, null, null, null, null, null];
  const { inputUncached, cacheRead, cacheWrite, cacheWriteLong, output, reasoning, estimated } = usage;
  // The store has no columns for sound: its tokens count with the others, the journal keeps them apart.
  const [input, written] = [inputUncached + (usage.inputAudio ?? 0), output + (usage.outputAudio ?? 0)];
  return [input, cacheRead, cacheWrite, cacheWriteLong, written, reasoning, Number(estimated)];
}

/** Equal keys give equal texts: a fixed order of fields. */
function keyText({ tenant, route, model, tier, shape, signals }: CalibrationKey): string {
  return JSON.stringify({ tenant, route, model, tier, shape, signals });
}
