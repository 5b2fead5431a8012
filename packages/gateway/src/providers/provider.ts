import type { DialectId } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { ChatQuirks } from "#domain/quirks";
import type { Secret } from "#domain/secret";

/** Who is behind a URL: address, credentials, what its failures mean. Knows a dialect by id only. */
export interface ProviderKind {
  /** The word users write as `kind`. */
  readonly id: string;
  readonly title: string;
  /** The vendor part of canonical names, where the kind serves one vendor's models. */
  readonly vendor?: string;
  readonly dialect: DialectId;
  /** Default base address with its path (`https://api.groq.com/openai/v1`); undefined: the configuration must say. */
  readonly url?: string;
  /** Environment variables that hold a key, the first found wins. Empty where no key is needed. */
  readonly environmentKeys: readonly string[];
  /** Works without a key (local servers). */
  readonly keyless: boolean;
  readonly quirks: ChatQuirks;
  /** Declared default risk groups; the configuration may override. */
  readonly operator?: string;
  readonly owner?: string;
  /** Headers that carry the credential. */
  authorize(secret: Secret | undefined): Readonly<Record<string, string>>;
  /** Total: any reply gives exactly one failure, and it never throws. */
  classify(reply: FailedReply): Failure;
  /** The provider's own id of a request, from answer headers. */
  requestId(headers: Readonly<Record<string, string>>): string | undefined;
}

/** An answer that is an error: by status, or inside a 200 (then `status` is absent). */
export interface FailedReply {
  readonly status?: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 64 KiB, decoded as UTF-8; or the complaint already parsed, when it came in-band. */
  readonly body: string | object;
  /** Wall clock, for dates in `retry-after`. */
  readonly wallMs: number;
}
