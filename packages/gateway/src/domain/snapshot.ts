import type { AccountId, Allowance } from "./account.ts";
import type { CalibrationSet } from "./calibration.ts";
import type { DialectId } from "./call.ts";
import type { ConfidenceRule } from "./confidence.ts";
import type { GatewayKey } from "./gateway-key.ts";
import type { ModelTraits } from "./model.ts";
import type { PayloadRule } from "./payload.ts";
import type { Objection, Spread, Timeouts } from "./plan.ts";
import type { ChatQuirks } from "./quirks.ts";
import type { Secret } from "./secret.ts";
import type { MeasuredPair, SupplyData } from "./supply.ts";

/** The compiled configuration a worker runs on. Immutable; a new one replaces it whole. */
export interface Snapshot {
  /** Twelve hex digits of a hash over everything in it but the secrets' values. */
  readonly version: string;
  readonly limits: ServerLimits;
  readonly providers: ReadonlyMap<string, ProviderSpec>;
  readonly routes: ReadonlyMap<string, Route>;
  /** Other names of routes and targets. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Those of the configuration. Without any the gateway is open, on loopback only, unless something else guards it. */
  readonly keys: readonly GatewayKey[];
  /** SHA-256 (hex) of the administrator's own token, which makes no calls. */
  readonly adminToken?: string;
  /** Callers need a key, though the configuration has none: other machines reach the address, or there is a token. */
  readonly guarded?: true;
  readonly organisations?: readonly string[];
  readonly teams?: ReadonlyMap<string, Team>;
  /** What organisations, teams, routes, providers and models may use; keys say it themselves. Absent: no bounds. */
  readonly allowances?: ReadonlyMap<AccountId, Allowance>;
  /** What each end user may use that calls name. */
  readonly eachUser?: Allowance;
  /** The route used when a call names none and its model matches nothing else. */
  readonly defaultRoute?: string;
  /** Who depends on whom: the seed and the configuration's own claims. */
  readonly supply: SupplyData;
  /** What own traffic showed of targets failing together; absent: nothing was measured. */
  readonly measured?: readonly MeasuredPair[];
  /** How raw scores become confidence, as own labels taught; absent: nothing was learned yet, the global prior decides. */
  readonly calibration?: CalibrationSet;
  /** What requests to providers say of the trace they belong to; absent: nothing. */
  readonly tracing?: TracingRule;
  /** Absent: no payload is kept. */
  readonly payloads?: PayloadRule;
  /** Shown once at start and in answers' warnings: for instance that only simulated providers answer. */
  readonly notices: readonly string[];
}

/** Every bound of the data plane that an operator may set. */
export interface ServerLimits {
  readonly maxBodyBytes: number;
  readonly maxDepth: number;
  readonly maxHeaderBytes: number;
  /** One server-sent event of an upstream. */
  readonly maxEventBytes: number;
  /** A whole answer that is not streamed. */
  readonly maxAnswerBytes: number;
  /** Frames held back before the commit point. */
  readonly maxHeldBytes: number;
  readonly maxConcurrentCalls: number;
  /** How late a worker's event loop may be, as a moving mean. */
  readonly maxLagMs: number;
  /** Resident memory of a worker; absent: not looked at. */
  readonly maxMemoryBytes?: number;
  readonly headersTimeoutMs: number;
  readonly uploadIdleMs: number;
  readonly heartbeatMs: number;
  /** A client that takes no byte for so long is let go. */
  readonly stalledClientMs: number;
  readonly drainMs: number;
}

export interface TracingRule {
  /** Of traces that begin here, how many are kept: 0 to 1. */
  readonly share: number;
}

export interface Team {
  readonly organisation?: string;
}

export interface Credential {
  /** `provider#n`; what records and logs show. */
  readonly id: string;
  readonly secret: Secret;
}

/** An account at a vendor or host, ready to be called. */
export interface ProviderSpec {
  readonly id: string;
  /** A kind `providers/` knows. */
  readonly kind: string;
  /** The vendor part of canonical model names, where the kind serves one vendor. */
  readonly vendor?: string;
  readonly dialect: DialectId;
  /** The languages it is to be asked in, the preferred first, where the configuration says so. */
  readonly dialects?: readonly DialectId[];
  /** `https://host:port`, no path. */
  readonly origin: string;
  /** Path prefix of the API, without a trailing slash: `/v1`, `/openai/v1`, or empty. */
  readonly basePath: string;
  /** Empty where the provider needs none. */
  readonly credentials: readonly Credential[];
  /** Extra request headers; values may be secret. */
  readonly headers: readonly { readonly name: string; readonly value: Secret }[];
  readonly timeouts: Partial<Timeouts>;
  readonly quirks: ChatQuirks;
  /** As the configuration declares them: it wins over every claim of the supply graph. */
  readonly operator?: string;
  readonly owner?: string;
  /** Where it runs or is asked. */
  readonly region?: string;
  /** What is usual of the kind, where neither the configuration nor the supply graph says it. */
  readonly usual?: { readonly operator?: string; readonly owner?: string };
  /** Under whose law it works, in the words of the configuration. */
  readonly jurisdiction?: string;
  /** Classes of data it may be sent. */
  readonly dataClasses?: readonly string[];
  /** How much its operator trusts it not to do harm, 0 to 9; a model's own comes before it. */
  readonly safetyTier?: number;
  /** What the account may be asked, as configured. */
  readonly limits?: AccountLimits;
  /** What becomes of an answer whose client has left: by default it is cancelled; `drain` reads it, for its bill. */
  readonly onAbort?: "drain";
  readonly sla?: ServicePromise;
  /** A cloud project, where the provider's addresses name one. */
  readonly project?: string;
  /** The dated version of an API that wants one in its address. */
  readonly apiVersion?: string;
  /** What is known of its models, by the provider's own name: catalogue rows corrected by the configuration. */
  readonly models: ReadonlyMap<string, ModelTraits>;
}

export interface AccountLimits {
  /** Requests and tokens a minute. */
  readonly rpm?: number;
  readonly tpm?: number;
  /** Requests at once. */
  readonly concurrency?: number;
}

/** What a contract promises. Shares from 0 to 1. */
export interface ServicePromise {
  readonly availability: number;
  /** What counts as downtime. */
  readonly counts: readonly ("fault" | "timeout" | "capacity")[];
  readonly credits: readonly { readonly below: number; readonly credit: number }[];
}

export interface Route {
  readonly name: string;
  readonly targets: readonly RouteTarget[];
  /** Asked where a hard budget cannot pay the others. */
  readonly whenSpent?: readonly RouteTarget[];
  readonly timeouts: Partial<Timeouts>;
  readonly maxAttempts: number;
  readonly retryEmpty: boolean;
  /** Written: it holds strictly. Absent: the order leans away from the operator of what failed. */
  readonly spread?: Spread;
  /** Whoever is likeliest to answer now comes first, whatever the order of `targets`. Absent: as written. */
  readonly order?: "success";
  readonly constraints?: Constraints;
  /** Absent: an attempt has the call to itself. */
  readonly hedge?: HedgeRule;
  /** Absent: answers pass as they are. */
  readonly confidence?: ConfidenceRule;
}

/** When a second attempt may start while the first is still waited for. */
export interface HedgeRule {
  /** Absent: what 95 of 100 calls to the first target take to their first content, as learned. */
  readonly afterMs?: number;
  /** Most second attempts, as a share of the route's calls: 0 to 1. */
  readonly share: number;
  /** Calls with tools may be hedged, too. */
  readonly sideEffects: boolean;
}

/** What every target of a route must keep. What a provider does not declare, it does not keep. */
export interface Constraints {
  /** Names of regions; a trailing `*` stands for any ending. */
  readonly regions?: readonly string[];
  readonly jurisdictions?: readonly string[];
  readonly dataClass?: string;
  /** Integer nano-dollars per million tokens. */
  readonly maxPrice?: { readonly input?: number; readonly output?: number };
  /** To the first content, for 95 % of the calls. Learned, and therefore no promise: it holds while somebody keeps it. */
  readonly maxLatencyMs?: number;
}

export interface RouteTarget {
  readonly provider: string;
  readonly model: string;
  readonly lastResort: boolean;
  /** Asked only where a hard budget cannot pay the others. */
  readonly whenSpent?: true;
  /** Its share of the calls among neighbours that have one, too. */
  readonly weight?: number;
  /** What is known against it and accepted by name. */
  readonly despite?: readonly Objection[];
}

export const defaultLimits: ServerLimits = {
  maxBodyBytes: 32 * 1024 * 1024,
  maxDepth: 100,
  maxHeaderBytes: 32 * 1024,
  maxEventBytes: 4 * 1024 * 1024,
  maxAnswerBytes: 64 * 1024 * 1024,
  maxHeldBytes: 64 * 1024,
  maxConcurrentCalls: 2000,
  maxLagMs: 1_000,
  headersTimeoutMs: 10_000,
  uploadIdleMs: 30_000,
  heartbeatMs: 15_000,
  stalledClientMs: 60_000,
  drainMs: 120_000,
};

export const defaultTimeouts: Timeouts = {
  connectMs: 5_000,
  firstByteMs: 60_000,
  firstTokenMs: 60_000,
  idleMs: 30_000,
  contentIdleMs: 90_000,
  totalMs: 600_000,
};
