import type { CalibrationKey, Judgement } from "#domain/confidence";
import type { AttemptRecord, CallRecord } from "#domain/record";
import type { Usage } from "#domain/usage";
import { putIntoOutbox } from "./outbox.ts";
import { bucketRetentionMs, countAttempts, removeOldBuckets } from "./service-buckets.ts";
import { countSpend } from "./spend-buckets.ts";
import { removeOldSpend } from "./spend-retention.ts";
import type { Store } from "./sqlite.ts";

/** A piece of a journal file, in bytes: `[fromOffset, toOffset)`, both at line ends. */
export interface JournalPiece {
  /** The file's name, without a folder. */
  readonly file: string;
  readonly fromOffset: number;
  readonly toOffset: number;
  /** The chain's hash at `toOffset`, with which a reader goes on. */
  readonly chainHash: string;
}

/** Where a reader of a journal file goes on. */
export interface IngestedPosition {
  readonly offset: number;
  readonly hash: string;
}

export type Ingested =
  /** The records that were not there before. */
  | { readonly kind: "ingested"; readonly fresh: readonly CallRecord[] }
  /** The piece begins behind what was ingested: go on from `ingestedBytes`, or records would be lost. */
  | { readonly kind: "gap"; readonly ingestedBytes: number };

/**
 * The store keeps calls of the last 90 days, counted back from the newest, and at most two million of them (about
 * 2 GB). What is older leaves with each ingest, a bounded number of calls at a time; the journal is not touched.
 */
export const retention = { maxAgeMs: 90 * 86_400_000, maxCalls: 2_000_000, removedAtOnce: 5_000 } as const;

/** Puts records into the store; a record that is already there stays as it is. Rows and offset move together or not. */
export function ingestRecords(store: Store, piece: JournalPiece, records: readonly CallRecord[]): Ingested {
  return store.transaction((): Ingested => {
    const done = ingestedPosition(store, piece.file)?.offset ?? 0;
    if (piece.fromOffset > done) return { kind: "gap", ingestedBytes: done };
    const news = records.filter((record) => insertCall(store, record));
    countAttempts(store, news);
    countSpend(store, news);
    putIntoOutbox(store, news);
    store.run(
      `INSERT INTO journal_files (file, ingested_bytes, chain_hash) VALUES (?, ?, ?)
       ON CONFLICT (file) DO UPDATE SET ingested_bytes = excluded.ingested_bytes, chain_hash = excluded.chain_hash
       WHERE excluded.ingested_bytes > journal_files.ingested_bytes`,
      piece.file,
      piece.toOffset,
      piece.chainHash,
    );
    if (news.length > 0) removeOld(store);
    return { kind: "ingested", fresh: news };
  });
}

/** How far the file is in the store; undefined for a file it has not seen. */
export function ingestedPosition(store: Store, file: string): IngestedPosition | undefined {
  const row = store.get("SELECT ingested_bytes, chain_hash FROM journal_files WHERE file = ?", file);
  return row === undefined ? undefined : { offset: Number(row["ingested_bytes"]), hash: String(row["chain_hash"]) };
}

/** Called when a journal file was removed, so that the list of files does not grow for ever. */
export function forgetJournalFile(store: Store, file: string): void {
  store.run("DELETE FROM journal_files WHERE file = ?", file);
}

function insertCall(store: Store, record: CallRecord): boolean {
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
  store: Store,
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

function removeOld(store: Store): void {
  const newestMs = Number(store.get("SELECT max(at_ms) AS newest FROM calls")?.["newest"] ?? 0);
  removeBefore(store, newestMs - retention.maxAgeMs, retention.removedAtOnce);
  removeOldBuckets(store, newestMs);
  removeOldSpend(store, newestMs, { hoursMs: retention.maxAgeMs, daysMs: bucketRetentionMs });
  // Counting walks the whole table, so it is asked only when the span of row numbers says that there may be too many.
  const span = store.get("SELECT max(rowid) - min(rowid) + 1 AS calls FROM calls");
  if (Number(span?.["calls"] ?? 0) <= retention.maxCalls) return;
  const calls = Number(store.get("SELECT count(*) AS calls FROM calls")?.["calls"] ?? 0);
  if (calls > retention.maxCalls) removeBefore(store, newestMs, calls - retention.maxCalls);
}

/** The oldest calls before a time, and their attempts. */
function removeBefore(store: Store, beforeMs: number, most: number): void {
  store.run(
    "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
    beforeMs,
    Math.min(most, retention.removedAtOnce),
  );
}

/** Equal keys give equal texts: a fixed order of fields. */
function keyText({ tenant, route, model, tier, shape, signals }: CalibrationKey): string {
  return JSON.stringify({ tenant, route, model, tier, shape, signals });
}
