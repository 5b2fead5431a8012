/** What a provider says is left of one limit of an account. */
export interface RateLimit {
  /** As the provider calls it, such as `requests` or `input-tokens`. */
  readonly name: string;
  readonly remaining: number;
  readonly limit?: number;
  /** Until it is full again, or has some again, ms; at most five minutes. */
  readonly resetMs: number;
}
