import type { AttemptRecord, CallRecord } from "#domain/record";
import type { AuditEvent, AuditValue } from "./entry.ts";

/** A call as it is told to auditors: what one field says can be shown without the others. */
export function callEvent(record: CallRecord): AuditEvent {
  const { id, at, caller, keyId, organisation, team, user, session, tags } = record;
  const { route, requestedModel, dialect, operation, streamed, snapshot, graph } = record;
  const { decision, status, code, committed, durationMs, plan, review, shadow, usage, costNanoUsd } = record;
  return {
    kind: "call",
    at,
    fields: {
      id,
      who: known({ caller, keyId, organisation, team, user, session, tags }),
      asked: known({ route, requestedModel, dialect, operation, streamed, snapshot, graph }),
      routing: known({
        decision,
        status,
        code,
        committed,
        durationMs,
        attempts: record.attempts.map(attemptOf),
        passedOver: plan?.skipped.map(({ target, why }) => ({ target, why })),
        shadowOf: shadow?.of,
      }),
      verdicts: known({ attempts: record.attempts.map(verdictOf).filter(isValue), review }),
      settlement: known({ usage, costNanoUsd, estimated: usage?.estimated === true }),
    },
  };
}

function attemptOf({
  target,
  outcome,
  failure,
  status,
  role,
  groups,
  startedMs,
  firstContentMs,
  endedMs,
}: AttemptRecord) {
  return known({ target, outcome, failure, status, role, groups, startedMs, firstContentMs, endedMs });
}

function verdictOf({ target, judgement }: AttemptRecord): AuditValue | undefined {
  if (judgement === undefined) return undefined;
  const { verdict, score, raw, estimator, threshold, calibration } = judgement;
  return known({ target, verdict, score, raw, estimator, threshold, calibration: calibration.state });
}

function isValue(value: AuditValue | undefined): value is AuditValue {
  return value !== undefined;
}

/** Without what is absent. Everything in a record is JSON. */
function known(values: Readonly<Record<string, unknown>>): AuditValue {
  return JSON.parse(JSON.stringify(values)) as AuditValue;
}
