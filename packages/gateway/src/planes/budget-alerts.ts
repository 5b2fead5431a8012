import { createHmac } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AlertSettings } from "#control/config/compile-context";
import type { AccountId, BudgetPeriod } from "#domain/account";
import type { Log } from "./log.ts";
import { post } from "./post.ts";

/** A budget has passed a share that somebody wants to be told of. */
export interface BudgetAlert {
  readonly kind: "budget";
  readonly account: AccountId;
  readonly period: BudgetPeriod;
  /** 0 to 1. */
  readonly share: number;
  readonly spentUsd: number;
  readonly limitUsd: number;
  readonly soft: boolean;
  /** ISO 8601. */
  readonly at: string;
}

export interface BudgetAlertsOptions {
  /** The data folder: what was not delivered is there over a restart. */
  readonly folder: string;
  /** Of the configuration that is served; asked again before each post. */
  readonly settings: () => AlertSettings | undefined;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** Shortens waits, in tests. */
  readonly pace?: number;
}

const waitingFile = "alerts.json";
/** Beyond it the oldest are given up: there are shares of budgets, a few each, not calls. */
const mostWaiting = 256;
const [firstWaitMs, longestWaitMs] = [1_000, 300_000];
/** What nobody took for so long is old news. */
const givenUpAfterMs = 24 * 3_600_000;
const postTimeoutMs = 10_000;

/**
 * Tells of budgets that pass a share of their limit: a line in the log, and a post to a webhook where there is one, in order,
 * until somebody takes it. Each once in a period: who counts the money says when it is passed.
 */
export class BudgetAlerts {
  readonly #options: BudgetAlertsOptions;
  readonly #stopped = new AbortController();
  readonly #waiting: BudgetAlert[];
  #waitMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #posting: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: BudgetAlertsOptions) {
    this.#options = options;
    this.#waiting = [...kept(options.folder)];
    if (this.#waiting.length > 0) this.#later(0);
  }

  tell(alert: BudgetAlert): void {
    const { log, settings } = this.#options;
    const { share, account, period, spentUsd, limitUsd, soft } = alert;
    const fields = { account, period, spentUsd, limitUsd, ...(soft ? { soft } : {}) };
    log.warn(`a budget has reached ${Math.round(share * 100)} %`, fields);
    if (settings() === undefined) return;
    this.#waiting.push(alert);
    if (this.#waiting.length > mostWaiting) this.#waiting.shift();
    this.#keep();
    if (this.#timer === undefined) this.#later(0);
  }

  /** Ends a post that is on its way; what is left goes with the next start. */
  async finish(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopped.abort();
    await this.#posting;
  }

  #later(ms: number): void {
    if (this.#stopped.signal.aborted) return;
    const { pace = 1 } = this.#options;
    this.#timer = setTimeout(() => {
      this.#posting = this.#deliver();
    }, ms * pace);
  }

  /** The first in line, and then the next. */
  async #deliver(): Promise<void> {
    const [first] = this.#waiting;
    const settings = this.#options.settings();
    if (first === undefined || settings === undefined) {
      this.#timer = undefined;
      return;
    }
    const why = await this.#post(first, settings);
    const isOld = Date.now() - Date.parse(first.at) > givenUpAfterMs;
    this.#tellHow(why);
    if (why === undefined || isOld) {
      const at = this.#waiting.indexOf(first);
      if (at >= 0) this.#waiting.splice(at, 1);
      this.#keep();
      this.#waitMs = 0;
    } else this.#waitMs = Math.min(longestWaitMs, Math.max(firstWaitMs, this.#waitMs * 2));
    this.#later(this.#waitMs);
  }

  /** Why it was not taken. */
  async #post(alert: BudgetAlert, { webhook, key }: AlertSettings): Promise<string | undefined> {
    const { spentUsd, limitUsd, ...rest } = alert;
    const body = JSON.stringify({ ...rest, spent_usd: spentUsd, limit_usd: limitUsd });
    const secret = key?.reveal();
    const signed =
      secret === undefined
        ? {}
        : { "x-hedgerow-signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}` };
    const posted = await post({
      url: webhook,
      headers: { "content-type": "application/json", ...signed },
      body,
      timeoutMs: postTimeoutMs,
      signal: this.#stopped.signal,
    });
    if (posted.kind === "failed") return posted.why;
    return posted.status >= 200 && posted.status < 300 ? undefined : `it answered ${posted.status}`;
  }

  #tellHow(why: string | undefined): void {
    const { log } = this.#options;
    if (this.#stopped.signal.aborted) return;
    if (why !== undefined && !this.#isFailing) log.error("an alert could not be delivered; it waits", { why });
    if (why === undefined && this.#isFailing) log.info("alerts are delivered again");
    this.#isFailing = why !== undefined;
  }

  #keep(): void {
    const path = join(this.#options.folder, waitingFile);
    try {
      writeFileSync(`${path}.new`, JSON.stringify(this.#waiting), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (error) {
      // A full disk: they are delivered all the same, if the process lives so long.
      this.#options.log.error("alerts that wait could not be written down", { why: (error as Error).message });
    }
  }
}

function kept(folder: string): readonly BudgetAlert[] {
  const path = join(folder, waitingFile);
  if (!existsSync(path)) return [];
  try {
    const read: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(read) ? (read as readonly BudgetAlert[]).slice(-mostWaiting) : [];
  } catch {
    return [];
  }
}
