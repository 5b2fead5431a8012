import type { createClient } from "@redis/client";
import type { Clock } from "#domain/ports";
import type { Secret } from "#domain/secret";
import type { Script } from "./scripts.ts";

/** What the server said in time; or why it did not. */
export type Answer =
  | { readonly kind: "answered"; readonly value: unknown }
  | { readonly kind: "unreachable"; readonly why: string };

export interface Asked {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** Called once: with the answer, also where it comes too late for whoever waited, or with why none will come. */
  readonly onEnd?: (answer: Answer, isLate: boolean) => void;
}

/** Runs scripts at a server, each within its bound. */
export interface ScriptRunner {
  run(asked: Asked): Promise<Answer>;
}

export interface ConnectionOptions {
  /** `redis://user:password@host:port/database`, `rediss://` over TLS. */
  readonly url: Secret;
  /** Loaded with the connection. */
  readonly scripts: readonly Script[];
  readonly clock: Clock;
  readonly onReady: () => void;
  /** For the answer to a script, ms; 50 where it is not said. */
  readonly answerWithinMs?: number;
}

type Client = ReturnType<typeof createClient>;

/** Whoever asks waits no longer, ms. */
const usualAnswerMs = 50;
/** A connection that owes an answer for so much longer is given up, ms. */
const silentMs = 1_000;
/** For the connection and the first words on it, ms. */
const connectWithinMs = 1_000;
/** Between two tries to connect, ms: it doubles. */
const [shortestPauseMs, longestPauseMs] = [50, 1_000];
/** Answers that are waited for; whoever comes on top is told at once. */
const mostWaiting = 10_000;

/**
 * One connection to the server, made again whenever it is lost. Nothing waits for a connection, and what could not be sent
 * in time is not sent later; an answer that comes late is handed to whoever can take it back.
 */
export class Connection implements ScriptRunner {
  readonly #options: ConnectionOptions;
  #client: Client | undefined;
  #why = "there is no connection yet";
  #pauseMs = shortestPauseMs;
  #waiting = 0;
  #asked = 0;
  #closed = false;
  #cancelRetry: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    void this.#open();
  }

  /** Why there is no connection, where there is none. */
  get why(): string {
    return this.#why;
  }

  run(asked: Asked): Promise<Answer> {
    const client = this.#client;
    if (client?.isReady === true && this.#waiting < mostWaiting) {
      return new Promise((resolve) => this.#ask(client, asked, resolve));
    }
    const why = client?.isReady === true ? "too many answers are waited for" : this.#why;
    asked.onEnd?.({ kind: "unreachable", why }, false);
    return Promise.resolve({ kind: "unreachable", why });
  }

  /** No more answers come; a late one is lost. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    if (this.#client !== undefined) this.#giveUp(this.#client, "it was closed");
  }

  #ask(client: Client, asked: Asked, tell: (answer: Answer) => void): void {
    const { clock, answerWithinMs = usualAnswerMs } = this.#options;
    const unsent = new AbortController();
    let isLate = false;
    this.#waiting += 1;
    let cancel = clock.timer(answerWithinMs, () => {
      isLate = true;
      unsent.abort();
      cancel = clock.timer(silentMs, () => this.#giveUp(client, "it is silent"));
      tell({ kind: "unreachable", why: `no answer within ${answerWithinMs} ms` });
    });
    const settle = (answer: Answer): void => {
      cancel();
      this.#waiting -= 1;
      asked.onEnd?.(answer, isLate);
      tell(answer);
    };
    this.#asked += 1;
    const id = String(this.#asked);
    evaluate(client, { ...asked, args: [...asked.args, id] }, unsent.signal).then(
      (answer) => {
        const [named, value] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
        if (named === id) return settle({ kind: "answered", value });
        // Bytes were lost between us and the server: every answer after them would be taken for another's.
        const why = "its answers are to other questions";
        settle({ kind: "unreachable", why });
        return this.#giveUp(client, why);
      },
      (error: unknown) => {
        const why = (error as Error).message;
        settle({ kind: "unreachable", why });
        // It was the first of its kind and is no longer: whoever answers to the name may be another now.
        if (why.startsWith("READONLY")) this.#giveUp(client, why);
      },
    );
  }

  async #open(): Promise<void> {
    const { url, clock, scripts, onReady } = this.#options;
    // A client that nobody needs is not loaded.
    const redis = await import("@redis/client");
    if (this.#closed) return;
    const client: Client = redis.createClient({
      url: url.reveal(),
      RESP: 2,
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: "disabled",
      socket: { reconnectStrategy: false, connectTimeout: connectWithinMs },
    }) as Client;
    this.#client = client;
    client.on("error", (error: Error) => this.#giveUp(client, error.message));
    client.on("end", () => this.#giveUp(client, "it closed the connection"));
    const cancel = clock.timer(connectWithinMs, () => this.#giveUp(client, "it does not answer"));
    try {
      await client.connect();
      for (const { lua } of scripts) await client.sendCommand(["SCRIPT", "LOAD", lua]);
      cancel();
      if (this.#client !== client) return;
      this.#pauseMs = shortestPauseMs;
      onReady();
    } catch (error) {
      cancel();
      this.#giveUp(client, (error as Error).message);
    }
  }

  #giveUp(client: Client, why: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#why = why;
    try {
      client.destroy();
    } catch {
      // It was closed already.
    }
    if (this.#closed) return;
    this.#cancelRetry = this.#options.clock.timer(this.#pauseMs, () => void this.#open());
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
  }
}

/** By the script's name; whole where the server has forgotten it. */
async function evaluate(client: Client, { script, keys, args }: Asked, abortSignal: AbortSignal): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args];
  try {
    return await client.sendCommand(["EVALSHA", script.sha1, ...rest], { abortSignal });
  } catch (error) {
    if (!(error as Error).message.startsWith("NOSCRIPT") || abortSignal.aborted) throw error;
    return client.sendCommand(["EVAL", script.lua, ...rest], { abortSignal });
  }
}
