import { Completions } from "./completions.ts";
import { Connection, type Fetch } from "./connection.ts";
import { Feedback } from "./feedback.ts";
import { mustBeTimeout } from "./lifeline.ts";
import { Models } from "./models.ts";
import { Reviews } from "./reviews.ts";

export interface HedgerowOptions {
  /** The gateway's address, with or without `/v1`: `http://127.0.0.1:4000`. */
  readonly baseURL: string;
  /** A key of the gateway's. Not needed where the gateway is open, as on loopback by default. */
  readonly apiKey?: string | undefined;
  /** Milliseconds, for calls that name none. Without it only the gateway's own deadline holds. */
  readonly timeoutMs?: number | undefined;
  /**
   * Further tries of this client where the gateway says that one can help (`x-should-retry: true`); 1 when not said.
   * The gateway has retried already, so nothing else is ever repeated from here.
   */
  readonly maxRetries?: number | undefined;
  /** In place of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** Sent with every request; wins over this client's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * A client of a Hedgerow gateway.
 *
 * ```ts
 * const hedgerow = new Hedgerow({ baseURL: "http://127.0.0.1:4000" });
 * const response = await hedgerow.chat.completions.create({ model: "default", messages: [{ role: "user", content: "Hello" }] });
 * console.log(response.text, response.hedgerow.provider);
 * ```
 */
export class Hedgerow {
  readonly chat: { readonly completions: Completions };
  readonly models: Models;
  readonly reviews: Reviews;
  readonly feedback: Feedback;

  /** Throws a TypeError on options that cannot work. */
  constructor(options: HedgerowOptions) {
    const maxRetries = options.maxRetries ?? 1;
    if (!Number.isInteger(maxRetries) || maxRetries < 0) {
      throw new TypeError(`maxRetries must be 0 or a positive whole number, not ${maxRetries}.`);
    }
    const { timeoutMs } = options;
    mustBeTimeout(timeoutMs);
    const connection = new Connection({
      root: rootOf(options.baseURL),
      apiKey: options.apiKey,
      headers: lowerCased(options.headers ?? {}),
      fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
      maxRetries,
    });
    this.chat = { completions: new Completions(connection, timeoutMs) };
    this.models = new Models(connection, timeoutMs);
    this.reviews = new Reviews(connection, timeoutMs);
    this.feedback = new Feedback(connection, timeoutMs);
  }
}

function rootOf(baseURL: string): string {
  if (!/^https?:\/\/[^/]/.test(baseURL)) {
    throw new TypeError(`baseURL must be an address like http://127.0.0.1:4000, not ${JSON.stringify(baseURL)}.`);
  }
  const address = baseURL.replace(/\/+$/, "");
  return address.endsWith("/v1") ? address : `${address}/v1`;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
