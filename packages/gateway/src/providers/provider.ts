import type { DialectId, Operation } from "#domain/call";
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
  /** The language it is spoken to in where nothing speaks for another. */
  readonly dialect: DialectId;
  /**
   * Every language it can be asked in for this model, the preferred first; absent: `dialect` alone. A caller's own
   * language comes before all others where it is among them, because its bytes then pass as they are. Without an
   * operation: those it can be asked for an answer in. `name`: the canonical vendor/model, where it is known.
   */
  lanes?(model: string, operation?: Operation, name?: string): readonly DialectId[];
  /** Every language a configuration may have it asked in; absent: `dialect` alone. */
  readonly languages?: readonly DialectId[];
  /**
   * What it can be asked of this model; absent: all its languages know but what they call rare. A call for anything else
   * goes to another target.
   */
  operations?(model: string): readonly Operation[];
  /** Default base address with its path (`https://api.groq.com/openai/v1`); undefined: the configuration must say. */
  readonly url?: string;
  /** The base address of providers that have one for each region or account; undefined where a setting is missing. */
  urlFor?(settings: AddressSettings): string | undefined;
  /** What it takes beside address and key; absent: nothing. */
  readonly settings?: KindSettings;
  /** Environment variables that hold a key, the first found wins. Empty where no key is needed. */
  readonly environmentKeys: readonly string[];
  /** What else the environment says of an account, under the names that the vendor's own tools use. */
  readonly environment?: EnvironmentNames;
  /** What keeps a text from being one of its keys, in words; absent: a key is whatever can stand in a header. */
  keyProblem?(key: string): string | undefined;
  /** Works without a key: a local server, or one whose login is found by other means. */
  readonly keyless: boolean;
  readonly quirks: ChatQuirks;
  /** Declared default risk groups; the configuration may override. */
  readonly operator?: string;
  readonly owner?: string;
  /** Where and how a request is sent, where that is not the language's usual path behind the base path. */
  place?(sending: Sending): Placement;
  /**
   * Headers that carry the credential, or what kept it from being had. Signatures cover the request as it leaves; tokens
   * may have to be fetched first.
   */
  authorize(
    secret: Secret | undefined,
    request: OutgoingRequest,
  ): CredentialHeaders | Failure | Promise<CredentialHeaders | Failure>;
  /**
   * Takes the provider's own framing off a stream in this language, so that the decoder sees what the language's vendor
   * would send; undefined where there is none.
   */
  unwrap?(dialect: DialectId): StreamUnwrapping | undefined;
  /** Total: any reply gives exactly one failure, and it never throws. */
  classify(reply: FailedReply): Failure;
  /** The provider's own id of a request, from answer headers. */
  requestId(headers: Readonly<Record<string, string>>): string | undefined;
}

export type CredentialHeaders = Readonly<Record<string, string>>;

/** Settings that some kinds take beside address and key. */
export type SettingName = "region" | "project" | "resource" | "apiVersion";

export type KindSettings = Readonly<Partial<Record<SettingName, SettingUse>>>;

export interface SettingUse {
  /** What an error says to write. */
  readonly example: string;
  /** Whether it cannot be called without; absent: never. `url`: the configuration states an address. */
  needed?(given: { readonly url: boolean; readonly keys: readonly string[] }): boolean;
}

export interface EnvironmentNames {
  /** Variables that make one key, joined by colons; those after the first `needed` may be absent. */
  readonly keyParts?: { readonly names: readonly string[]; readonly needed: number };
  /** A variable that shows that there is a login, although no key has to be written down. */
  readonly login?: string;
  /** Where settings stand; of several variables the first found wins. */
  readonly settings?: Readonly<Partial<Record<SettingName | "url", readonly string[]>>>;
  /** Taken wherever the configuration states no key, as the vendor's own tools take it. */
  readonly implied?: true;
}

/** What an address may be made of, as configured. */
export interface AddressSettings {
  readonly region?: string;
  readonly project?: string;
  /** An account's or resource's name, where it is part of the host. */
  readonly resource?: string;
}

/** A request before it has its place at the provider. */
export interface Sending extends AddressSettings {
  readonly dialect: DialectId;
  readonly operation: Operation;
  /** The model's name at the provider. */
  readonly model: string;
  readonly streamed: boolean;
  /** The configured base path, without a trailing slash. */
  readonly basePath: string;
  /** The language's usual path behind the base path, with its query. */
  readonly path: string;
  /** The dated version of an API that wants one in its address (Azure's `api-version`). */
  readonly apiVersion?: string;
  /** Lower-case names; what the language and the caller ask for. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Placement {
  /** The whole path, base path included, with its query. */
  readonly path: string;
  /** Top-level edits of the body; raw JSON, undefined removes. */
  readonly edits?: ReadonlyMap<string, string | undefined>;
  /** Headers to add; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** What of a caller's own headers the provider would have refused and is left out, in words. */
  readonly warnings?: readonly string[];
}

/** A request as it leaves, for signatures. */
export interface OutgoingRequest {
  readonly method: "POST" | "GET";
  /** `https://host:port` */
  readonly origin: string;
  /** With its query, as it stands on the wire. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Uint8Array[];
  readonly region?: string;
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: number;
}

export interface StreamUnwrapping {
  /** The content types such a stream comes under (without parameters); the first is asked for. */
  readonly streamTypes: readonly string[];
  open(out: UnwrapOutput): { push(bytes: Uint8Array): void; end(): void };
}

/** Where unwrapped bytes go. After `onComplaint` or `onBroken` nothing more is read. */
export interface UnwrapOutput {
  readonly maxFrameBytes: number;
  onBytes(bytes: Uint8Array): void;
  /** The framing itself carried an error of the provider. */
  onComplaint(complaint: object): void;
  /** The framing cannot be read. */
  onBroken(why: string): void;
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
