import type { CalibrationSet } from "#domain/calibration";
import type { Capabilities, ModelTraits } from "#domain/model";
import type { Retention } from "#domain/retention";
import type { Secret } from "#domain/secret";
import type { MeasuredPair, SupplySeed } from "#domain/supply";
import type { ProviderKind, SettingName } from "#providers/provider";
import type { ConfigPath } from "./problem.ts";
import type { DownMode } from "./shared-schema.ts";
import type { TelemetryEnvironment } from "./telemetry-environment.ts";

/** What the process that serves must know and a worker's snapshot need not. */
export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly workers: number | "auto";
  /** As written; relative to the working directory. */
  readonly data: string;
  /** Where records are forwarded to; absent: nowhere. */
  readonly forward?: ForwardSettings;
  /** Where spans and metrics are sent; absent: nowhere. */
  readonly telemetry?: TelemetrySettings;
  /** Who is told of budgets; absent: the log alone. */
  readonly alerts?: AlertSettings;
  readonly retention: Retention;
  /** Absent: no audit log is kept. */
  readonly audit?: AuditSettings;
  /** The address of the database that several nodes share; absent: each keeps what it knows for itself. */
  readonly store?: Secret;
  /** The server at which several nodes count together; absent: this node counts for itself. */
  readonly shared?: SharedSettings;
}

export interface AlertSettings {
  readonly webhook: string;
  readonly key?: Secret;
}

export interface AuditSettings {
  readonly name?: string;
  /** Absent: what was said in entries is kept. */
  readonly retentionMs?: number;
  readonly anchor?: {
    /** As written; relative to the working directory. */
    readonly file?: string;
    readonly webhook?: string;
    readonly key?: Secret;
    readonly everyMs: number;
  };
}

export interface SharedSettings {
  /** Holds the password, where there is one. */
  readonly url: Secret;
  readonly prefix: string;
  readonly down: DownMode;
}

/** A collector of OpenTelemetry. */
export interface TelemetrySettings {
  /** Base address, without a trailing slash. */
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: Secret }[];
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly traces: boolean;
  readonly metrics: boolean;
  /** Of traces that begin here, how many are kept: 0 to 1. */
  readonly share: number;
  /** Attributes of whoever sends. */
  readonly resource: Readonly<Record<string, string>>;
}

/** A collector of records. */
export interface ForwardSettings {
  readonly url: string;
  readonly key?: Secret;
  readonly batchRecords: number;
  readonly timeoutMs: number;
  /** Most records that wait for it. */
  readonly keptRecords: number;
}

/** Of an account. */
export interface ImpliedAccess {
  readonly key?: Secret;
  readonly settings: Partial<Readonly<Record<SettingName, string>>>;
}

/** What a configuration is compiled against, as arguments, so that compiling stays pure. */
export interface CompileContext {
  /** By id or another usual name. */
  readonly findKind: (word: string) => ProviderKind | undefined;
  /** Ids, for suggestions. */
  readonly kindIds: readonly string[];
  /** The catalogue's row for a provider's own model name; undefined where it knows none. */
  readonly findModel: (kind: ProviderKind, model: string) => ModelTraits | undefined;
  /** What the environment says of a kind's account, where it is taken unasked; what the document says goes before. */
  readonly implied?: (kind: ProviderKind) => ImpliedAccess;
  /** What `hedgerow probe` found a target (`provider/model`) able to do, over the catalogue and under the document. */
  readonly probed?: (target: string) => Capabilities | undefined;
  /** What the environment says of telemetry. */
  readonly telemetry?: TelemetryEnvironment;
  /** The claims that ship with the gateway; absent: none. */
  readonly supply?: SupplySeed;
  /** What own traffic showed of targets failing together. */
  readonly measured?: readonly MeasuredPair[];
  /** What labels taught of confidence scores. */
  readonly calibration?: CalibrationSet;
  /** Keys were issued at run time, and are known to the gateway that keeps its data where this one does. */
  readonly hasIssuedKeys?: () => boolean;
  /** ISO date of the configuration: the date of the figures it states. */
  readonly date: string;
  /** From the command line, over the document's. */
  readonly overrides?: Partial<ServerSettings>;
  /** Said in addition to what the document itself gives rise to. */
  readonly notices?: readonly string[];
}

/** Collects what is wrong while compiling goes on, so that all of it is told at once. */
export type Report = (path: ConfigPath, message: string, fix?: string) => void;
