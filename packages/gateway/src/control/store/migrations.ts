import { keyChangeMigration, keyMigration } from "#control/keys/key-migration";
import { spendMigration } from "./spend-migration.ts";
import { trafficMigration } from "./traffic-migration.ts";

/**
 * Forward-only steps of the store's schema, in order; step n brings a store from version n-1 to n. A step that was
 * released is never edited. Written in the SQL that SQLite and PostgreSQL share, so that the tables mean one thing.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE calls (
    id TEXT NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    snapshot TEXT NOT NULL,
    caller TEXT NOT NULL,
    dialect TEXT NOT NULL,
    operation TEXT NOT NULL,
    route TEXT NOT NULL,
    requested_model TEXT NOT NULL,
    streamed INTEGER NOT NULL,
    decision TEXT NOT NULL,
    committed INTEGER NOT NULL,
    code TEXT,
    status INTEGER NOT NULL,
    finish TEXT,
    request_bytes INTEGER NOT NULL,
    answer_bytes INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    input_uncached INTEGER,
    cache_read INTEGER,
    cache_write INTEGER,
    cache_write_long INTEGER,
    output INTEGER,
    reasoning INTEGER,
    usage_estimated INTEGER,
    cost_nano_usd INTEGER,
    warnings TEXT NOT NULL,
    tags TEXT,
    session TEXT
  );
  CREATE INDEX calls_by_time ON calls (at_ms);
  CREATE INDEX calls_by_route ON calls (route, at_ms);
  CREATE TABLE attempts (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    target TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    credential TEXT NOT NULL,
    outcome TEXT NOT NULL,
    failure TEXT,
    status INTEGER,
    upstream_request_id TEXT,
    started_ms REAL NOT NULL,
    first_byte_ms REAL,
    first_content_ms REAL,
    ended_ms REAL NOT NULL,
    input_uncached INTEGER,
    cache_read INTEGER,
    cache_write INTEGER,
    cache_write_long INTEGER,
    output INTEGER,
    reasoning INTEGER,
    usage_estimated INTEGER,
    cost_nano_usd INTEGER,
    PRIMARY KEY (call_id, number)
  );
  CREATE INDEX attempts_by_provider ON attempts (provider, call_id);
  CREATE TABLE journal_files (
    file TEXT NOT NULL PRIMARY KEY,
    ingested_bytes INTEGER NOT NULL,
    chain_hash TEXT NOT NULL
  );
  `,
  `
  ALTER TABLE calls ADD COLUMN graph TEXT;
  ALTER TABLE calls ADD COLUMN plan TEXT;
  ALTER TABLE attempts ADD COLUMN risk_groups TEXT;
  `,
  `
  CREATE TABLE outbox (
    seq INTEGER NOT NULL PRIMARY KEY,
    record TEXT NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE outbox_state (
    kept INTEGER NOT NULL,
    dropped INTEGER NOT NULL DEFAULT 0
  );
  `,
  `
  CREATE TABLE service_buckets (
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    capacity INTEGER NOT NULL,
    fault INTEGER NOT NULL,
    timeout INTEGER NOT NULL,
    client INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    PRIMARY KEY (provider, model, bucket)
  );
  CREATE INDEX service_buckets_by_time ON service_buckets (bucket);
  INSERT INTO service_buckets
  SELECT provider, model, at_ms / 300000,
    sum(CASE WHEN class = 'answered' THEN 1 ELSE 0 END), sum(CASE WHEN class = 'capacity' THEN 1 ELSE 0 END),
    sum(CASE WHEN class = 'fault' THEN 1 ELSE 0 END), sum(CASE WHEN class = 'timeout' THEN 1 ELSE 0 END),
    sum(CASE WHEN class = 'client' THEN 1 ELSE 0 END), sum(coalesce(cost, 0)),
    sum(CASE WHEN class = 'answered' AND cost IS NULL THEN 1 ELSE 0 END)
  FROM (
    SELECT provider, model, at_ms, attempts.cost_nano_usd AS cost, CASE
      WHEN outcome = 'outrun' THEN 'client'
      WHEN failure IS NULL THEN 'answered'
      WHEN failure IN ('rate_limited', 'slow_down', 'upstream_overloaded', 'quota_exhausted') THEN 'capacity'
      WHEN failure IN ('connect_timeout', 'first_byte_timeout', 'first_content_timeout', 'transport_idle_timeout',
        'content_idle_timeout', 'total_timeout') THEN 'timeout'
      WHEN failure IN ('upstream_failed', 'upstream_transient', 'bad_upstream_response', 'truncated_response',
        'empty_completion', 'event_too_large', 'unresolvable', 'unreachable', 'tls_rejected', 'connection_lost')
        THEN 'fault'
      ELSE 'client' END AS class
    FROM attempts JOIN calls ON calls.id = attempts.call_id
  ) AS classed
  GROUP BY provider, model, at_ms / 300000;
  `,
  `
  ALTER TABLE calls ADD COLUMN review TEXT;
  ALTER TABLE calls ADD COLUMN shadow_of TEXT;
  ALTER TABLE calls ADD COLUMN propensity REAL;
  ALTER TABLE attempts ADD COLUMN role TEXT;
  ALTER TABLE attempts ADD COLUMN judged_at_ms INTEGER;
  ALTER TABLE attempts ADD COLUMN score REAL;
  ALTER TABLE attempts ADD COLUMN raw REAL;
  ALTER TABLE attempts ADD COLUMN estimator TEXT;
  ALTER TABLE attempts ADD COLUMN features TEXT;
  ALTER TABLE attempts ADD COLUMN calibration_key TEXT;
  ALTER TABLE attempts ADD COLUMN calibration_state TEXT;
  ALTER TABLE attempts ADD COLUMN threshold REAL;
  ALTER TABLE attempts ADD COLUMN verdict TEXT;
  ALTER TABLE attempts ADD COLUMN agrees INTEGER;
  CREATE INDEX attempts_judged ON attempts (judged_at_ms) WHERE verdict IS NOT NULL;
  CREATE INDEX attempts_compared ON attempts (judged_at_ms) WHERE agrees IS NOT NULL;
  `,
  // Counted at every look at the metrics: a million records of 2 KB are not read for that.
  `
  CREATE INDEX outbox_refused ON outbox (refused);
  `,
  `
  ALTER TABLE calls ADD COLUMN organisation TEXT;
  ALTER TABLE calls ADD COLUMN team TEXT;
  ALTER TABLE calls ADD COLUMN end_user TEXT;
  `,
  spendMigration,
  // What nodes that share their budgets have lent to each other: one row is everybody's, the others belong to a node each.
  `
  CREATE TABLE budget_meters (
    meter TEXT NOT NULL PRIMARY KEY,
    locks INTEGER NOT NULL
  );
  CREATE TABLE budget_counts (
    meter TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    spent_nano INTEGER NOT NULL,
    PRIMARY KEY (meter, period_start)
  );
  CREATE TABLE budget_loans (
    meter TEXT NOT NULL,
    node TEXT NOT NULL,
    lent_nano INTEGER NOT NULL,
    reported_nano INTEGER NOT NULL,
    reported_in INTEGER NOT NULL,
    presumed_nano INTEGER NOT NULL,
    presumed_in INTEGER NOT NULL,
    PRIMARY KEY (meter, node)
  );
  CREATE TABLE node_leases (
    node TEXT NOT NULL PRIMARY KEY,
    until_ms INTEGER NOT NULL
  );
  `,
  // What gates looked at, in money. Sums that were made before do not know it: they say nothing.
  `
  ALTER TABLE spend_buckets ADD COLUMN gated_nano_usd INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE spend_names ADD COLUMN gated_nano_usd INTEGER NOT NULL DEFAULT 0;
  `,
  keyMigration,
  keyChangeMigration,
  trafficMigration,
];
