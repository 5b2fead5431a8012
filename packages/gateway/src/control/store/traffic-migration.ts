/**
 * Counts of traffic by hour (span 1) and by day (span 24), so that reports need not read every call: calls by how they ended
 * (by provider, and once for all with an empty one), attempts by target, and how long first contents took. Calls that are
 * there already are counted as others are when they come in.
 */
export const trafficMigration = `
  CREATE TABLE call_counts (
    span INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    route TEXT NOT NULL,
    decision TEXT NOT NULL,
    provider TEXT NOT NULL,
    calls INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    PRIMARY KEY (span, bucket, route, decision, provider)
  );
  CREATE TABLE target_counts (
    span INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    route TEXT NOT NULL,
    target TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    answered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    excused INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    untold INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    PRIMARY KEY (span, bucket, route, target, provider, model)
  );
  CREATE TABLE first_content_counts (
    span INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    bin INTEGER NOT NULL,
    answers INTEGER NOT NULL,
    PRIMARY KEY (span, bucket, provider, model, bin)
  );
  CREATE INDEX calls_by_decision ON calls (decision, at_ms);
  INSERT INTO call_counts
  WITH told AS (
    SELECT id, at_ms / 3600000 AS hour, route, decision,
      (SELECT count(*) FROM attempts WHERE call_id = calls.id AND role IS NULL) AS attempts,
      CASE WHEN cost_nano_usd IS NULL AND committed = 1 THEN 1 ELSE 0 END AS unpriced,
      coalesce(input_uncached + cache_read + cache_write + cache_write_long, 0) AS prompt_tokens,
      coalesce(output + reasoning, 0) AS completion_tokens, coalesce(cost_nano_usd, 0) AS cost_nano_usd
    FROM calls
  ), asked AS (
    SELECT told.*, '' AS provider FROM told
    UNION ALL
    SELECT told.*, those.provider FROM told
      JOIN (SELECT DISTINCT call_id, provider FROM attempts) AS those ON those.call_id = told.id
  )
  SELECT span, hour - hour % span, route, decision, provider, count(*), sum(attempts), sum(unpriced), sum(prompt_tokens),
    sum(completion_tokens), sum(cost_nano_usd)
  FROM asked CROSS JOIN (SELECT 1 AS span UNION ALL SELECT 24 AS span) AS spans
  GROUP BY span, hour - hour % span, route, decision, provider;
  INSERT INTO target_counts
  WITH classed AS (
    SELECT at_ms / 3600000 AS hour, route, target, provider, model,
      attempts.input_uncached + attempts.cache_read + attempts.cache_write + attempts.cache_write_long + attempts.output +
        attempts.reasoning AS tokens,
      attempts.cost_nano_usd AS cost, CASE
        WHEN outcome = 'outrun' THEN 'excused'
        WHEN failure IS NULL THEN 'answered'
        WHEN failure IN ('rate_limited', 'slow_down', 'upstream_overloaded', 'quota_exhausted',
          'connect_timeout', 'first_byte_timeout', 'first_content_timeout', 'transport_idle_timeout',
          'content_idle_timeout', 'total_timeout', 'upstream_failed', 'upstream_transient', 'bad_upstream_response',
          'truncated_response', 'empty_completion', 'event_too_large', 'unresolvable', 'unreachable', 'tls_rejected',
          'connection_lost') THEN 'failed'
        ELSE 'excused' END AS class
    FROM attempts JOIN calls ON calls.id = attempts.call_id
  )
  SELECT span, hour - hour % span, route, target, provider, model,
    sum(CASE WHEN class = 'answered' THEN 1 ELSE 0 END), sum(CASE WHEN class = 'failed' THEN 1 ELSE 0 END),
    sum(CASE WHEN class = 'excused' THEN 1 ELSE 0 END),
    sum(CASE WHEN class = 'answered' THEN coalesce(tokens, 0) ELSE 0 END),
    sum(CASE WHEN class = 'answered' AND tokens IS NULL THEN 1 ELSE 0 END),
    sum(CASE WHEN class = 'answered' THEN coalesce(cost, 0) ELSE 0 END),
    sum(CASE WHEN class = 'answered' AND cost IS NULL THEN 1 ELSE 0 END)
  FROM classed CROSS JOIN (SELECT 1 AS span UNION ALL SELECT 24 AS span) AS spans
  GROUP BY span, hour - hour % span, route, target, provider, model;
  INSERT INTO first_content_counts
  WITH timed AS (
    SELECT at_ms / 3600000 AS hour, provider, model, first_content_ms - started_ms AS ms
    FROM attempts JOIN calls ON calls.id = attempts.call_id
    WHERE first_content_ms IS NOT NULL AND failure IS NULL AND outcome <> 'outrun'
  ), binned AS (
    SELECT hour, provider, model, CASE WHEN ms < 1 THEN 0 ELSE CAST(floor(ln(ms) * 40) AS INTEGER) + 1 END AS bin
    FROM timed
  )
  SELECT span, hour - hour % span, provider, model, bin, count(*)
  FROM binned CROSS JOIN (SELECT 1 AS span UNION ALL SELECT 24 AS span) AS spans
  GROUP BY span, hour - hour % span, provider, model, bin;
`;
