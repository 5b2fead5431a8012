import { errorFromReply } from "./error-from-reply.ts";
import { ConnectionFailed, HedgerowError } from "./errors.ts";
import type { Lifeline } from "./lifeline.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Everything about the gateway that all calls share. */
export interface ConnectionOptions {
  /** Ends in the API's root, `/v1`. */
  readonly root: string;
  readonly apiKey: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
  readonly maxRetries: number;
}

export interface Request {
  readonly method: "GET" | "POST";
  /** Behind the root, with its slash. */
  readonly path: string;
  readonly accept: string;
  /** Called for each try: what is left of the deadline is part of the body. */
  readonly body?: () => unknown;
}

const firstDelayMs = 500;
/** A gateway that asks for a longer wait is not waited for: the caller gets its error, and the wish with it. */
const longestDelayMs = 60_000;

/** Sends requests and turns every kind of failure into a typed error. */
export class Connection {
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** A 2xx reply whose body is still to be read. The caller of this releases the lifeline once it is. */
  async send(request: Request, lifeline: Lifeline): Promise<Response> {
    for (let retries = 0; ; retries += 1) {
      const reply = await this.#try(request, lifeline);
      if (!HedgerowError.isInstance(reply)) return reply;
      const delayMs = reply.retryAfterMs ?? firstDelayMs * 2 ** retries;
      const again = reply.retryable && retries < this.#options.maxRetries;
      if (!again || delayMs > longestDelayMs || !lifeline.allows(delayMs)) throw reply;
      await lifeline.sleep(delayMs);
    }
  }

  /** An error the gateway gave is returned, because it may be worth another try; all others are thrown. */
  async #try(request: Request, lifeline: Lifeline): Promise<Response | HedgerowError> {
    try {
      const response = await this.#options.fetch(this.#options.root + request.path, {
        method: request.method,
        headers: this.#headers(request),
        signal: lifeline.signal,
        ...(request.body !== undefined && { body: JSON.stringify(request.body()) }),
      });
      if (response.ok) return response;
      return errorFromReply({ status: response.status, headers: response.headers, body: await response.text() });
    } catch (error) {
      throw lifeline.explain() ?? this.#unreached(error);
    }
  }

  #headers(request: Request): Record<string, string> {
    const { apiKey } = this.#options;
    return {
      accept: request.accept,
      ...(request.body !== undefined && { "content-type": "application/json" }),
      ...(apiKey !== undefined && apiKey !== "" && { authorization: `Bearer ${apiKey}` }),
      ...this.#options.headers,
    };
  }

  #unreached(cause: unknown): ConnectionFailed {
    return new ConnectionFailed(`No reply from ${this.#options.root}: ${reasonOf(cause)}`, {
      code: "connection_failed",
      cause,
    });
  }
}

/** Node's `fetch` hides the reason (ECONNREFUSED and the like) in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? `${error.message} (${cause.message})` : error.message;
}
