import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AuditSettings } from "#control/config/compile-context";
import { checkpointFile } from "#control/audit/audit-folder";
import type { AuditLog } from "#control/audit/audit-log";
import type { Log } from "./log.ts";
import { post } from "./post.ts";

export interface AnchorsOptions {
  readonly log: AuditLog;
  readonly settings: AuditSettings;
  readonly say: Pick<Log, "info" | "error">;
  readonly cwd: string;
}

const postTimeoutMs = 10_000;
const longestWaitMs = 600_000;
const firstWaitMs = 5_000;

/**
 * Puts checkpoints where whoever could change this machine cannot reach: at the end of a file, or at an address that takes
 * them. A checkpoint that was kept elsewhere is what no later history can contradict. Nobody waits for it; what cannot be
 * delivered is tried again, and the next checkpoint says all that an older one did.
 */
export class Anchors {
  readonly #options: AnchorsOptions;
  readonly #stopped = new AbortController();
  #size = -1;
  #nextAtMs = 0;
  #waitMs = firstWaitMs;
  #posting: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: AnchorsOptions) {
    this.#options = options;
  }

  /** Called often; does something when it is time, and something is new. */
  look(): void {
    const { settings, log } = this.#options;
    const { anchor } = settings;
    if (anchor === undefined || this.#posting !== undefined) return;
    if (performance.now() < this.#nextAtMs || log.size === this.#size || log.size === 0) return;
    const path = join(log.folder, checkpointFile);
    if (!existsSync(path)) return;
    this.#posting = this.#put({ note: readFileSync(path, "utf8"), size: log.size }, anchor.everyMs);
  }

  async #put({ note, size }: { readonly note: string; readonly size: number }, everyMs: number): Promise<void> {
    const why = await this.#deliver(note);
    this.#posting = undefined;
    this.#tell(why);
    if (why === undefined) [this.#size, this.#waitMs] = [size, firstWaitMs];
    this.#nextAtMs = performance.now() + (why === undefined ? everyMs : this.#waitMs);
    if (why !== undefined) this.#waitMs = Math.min(longestWaitMs, this.#waitMs * 2);
  }

  /** The last checkpoint is delivered as well, if that takes no longer than a post may. */
  async finish(): Promise<void> {
    await this.#posting;
    this.#nextAtMs = 0;
    this.look();
    await this.#posting;
    this.#stopped.abort();
  }

  /** Why it was not delivered. */
  async #deliver(note: string): Promise<string | undefined> {
    const { cwd, settings } = this.#options;
    const { anchor } = settings;
    if (anchor?.file !== undefined) {
      try {
        appendFileSync(resolve(cwd, anchor.file), `${note}\n`, { mode: 0o600 });
      } catch (error) {
        return (error as Error).message;
      }
    }
    if (anchor?.webhook === undefined) return undefined;
    const posted = await post({
      url: anchor.webhook,
      headers: {
        "content-type": "text/plain; charset=utf-8",
        ...(anchor.key === undefined ? {} : { authorization: `Bearer ${anchor.key.reveal()}` }),
      },
      body: note,
      timeoutMs: postTimeoutMs,
      signal: this.#stopped.signal,
    });
    if (posted.kind === "failed") return posted.why;
    return posted.status >= 200 && posted.status < 300 ? undefined : `it answered ${posted.status}`;
  }

  #tell(why: string | undefined): void {
    const { say } = this.#options;
    if (why !== undefined && !this.#isFailing)
      say.error("a checkpoint of the audit log could not be put elsewhere", { why });
    if (why === undefined && this.#isFailing) say.info("checkpoints of the audit log are put elsewhere again");
    this.#isFailing = why !== undefined;
  }
}
