import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Store } from "#control/store/sqlite";
import type { Reviews } from "#domain/ports";
import type { NewReview, ReviewLook, ReviewState, ReviewStatus } from "#domain/review";
import { noteNews, ReviewNews } from "./review-news.ts";
import {
  insertReview,
  isWaiting,
  listReviews,
  readReview,
  reviewSchema,
  reviewSchemaVersion,
  writeReview,
  type ReviewBrief,
} from "./review-rows.ts";
import { answered, claimed, opened, settled, type Claim, type Turn, type Verdict } from "./turns.ts";

/** The reviews' file inside the data folder. */
export const reviewFile = "reviews.sqlite";

const maxOpenReviews = 100_000;
/** Of all reviews; decided ones leave early where there is no room for new ones. */
const defaultMaxTotalBytes = 8 * 1024 ** 3;
/** Decided ones are kept so long. */
export const keptDecidedMs = 90 * 86_400_000;
const forgottenAtOnce = 500;
const expiredAtOnce = 100;
export const maxListedReviews = 1_000;
/** Only at the start: of processes that open a new file at once, one makes it and the others wait for that. */
const openTimeoutMs = 5_000;
const defaultBusyTimeoutMs = 200;
/** After a file that was locked, full or broken: a worker that waits for it again and again serves nobody. */
const restMs = 1_000;
const troubleEveryMs = 60_000;
const idShape = /^rev_[0-9a-f]{24}$/u;

export interface ReviewFileOptions {
  readonly path: string;
  /** Looked at once in each transaction, inside it. */
  readonly wallMs: () => number;
  /** Told of trouble once a minute at most. */
  readonly onTrouble: (why: string) => void;
  /** How long somebody else's write is waited for. Short for workers, whose other calls wait meanwhile. */
  readonly busyTimeoutMs?: number;
  readonly maxOpen?: number;
  readonly maxTotalBytes?: number;
}

export type DeskTurn =
  | Turn
  | { readonly kind: "unknown" }
  /** The file cannot be used at the moment; nothing has changed. */
  | { readonly kind: "unavailable"; readonly why: string };

/** What reviewers see and do. */
export interface ReviewDesk {
  /** Whoever asked. */
  show(id: string): ReviewLook;
  /** Those that wait by their deadline, then those that are decided, newest first. */
  list(wanted: { readonly status?: ReviewStatus; readonly limit: number }): ReviewList;
  claim(id: string, claim: Claim): DeskTurn;
  answer(id: string, verdict: Verdict): DeskTurn;
}

export type ReviewList =
  | { readonly kind: "listed"; readonly reviews: readonly ReviewBrief[] }
  | { readonly kind: "unavailable"; readonly why: string };

export type OpenedReviews =
  | { readonly kind: "opened"; readonly reviews: ReviewFile }
  | { readonly kind: "refused"; readonly message: string };

/**
 * Opens the reviews of a node, creating them as needed. Workers, supervisor and command line open the same file; what one
 * has committed survives a crash of any of them and of the machine. Leases and deadlines are in the wall clock of the
 * machine that holds the file.
 */
export function openReviewFile(options: ReviewFileOptions): OpenedReviews {
  const { path } = options;
  let database: DatabaseSync | undefined;
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path, { timeout: openTimeoutMs });
    if (path !== ":memory:") chmodSync(path, 0o600);
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version > reviewSchemaVersion) {
      database.close();
      return { kind: "refused", message: `the reviews in ${path} were written by a newer hedgerow; update` };
    }
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    if (version < reviewSchemaVersion) {
      const store = new Store(database);
      const made = database;
      store.transaction(() => made.exec(reviewSchema));
      if (path !== ":memory:") syncFolder(dirname(path));
    }
    database.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs ?? defaultBusyTimeoutMs}`);
    return { kind: "opened", reviews: new ReviewFile(database, options) };
  } catch (error) {
    if (database?.isOpen === true) database.close();
    const fix = "check its permissions and the space on the disk";
    return { kind: "refused", message: `the reviews in ${path} cannot be opened: ${(error as Error).message}; ${fix}` };
  }
}

/** A new file is there after a power loss only once its folder is on disk. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

type Work = (state: ReviewState, nowMs: number) => Turn;

export class ReviewFile implements Reviews, ReviewDesk {
  /** What webhooks and labels have still to be told. */
  readonly news: ReviewNews;
  readonly #store: Store;
  readonly #options: ReviewFileOptions;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #noPutUntilMs = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync, options: ReviewFileOptions) {
    this.#store = new Store(database);
    this.#options = options;
    this.news = new ReviewNews(this.#store, options.wallMs);
  }

  put(review: NewReview): boolean {
    if (!idShape.test(review.id) || performance.now() < this.#noPutUntilMs) return false;
    const state = opened(review);
    return this.#careful(
      () => this.#store.transaction(() => this.#put(state)),
      () => {
        this.#noPutUntilMs = performance.now() + restMs;
        return false;
      },
    );
  }

  get(owner: string, id: string): ReviewLook {
    const look = this.show(id);
    return look.kind === "found" && look.review.owner !== owner ? { kind: "unknown" } : look;
  }

  isPending(owner: string, id: string): boolean {
    return this.#careful(
      () => isWaiting(this.#store, { owner, id, nowMs: this.#options.wallMs() }),
      () => true,
    );
  }

  show(id: string): ReviewLook {
    if (!idShape.test(id)) return { kind: "unknown" };
    return this.#careful<ReviewLook>(
      () => this.#look(id),
      (why) => ({ kind: "unavailable", why }),
    );
  }

  list({ status, limit }: { readonly status?: ReviewStatus; readonly limit: number }): ReviewList {
    this.expireDue();
    return this.#careful<ReviewList>(
      () => ({ kind: "listed", reviews: this.#list(status, Math.min(limit, maxListedReviews)) }),
      (why) => ({ kind: "unavailable", why }),
    );
  }

  claim(id: string, claim: Claim): DeskTurn {
    return this.#turn(id, (state, nowMs) => claimed(state, claim, nowMs));
  }

  answer(id: string, verdict: Verdict): DeskTurn {
    return this.#turn(id, (state, nowMs) => answered(state, verdict, nowMs));
  }

  /** Decides what nobody decided by its deadline; how many. At most a hundred at once. */
  expireDue(): number {
    const select = "SELECT id FROM reviews WHERE status <> 'decided' AND deadline_ms <= ? ORDER BY deadline_ms LIMIT ?";
    return this.#careful(
      () => {
        const due = this.#store.all(select, this.#options.wallMs(), expiredAtOnce);
        if (due.length === 0) return 0;
        return this.#store.transaction(
          () => due.filter((row) => this.#settle(String(row["id"]))?.decision?.kind === "expired").length,
        );
      },
      () => 0,
    );
  }

  /** Decided ones of long ago leave, once their labels are given. At most some hundreds at once; how many. */
  forgetOld(): number {
    return this.#careful(
      () => this.#forget(this.#options.wallMs() - keptDecidedMs),
      () => 0,
    );
  }

  close(): void {
    this.#store.close();
  }

  #put(state: ReviewState): boolean {
    const { maxOpen = maxOpenReviews, maxTotalBytes = defaultMaxTotalBytes } = this.#options;
    const bytes = bytesOf(state);
    const totals = (): { readonly waiting: number; readonly bytes: number } => {
      const row = this.#store.get("SELECT waiting, bytes FROM totals");
      return { waiting: Number(row?.["waiting"]), bytes: Number(row?.["bytes"]) };
    };
    if (totals().waiting >= maxOpen) return this.#full("too many wait for a person already");
    let forgotten = 1;
    while (totals().bytes + bytes > maxTotalBytes && forgotten > 0) forgotten = this.#forget(Number.MAX_SAFE_INTEGER);
    if (totals().bytes + bytes > maxTotalBytes) return this.#full("there is no room for more of them");
    insertReview(this.#store, state, bytes);
    noteNews(this.#store, { review: state.id, kind: "created", atMs: this.#options.wallMs() });
    return true;
  }

  #full(why: string): false {
    this.#complain(`no further review is kept: ${why}; answer some, or shorten their deadline`);
    return false;
  }

  #forget(decidedBeforeMs: number): number {
    return this.#store.run(
      `DELETE FROM reviews WHERE id IN (SELECT id FROM reviews
         WHERE status = 'decided' AND decided_ms < ? AND labels_due = 0 ORDER BY decided_ms LIMIT ?)`,
      decidedBeforeMs,
      forgottenAtOnce,
    );
  }

  #list(status: ReviewStatus | undefined, limit: number): readonly ReviewBrief[] {
    const nowMs = this.#options.wallMs();
    if (status !== undefined) return listReviews(this.#store, { status, nowMs, limit });
    const each = (["open", "claimed"] as const).flatMap((one) =>
      listReviews(this.#store, { status: one, nowMs, limit }),
    );
    const waiting = each.toSorted((a, b) => a.deadlineAtMs - b.deadlineAtMs).slice(0, limit);
    return [...waiting, ...listReviews(this.#store, { status: "decided", nowMs, limit: limit - waiting.length })];
  }

  #look(id: string): ReviewLook {
    const stored = readReview(this.#store, id);
    if (stored === undefined) return { kind: "unknown" };
    const seen = settled(stored, this.#options.wallMs());
    if (seen.decision === undefined || stored.decision !== undefined) return { kind: "found", review: seen };
    // Only what is written down is decided: somebody else may be writing another decision right now.
    const written = this.#careful(
      () => this.#store.transaction(() => this.#settle(id)),
      () => undefined,
    );
    return { kind: "found", review: written ?? stored };
  }

  #turn(id: string, work: Work): DeskTurn {
    if (!idShape.test(id)) return { kind: "unknown" };
    return this.#careful<DeskTurn>(
      () => this.#store.transaction(() => this.#change(id, work)),
      (why) => ({ kind: "unavailable", why }),
    );
  }

  #settle(id: string): ReviewState | undefined {
    const turn = this.#change(id, (state, nowMs) => ({ kind: "done", state: settled(state, nowMs) }));
    return turn.kind === "done" ? turn.state : undefined;
  }

  /** Reads, decides and writes inside a transaction, while nobody else can; one look at the clock for all of it. */
  #change(id: string, work: Work): Turn | { readonly kind: "unknown" } {
    const stored = readReview(this.#store, id);
    if (stored === undefined) return { kind: "unknown" };
    const nowMs = this.#options.wallMs();
    const turn = work(stored, nowMs);
    // Also where the turn was refused: the deadline may have passed meanwhile.
    if (turn.state !== stored && stored.decision === undefined) {
      writeReview(this.#store, turn.state);
      if (turn.state.decision !== undefined) noteNews(this.#store, { review: id, kind: "decided", atMs: nowMs });
    }
    return turn;
  }

  #careful<T>(work: () => T, otherwise: (why: string) => T): T {
    try {
      return work();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#complain(why);
      return otherwise(why);
    }
  }

  #complain(why: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < troubleEveryMs) return;
    this.#toldAtMs = nowMs;
    this.#options.onTrouble(why);
  }
}

function bytesOf({ request, candidates }: ReviewState): number {
  return candidates.reduce(
    (sum, { answer, text }) => sum + Buffer.byteLength(answer) + Buffer.byteLength(text),
    Buffer.byteLength(request),
  );
}
