const measures = `
    calls INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    gated INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    input_uncached INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cache_write_long INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    estimated_nano_usd INTEGER NOT NULL`;

/**
 * Sums of money by hour (span 1) and by day (span 24); `bucket` is an hour since 1970, `part` what the money went to. Calls
 * that are there already are counted as others are when they come in; by tag and end user it begins empty.
 */
export const spendMigration = `
  CREATE TABLE spend_buckets (
    span INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    caller TEXT NOT NULL,
    organisation TEXT NOT NULL,
    team TEXT NOT NULL,
    route TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    part TEXT NOT NULL,${measures},
    PRIMARY KEY (span, bucket, caller, organisation, team, route, provider, model, part)
  );
  CREATE TABLE spend_names (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    span INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    part TEXT NOT NULL,${measures},
    PRIMARY KEY (kind, name, span, bucket, provider, model, part)
  );
  CREATE INDEX spend_names_by_time ON spend_names (span, bucket);
  INSERT INTO spend_buckets
  WITH told AS (
    SELECT id, at_ms / 3600000 AS hour, caller, coalesce(organisation, '') AS organisation, coalesce(team, '') AS team,
      route, decision, operation,
      CASE WHEN committed = 1 AND decision IN ('answered', 'recovered', 'escalated', 'degraded', 'doubted', 'deadline')
        THEN 1 ELSE 0 END AS is_answered
    FROM calls
  ), known AS (
    SELECT told.*, coalesce(
      CASE WHEN is_answered = 1 THEN
        (SELECT max(number) FROM attempts WHERE call_id = id AND role IS NULL AND outcome = 'answered') END,
      (SELECT max(number) FROM attempts WHERE call_id = id AND role IS NULL),
      0) AS deciding
    FROM told
  ), rows_of AS (
    SELECT hour, caller, organisation, team, route, provider, model,
      CASE
        WHEN decision = 'shadow' THEN 'shadow'
        WHEN role IS NOT NULL THEN 'aside'
        WHEN outcome = 'answered' AND is_answered = 0 THEN 'abandoned'
        WHEN outcome = 'answered' AND number <> deciding THEN 'failed'
        WHEN outcome = 'answered' THEN 'answered'
        WHEN failure = 'client_gone' THEN 'abandoned'
        WHEN outcome = 'blocked' THEN 'failed'
        ELSE outcome
      END AS part,
      CASE WHEN decision <> 'shadow' AND number = deciding THEN 1 ELSE 0 END AS calls, is_answered, verdict, 1 AS attempts,
      CASE
        WHEN cost_nano_usd IS NOT NULL OR operation IN ('count-tokens', 'moderate') THEN 0
        WHEN input_uncached IS NOT NULL OR outcome IN ('answered', 'doubted', 'broken') THEN 1
        ELSE 0
      END AS unpriced,
      coalesce(usage_estimated, 0) AS estimated, coalesce(input_uncached, 0) AS input_uncached,
      coalesce(cache_read, 0) AS cache_read, coalesce(cache_write, 0) AS cache_write,
      coalesce(cache_write_long, 0) AS cache_write_long, coalesce(output, 0) AS output,
      coalesce(reasoning, 0) AS reasoning, coalesce(cost_nano_usd, 0) AS cost_nano_usd
    FROM known JOIN attempts ON attempts.call_id = known.id
    UNION ALL
    SELECT hour, caller, organisation, team, route, '', '', 'none', 1, is_answered, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM known WHERE deciding = 0 AND decision <> 'shadow'
  )
  SELECT span, hour - hour % span, caller, organisation, team, route, provider, model, part,
    sum(calls), sum(calls * is_answered),
    sum(CASE WHEN verdict IS NOT NULL THEN calls * is_answered ELSE 0 END),
    sum(CASE WHEN verdict = 'accepted' THEN calls * is_answered ELSE 0 END),
    sum(attempts), sum(unpriced), sum(estimated), sum(input_uncached), sum(cache_read), sum(cache_write),
    sum(cache_write_long), sum(output), sum(reasoning), sum(cost_nano_usd), sum(cost_nano_usd * estimated)
  FROM rows_of CROSS JOIN (SELECT 1 AS span UNION ALL SELECT 24 AS span) AS spans
  GROUP BY span, hour - hour % span, caller, organisation, team, route, provider, model, part;
`;
