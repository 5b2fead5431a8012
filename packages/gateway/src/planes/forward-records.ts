import type { ForwardSettings } from "#control/config/compile-context";
import { endOf, ForwardingPace, type PostEnd } from "#control/forwarding/forwarding-pace";
import {
  closeOutbox,
  countOutbox,
  openOutbox,
  setAside,
  takeFromOutbox,
  waitingRecords,
  type WaitingRecord,
} from "#control/store/outbox";
import type { Store } from "#control/store/sqlite";
import type { Log } from "./log.ts";
import { post } from "./post.ts";
import { sameSettings } from "./same-settings.ts";

export interface RecordForwarderOptions {
  readonly store: Store;
  readonly log: Log;
  /** Of the configuration that is served; asked again before each post. */
  readonly settings: () => ForwardSettings | undefined;
  /** How often an empty outbox is looked into. */
  readonly everyMs?: number;
  /** Shortens waits, in tests. */
  readonly pace?: number;
}

export interface RecordForwarder {
  /** The settings may have changed: opens or closes the outbox. */
  apply(): void;
  /** Sends what still waits, for five seconds at the most. What is left goes with the next start. */
  finish(): Promise<void>;
}

const defaultEveryMs = 500;
/** Of one post; a single record is sent whatever its size. */
const maxPostLength = 4 * 1024 * 1024;
const complainEveryMs = 60_000;
const finishMs = 5_000;

/**
 * Posts records to a collector, one post at a time, in the order in which they came into the store. They leave the outbox
 * when the collector has said that it has them, so that each arrives at least once: its `id` tells a second from a first.
 */
export function forwardRecords(options: RecordForwarderOptions): RecordForwarder {
  return new Forwarder(options);
}

class Forwarder implements RecordForwarder {
  readonly #options: RecordForwarderOptions;
  readonly #stopped = new AbortController();
  #pace = new ForwardingPace();
  #applied: ForwardSettings | undefined;
  #wake: (() => void) | undefined;
  #finishing = false;
  #complainedAtMs = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  readonly #running: Promise<void>;

  constructor(options: RecordForwarderOptions) {
    this.#options = options;
    this.#open();
    this.#running = this.#run();
  }

  apply(): void {
    const { settings } = this.#options;
    if (sameSettings(settings(), this.#applied)) return;
    this.#open();
    this.#pace = new ForwardingPace();
    this.#wake?.();
  }

  async finish(): Promise<void> {
    this.#finishing = true;
    this.#wake?.();
    const expired = setTimeout(() => this.#stopped.abort(), finishMs);
    await this.#running;
    clearTimeout(expired);
  }

  #open(): void {
    const { store, settings, log } = this.#options;
    this.#applied = settings();
    try {
      if (this.#applied === undefined) closeOutbox(store);
      else {
        openOutbox(store, this.#applied.keptRecords);
        // The rest of an address may be a secret.
        log.info("records are forwarded", { to: new URL(this.#applied.url).origin });
      }
    } catch (error) {
      log.error("records cannot be kept for the collector", { why: (error as Error).message });
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const waitMs = await this.#turn();
      // Whoever stops waits for nobody: what is left goes with the next start.
      if (this.#finishing && waitMs > 0) return;
      if (waitMs > 0) await this.#sleep(waitMs * (this.#options.pace ?? 1));
    }
  }

  /** One post, where there is something to send. Gives how long to wait before the next. */
  async #turn(): Promise<number> {
    const { store, log, everyMs = defaultEveryMs } = this.#options;
    const settings = this.#applied;
    if (settings === undefined) return everyMs;
    try {
      const records = ofOnePost(waitingRecords(store, this.#pace.batchOf(settings.batchRecords)));
      const [first] = records;
      if (first === undefined) return everyMs;
      const end = await this.#post(settings, records);
      const then = this.#pace.after(end, records.length, Math.random());
      if (then.take) takeFromOutbox(store, records);
      if (then.aside) {
        setAside(store, first);
        log.warn("the collector refuses a record; it is set aside until the next start", { seq: first.seq });
      }
      this.#complain(end);
      return then.waitMs;
    } catch (error) {
      this.#complain({ kind: "failed", why: (error as Error).message });
      return everyMs;
    }
  }

  async #post(settings: ForwardSettings, records: readonly WaitingRecord[]): Promise<PostEnd> {
    const posted = await post({
      url: settings.url,
      headers: {
        "content-type": "application/x-ndjson",
        ...(settings.key === undefined ? {} : { authorization: `Bearer ${settings.key.reveal()}` }),
      },
      body: records.map(({ line }) => `${line}\n`).join(""),
      timeoutMs: settings.timeoutMs,
      signal: this.#stopped.signal,
    });
    return posted.kind === "failed" ? posted : endOf(posted.status, posted.retryAfterMs);
  }

  /** Once a minute at the most; the first success afterwards is told, too. */
  #complain(end: PostEnd): void {
    const { log, store } = this.#options;
    if (end.kind === "taken") {
      if (Number.isFinite(this.#complainedAtMs)) log.info("records reach the collector again");
      this.#complainedAtMs = Number.NEGATIVE_INFINITY;
      return;
    }
    if (this.#finishing || performance.now() - this.#complainedAtMs < complainEveryMs) return;
    this.#complainedAtMs = performance.now();
    const { waiting, refused, dropped } = countOutbox(store);
    const why = end.kind === "failed" ? end.why : `the collector answered ${end.status}`;
    log.error("records could not be forwarded; they wait in the data folder", { why, waiting, refused });
    if (dropped > this.#dropped) {
      log.error("too many records wait: the oldest will not be forwarded; the store has them", { dropped });
    }
    this.#dropped = dropped;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }
}

function ofOnePost(records: readonly WaitingRecord[]): readonly WaitingRecord[] {
  let length = 0;
  const fitting = records.findIndex(({ line }, at) => (length += line.length) > maxPostLength && at > 0);
  return fitting === -1 ? records : records.slice(0, fitting);
}
