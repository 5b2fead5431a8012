import { statSync } from "node:fs";
import { join } from "node:path";
import type { AuditSettings } from "#control/config/compile-context";
import { auditFolder } from "#control/audit/audit-folder";
import { AuditLog } from "#control/audit/audit-log";
import { callEvent } from "#control/audit/call-event";
import { eraseOld } from "#control/audit/erase";
import type { AuditEvent, AuditKind, AuditValue } from "#control/audit/entry";
import { carryJournal, type Ledger } from "#control/store/ingest-journal";
import { reviewFile } from "#control/reviews/review-file";
import { decidedReviews } from "#control/reviews/decided-reviews";
import { Anchors } from "./audit-anchors.ts";
import type { Log } from "./log.ts";
import { nodeName } from "./node-name.ts";

export interface AuditTrailOptions {
  /** The data folder, and the journal's. */
  readonly folder: { readonly path: string; readonly journal: string };
  readonly settings: AuditSettings | undefined;
  /** What a file of anchors is relative to. */
  readonly cwd: string;
  readonly log: Log;
  readonly everyMs?: number;
}

export type OpenedTrail =
  | { readonly kind: "opened"; readonly trail: AuditTrail }
  | { readonly kind: "refused"; readonly message: string };

const defaultEveryMs = 500;
const complainEveryMs = 60_000;
const eraseEveryMs = 3_600_000;

/**
 * Writes what happens into the audit log: calls from the journals, each once, with their place in the journal in the same
 * step; decisions on reviews from their file; the rest as it happens. Does nothing where it is not configured.
 */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  readonly #log: AuditLog | undefined;
  readonly #anchors: Anchors | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #finished = false;
  #complainedAtMs = Number.NEGATIVE_INFINITY;
  #eraseAtMs = 0;

  private constructor(options: AuditTrailOptions, log: AuditLog | undefined) {
    this.#options = options;
    this.#log = log;
    const { settings } = options;
    const { log: say, cwd } = options;
    if (log !== undefined && settings !== undefined) this.#anchors = new Anchors({ log, settings, say, cwd });
  }

  static open(options: AuditTrailOptions): OpenedTrail {
    const { settings, folder } = options;
    if (settings === undefined) return { kind: "opened", trail: new AuditTrail(options, undefined) };
    const name = settings.name ?? `hedgerow/${nodeName(folder.path)}`;
    const opened = AuditLog.open(join(folder.path, auditFolder), name);
    if (opened.kind === "refused") return opened;
    return { kind: "opened", trail: new AuditTrail(options, opened.log) };
  }

  start(): void {
    if (this.#log === undefined) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#passAndGoOn();
    }, this.#options.everyMs ?? defaultEveryMs);
  }

  /** Something happened that stands in no journal. On disk when it returns; a log that fails is complained of. */
  note(kind: Exclude<AuditKind, "call">, fields: Readonly<Record<string, unknown>>): void {
    const log = this.#log;
    if (log === undefined) return;
    const known = JSON.parse(JSON.stringify(fields)) as Readonly<Record<string, AuditValue>>;
    this.#guard(() => log.append([{ kind, at: new Date().toISOString(), fields: known }]));
  }

  /** Whether the log has so much of a journal file; true where there is no log. */
  has(file: string, size: number): boolean {
    return this.#log === undefined || (this.#log.positions[file]?.offset ?? 0) >= size;
  }

  async finish(): Promise<void> {
    this.#finished = true;
    clearTimeout(this.#timer);
    await this.#running;
    if (this.#log === undefined) return;
    await this.#guardedPass();
    this.note("stop", {});
    await this.#anchors?.finish();
  }

  async #passAndGoOn(): Promise<void> {
    await this.#guardedPass();
    if (!this.#finished) this.start();
  }

  async #guardedPass(): Promise<void> {
    try {
      await this.#pass();
    } catch (error) {
      this.#complain(error as Error);
    }
  }

  async #pass(): Promise<void> {
    const log = this.#log;
    if (log === undefined) return;
    const { folder } = this.#options;
    const reviews = join(folder.path, reviewFile);
    const ledger: Ledger = {
      position: (file) => log.positions[file],
      put(piece, records) {
        const { file, toOffset: offset, chainHash: hash } = piece;
        log.append(records.map(callEvent), { positions: { ...log.positions, [file]: { offset, hash } } });
        return { kind: "ingested", fresh: records };
      },
      forgetBut(files) {
        const kept = Object.entries(log.positions).filter(([file]) => files.includes(file));
        if (kept.length < Object.keys(log.positions).length) log.append([], { positions: Object.fromEntries(kept) });
      },
    };
    await carryJournal(ledger, folder.journal, () => {});
    const decided =
      statSync(reviews, { throwIfNoEntry: false }) === undefined ? [] : decidedReviews(reviews, log.reviews);
    const last = decided.at(-1);
    if (last !== undefined) log.append(decided.map(reviewEvent), { reviews: [last.decidedMs, last.id] });
    this.#eraseOld(log);
    this.#anchors?.look();
  }

  #eraseOld(log: AuditLog): void {
    const retentionMs = this.#options.settings?.retentionMs;
    if (retentionMs === undefined || performance.now() < this.#eraseAtMs) return;
    this.#eraseAtMs = performance.now() + eraseEveryMs;
    const files = eraseOld(log, retentionMs, Date.now());
    if (files > 0) this.#options.log.info("what old entries of the audit log said was erased", { files });
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#complain(error as Error);
    }
  }

  #complain(error: Error): void {
    if (performance.now() - this.#complainedAtMs < complainEveryMs) return;
    this.#complainedAtMs = performance.now();
    this.#options.log.error("the audit log could not be written; calls wait for it in the journal", {
      why: error.message,
    });
  }
}

function reviewEvent({ id, decidedMs, callId, decision, by }: ReturnType<typeof decidedReviews>[number]): AuditEvent {
  return {
    kind: "review",
    at: new Date(decidedMs).toISOString(),
    fields: { id, call: callId, decision, by },
  };
}
