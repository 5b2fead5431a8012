import type { Failure } from "#domain/failure";
import type { CredentialHeaders } from "./provider.ts";

export interface FetchedToken {
  readonly headers: CredentialHeaders;
  /** Wall clock, milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Before its end a token is replaced, while calls go on with it: Google's library asks for a new one by then too. */
const renewBeforeMs = 5 * 60_000;
/** So close to its end it may expire on the way. */
const lastUseBeforeMs = 30_000;
/** A fetch that failed is not tried again for so long: whoever asks meanwhile hears the same. */
const restMs = 5_000;

/** One login's token: kept as long as it is valid, fetched once however many calls wait for it. */
export class TokenSource {
  readonly #ask: () => Promise<FetchedToken | Failure>;
  #token: FetchedToken | undefined;
  #pending: Promise<CredentialHeaders | Failure> | undefined;
  #failed: { readonly why: Failure; readonly untilMs: number } | undefined;
  /** When somebody asked last: fetching may take longer than the rest after it lasts. */
  #askedAtMs = 0;

  /** `ask` never rejects: what goes wrong is a failure. */
  constructor(ask: () => Promise<FetchedToken | Failure>) {
    this.#ask = ask;
  }

  headers(wallMs: number): CredentialHeaders | Failure | Promise<CredentialHeaders | Failure> {
    const leftMs = (this.#token?.expiresAtMs ?? 0) - wallMs;
    this.#askedAtMs = wallMs;
    const resting = this.#failed !== undefined && this.#failed.untilMs > wallMs ? this.#failed : undefined;
    if (this.#token !== undefined && leftMs > lastUseBeforeMs) {
      if (leftMs <= renewBeforeMs && resting === undefined) void this.#renew();
      return this.#token.headers;
    }
    return resting?.why ?? this.#renew();
  }

  #renew(): Promise<CredentialHeaders | Failure> {
    this.#pending ??= this.#ask().then((fetched) => {
      this.#pending = undefined;
      if ("expiresAtMs" in fetched) {
        this.#token = fetched;
        this.#failed = undefined;
        return fetched.headers;
      }
      this.#failed = { why: fetched, untilMs: this.#askedAtMs + restMs };
      return fetched;
    });
    return this.#pending;
  }
}
