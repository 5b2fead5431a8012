import type { Store } from "#control/store/sqlite";
import type { Row } from "#control/store/sqlite";
import type { NewReview, ReviewDecision, ReviewState, ReviewStatus } from "#domain/review";

export const reviewSchemaVersion = 1;

/**
 * `body` is a `NewReview`, last because it is long and read only where all of it is wanted; `decision` a `ReviewDecision`
 * without what a candidate has anyway. `totals` is kept by triggers, so that its numbers are right whoever writes.
 */
export const reviewSchema = `
  CREATE TABLE IF NOT EXISTS reviews (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, status TEXT NOT NULL, created_ms INTEGER NOT NULL,
    deadline_ms INTEGER NOT NULL, claimed_by TEXT, lease_ms INTEGER, decided_ms INTEGER,
    labels_due INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL, brief TEXT NOT NULL, decision TEXT, body TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS reviews_by_deadline ON reviews (deadline_ms) WHERE status <> 'decided';
  CREATE INDEX IF NOT EXISTS reviews_by_decision ON reviews (decided_ms) WHERE status = 'decided';
  CREATE INDEX IF NOT EXISTS reviews_by_labels ON reviews (decided_ms) WHERE labels_due = 1;
  CREATE TABLE IF NOT EXISTS totals (one INTEGER PRIMARY KEY CHECK (one = 1), waiting INTEGER NOT NULL, bytes INTEGER NOT NULL);
  INSERT OR IGNORE INTO totals VALUES (1, 0, 0);
  CREATE TRIGGER IF NOT EXISTS review_came AFTER INSERT ON reviews BEGIN
    UPDATE totals SET waiting = waiting + (new.status <> 'decided'), bytes = bytes + new.bytes;
  END;
  CREATE TRIGGER IF NOT EXISTS review_turned AFTER UPDATE OF status ON reviews BEGIN
    UPDATE totals SET waiting = waiting + (new.status <> 'decided') - (old.status <> 'decided');
  END;
  CREATE TRIGGER IF NOT EXISTS review_left AFTER DELETE ON reviews BEGIN
    UPDATE totals SET waiting = waiting - (old.status <> 'decided'), bytes = bytes - old.bytes;
  END;
  CREATE TABLE IF NOT EXISTS notices (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, review TEXT NOT NULL, kind TEXT NOT NULL, made_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS notices_by_review ON notices (review, seq);
  CREATE INDEX IF NOT EXISTS notices_by_time ON notices (next_ms);
  PRAGMA user_version = ${reviewSchemaVersion};
`;

/** What a list shows of a review, without the words of caller and models. */
export interface ReviewBrief {
  readonly id: string;
  readonly callId: string;
  readonly owner: string;
  readonly route: string;
  readonly status: ReviewStatus;
  readonly claimedBy?: string;
  readonly leaseUntilMs?: number;
  readonly createdAtMs: number;
  readonly deadlineAtMs: number;
  readonly scores: readonly BriefScore[];
  readonly decision?: Omit<ReviewDecision, "answer" | "text">;
}

export interface BriefScore {
  readonly target: string;
  /** 0..1; null where there was no signal. */
  readonly score: number | null;
  readonly threshold?: number;
  readonly why?: string;
}

type Kept = Pick<ReviewBrief, "callId" | "route" | "scores">;

const columns = "id, owner, status, created_ms, deadline_ms, claimed_by, lease_ms, decision";

export function insertReview(store: Store, review: ReviewState, bytes: number): void {
  const { status: _status, ...body } = review;
  const kept: Kept = { callId: review.callId, route: review.route, scores: scoresOf(review) };
  store.run(
    `INSERT INTO reviews (id, owner, status, created_ms, deadline_ms, bytes, brief, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    review.id,
    review.owner,
    review.status,
    review.createdAtMs,
    review.deadlineAtMs,
    bytes,
    JSON.stringify(kept),
    JSON.stringify(body),
  );
}

export function readReview(store: Store, id: string): ReviewState | undefined {
  const row = store.get(`SELECT ${columns}, body FROM reviews WHERE id = ?`, id);
  if (row === undefined) return undefined;
  const review = JSON.parse(String(row["body"])) as NewReview;
  const decision = decisionOf(row);
  const answer = review.candidates.find(({ target }) => target === decision?.target)?.answer;
  const whole =
    decision === undefined || decision.text !== undefined || answer === undefined ? decision : { ...decision, answer };
  return { ...review, ...turnOf(row), ...(whole === undefined ? {} : { decision: whole }) };
}

/** What may change of a review. One that was decided now has labels to give, if a person decided. */
export function writeReview(store: Store, { id, status, claimedBy, leaseUntilMs, decision }: ReviewState): void {
  const { answer: _kept, ...told } = decision ?? {};
  store.run(
    "UPDATE reviews SET status = ?, claimed_by = ?, lease_ms = ?, decided_ms = ?, decision = ?, labels_due = ? WHERE id = ?",
    status,
    claimedBy ?? null,
    leaseUntilMs ?? null,
    decision?.atMs ?? null,
    decision === undefined ? null : JSON.stringify(told),
    decision === undefined || decision.kind === "expired" ? 0 : 1,
    id,
  );
}

/** Those that wait by their deadline, those that are decided newest first. */
export function listReviews(store: Store, wanted: ListedReviews): readonly ReviewBrief[] {
  const { status, nowMs, limit } = wanted;
  const select = `SELECT ${columns}, brief FROM reviews`;
  switch (status) {
    case "decided":
      return store.all(`${select} WHERE status = 'decided' ORDER BY decided_ms DESC LIMIT ?`, limit).map(briefOf);
    case "open":
      // A claim whose lease has passed is open, whatever is written.
      return store
        .all(
          `${select} WHERE status <> 'decided' AND (lease_ms IS NULL OR lease_ms <= ?) ORDER BY deadline_ms LIMIT ?`,
          nowMs,
          limit,
        )
        .map((row) => openAgain(briefOf(row)));
    case "claimed":
      return store
        .all(`${select} WHERE status <> 'decided' AND lease_ms > ? ORDER BY deadline_ms LIMIT ?`, nowMs, limit)
        .map(briefOf);
  }
}

export interface ListedReviews {
  readonly status: ReviewStatus;
  readonly nowMs: number;
  readonly limit: number;
}

function openAgain({ claimedBy: _by, leaseUntilMs: _until, ...rest }: ReviewBrief): ReviewBrief {
  return { ...rest, status: "open" };
}

export function isWaiting(
  store: Store,
  { owner, id, nowMs }: { readonly owner: string; readonly id: string; readonly nowMs: number },
): boolean {
  const row = store.get("SELECT owner, status, deadline_ms FROM reviews WHERE id = ?", id);
  return row?.["owner"] === owner && row["status"] !== "decided" && Number(row["deadline_ms"]) > nowMs;
}

export function readBrief(store: Store, id: string): ReviewBrief | undefined {
  const row = store.get(`SELECT ${columns}, brief FROM reviews WHERE id = ?`, id);
  return row === undefined ? undefined : briefOf(row);
}

function briefOf(row: Row): ReviewBrief {
  const decision = decisionOf(row);
  const { text: _text, ...told } = decision ?? {};
  return {
    id: String(row["id"]),
    owner: String(row["owner"]),
    ...(JSON.parse(String(row["brief"])) as Kept),
    ...turnOf(row),
    createdAtMs: Number(row["created_ms"]),
    deadlineAtMs: Number(row["deadline_ms"]),
    ...(decision === undefined ? {} : { decision: told as Omit<ReviewDecision, "answer" | "text"> }),
  };
}

function turnOf(row: Row): Pick<ReviewState, "status" | "claimedBy" | "leaseUntilMs"> {
  const claimedBy = row["claimed_by"];
  return {
    status: row["status"] as ReviewStatus,
    ...(typeof claimedBy === "string" ? { claimedBy, leaseUntilMs: Number(row["lease_ms"]) } : {}),
  };
}

function decisionOf(row: Row): ReviewDecision | undefined {
  const decision = row["decision"];
  return typeof decision === "string" ? (JSON.parse(decision) as ReviewDecision) : undefined;
}

function scoresOf({ candidates }: NewReview): readonly BriefScore[] {
  return candidates.map(({ target, judgement }) => ({
    target,
    score: judgement?.score ?? null,
    ...(judgement === undefined ? {} : { threshold: judgement.threshold, why: judgement.why }),
  }));
}
