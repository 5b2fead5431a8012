import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { CalibrationSet } from "#domain/calibration";
import type { Capabilities } from "#domain/model";
import type { Snapshot } from "#domain/snapshot";
import { anyIssued } from "#control/keys/any-issued";
import { storeFile } from "#control/store/sqlite";
import { findKind, providerKinds } from "#providers/kinds";
import { catalogueLookup } from "./catalogue-lookup.ts";
import { calibrationsFile, readCalibrations } from "./calibrations.ts";
import { capabilityFile, probedCapabilities, readCapabilityFile, type CapabilityFile } from "./capability-file.ts";
import { coFailureFile, readCoFailureFile, type CoFailureFile } from "./co-failure-file.ts";
import { compile, serverSettings } from "./compile.ts";
import type { ServerSettings } from "./compile-context.ts";
import type { DataFileRead } from "./data-file.ts";
import { documentFromEnvironment, impliedAccess } from "./from-environment.ts";
import type { MadeDocument } from "./from-environment.ts";
import { lint } from "./lint.ts";
import { telemetryFrom } from "./telemetry-environment.ts";
import { openSupply } from "./open-supply.ts";
import { loadDocument } from "./load.ts";
import { inFileOrder, located, noPlaces } from "./problem.ts";
import type { ConfigPath, ConfigProblem, Finding, Places } from "./problem.ts";

/** The file looked for where none is named. */
export const usualFile = "hedgerow.yaml";

export interface ReadOptions {
  /** As the user named it; without it `hedgerow.yaml` is read where it exists, else the environment. */
  readonly path?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From the command line, over the file's. */
  readonly overrides?: Partial<ServerSettings>;
  /** Read so that a key can be issued: a public gateway without any is not refused for that. */
  readonly issuing?: true;
  /** ISO date: decides what the catalogue calls deprecated or retired, and dates what has no file. */
  readonly today: string;
}

export interface Configuration {
  readonly kind: "configured";
  /** The file's name, or `environment`. */
  readonly from: string;
  readonly snapshot: Snapshot;
  readonly server: ServerSettings;
  /** What `check` warns of. */
  readonly warnings: readonly ConfigProblem[];
}

export interface Refused {
  readonly kind: "refused";
  readonly problems: readonly ConfigProblem[];
}

/** `unconfigured`: neither a file nor a provider's key was found; the caller may serve simulated providers. */
export type ConfigurationRead = Configuration | Refused | { readonly kind: "unconfigured" };

/** Reads, checks and compiles a configuration from wherever it is. Reads files, never throws for what they hold. */
export function readConfiguration(options: ReadOptions): ConfigurationRead {
  const path = options.path ?? (existsSync(resolve(options.cwd, usualFile)) ? usualFile : undefined);
  if (path !== undefined) return readFile(path, options);
  const made = documentFromEnvironment(options.env, providerKinds);
  return made === undefined ? { kind: "unconfigured" } : compileMade(made, options);
}

/** Compiles a document that was made in memory: from the environment, or for simulated providers. */
export function compileMade(
  made: MadeDocument,
  options: Pick<ReadOptions, "overrides" | "today" | "issuing"> &
    Partial<Pick<ReadOptions, "env">> & { readonly from?: string; readonly cwd?: string },
): Configuration | Refused {
  const places = noPlaces(options.from ?? "environment");
  return finish(made, { ...options, places, date: options.today, plainSecrets: [] });
}

function readFile(path: string, options: ReadOptions): Configuration | Refused {
  const loaded = loadDocument({ path, cwd: options.cwd, env: options.env });
  if (loaded.kind === "refused") return loaded;
  const finished = finish({ document: loaded.document, notices: [] }, { ...options, ...loaded });
  if (loaded.problems.length === 0) return finished;
  const said = new Set(loaded.problems.map((problem) => problem.path));
  const more = finished.kind === "refused" ? finished.problems.filter((problem) => !said.has(problem.path)) : [];
  return { kind: "refused", problems: inFileOrder([...loaded.problems, ...more]) };
}

function capabilitiesOf({ document }: MadeDocument, { cwd, overrides }: Finishing): DataFileRead<CapabilityFile> {
  if (cwd === undefined) return { kind: "missing" };
  const { data } = serverSettings(document, overrides);
  return readCapabilityFile(resolve(cwd, data, capabilityFile));
}

function measuredOf({ document }: MadeDocument, { cwd, overrides }: Finishing): DataFileRead<CoFailureFile> {
  if (cwd === undefined) return { kind: "missing" };
  const { data } = serverSettings(document, overrides);
  return readCoFailureFile(resolve(cwd, data, coFailureFile));
}

function calibrationsOf({ document }: MadeDocument, { cwd, overrides }: Finishing): DataFileRead<CalibrationSet> {
  if (cwd === undefined) return { kind: "missing" };
  const { data } = serverSettings(document, overrides);
  return readCalibrations(resolve(cwd, data, calibrationsFile));
}

/** In a database of several nodes nobody looks before the gateway runs: it lets nobody in until a key is issued there. */
function issuedIn({ document }: MadeDocument, { cwd, overrides, issuing }: Finishing): boolean {
  const { data, store } = serverSettings(document, overrides);
  return issuing === true || store !== undefined || (cwd !== undefined && anyIssued(resolve(cwd, data, storeFile)));
}

function probedIn({ targets }: CapabilityFile): (target: string) => Capabilities | undefined {
  return (target) => {
    const probed = Object.hasOwn(targets, target) ? targets[target] : undefined;
    return probed === undefined ? undefined : probedCapabilities(probed);
  };
}

interface Finishing {
  /** Where relative paths begin; absent for documents that have no folder. */
  readonly cwd?: string;
  readonly env?: ReadOptions["env"];
  readonly places: Places;
  /** Of the configuration. */
  readonly date: string;
  readonly today: string;
  readonly overrides?: Partial<ServerSettings>;
  readonly issuing?: true;
  readonly plainSecrets: readonly ConfigPath[];
}

function finish(made: MadeDocument, finishing: Finishing): Configuration | Refused {
  const { places, date, today, overrides, plainSecrets, env } = finishing;
  const { findModel, nearestModels } = catalogueLookup(today);
  const telemetry = telemetryFrom(env ?? {});
  const capabilities = capabilitiesOf(made, finishing);
  const measured = measuredOf(made, finishing);
  const calibrations = calibrationsOf(made, finishing);
  const fromData = { [capabilityFile]: capabilities, [coFailureFile]: measured, [calibrationsFile]: calibrations };
  const compiled = compile(made.document, {
    findKind,
    kindIds: [...providerKinds.keys()],
    findModel,
    ...(env === undefined ? {} : { implied: (kind) => impliedAccess(env, kind) }),
    telemetry,
    hasIssuedKeys: () => issuedIn(made, finishing),
    date,
    supply: openSupply(),
    ...(capabilities.kind === "read" ? { probed: probedIn(capabilities.file) } : {}),
    ...(measured.kind === "read" ? { measured: measured.file.pairs } : {}),
    ...(calibrations.kind === "read" ? { calibration: calibrations.file } : {}),
    notices: [
      ...made.notices,
      ...Object.entries(fromData).flatMap(([file, read]) =>
        read.kind === "broken" ? [`${file} in the data folder is not read: ${read.why}`] : [],
      ),
    ],
    ...(overrides === undefined ? {} : { overrides }),
  });
  const inPlace = (findings: readonly Finding[]) => inFileOrder(findings.map((finding) => located(finding, places)));
  if (compiled.kind === "refused") return { kind: "refused", problems: inPlace(compiled.findings) };
  const { snapshot, server } = compiled;
  const unfollowed = telemetry.notices.map((message) => ({ path: ["telemetry"], message }));
  const warnings = lint({ document: made.document, snapshot, server, places, nearestModels, plainSecrets, today });
  return { kind: "configured", from: places.file, snapshot, server, warnings: inPlace([...warnings, ...unfollowed]) };
}
