import type { ServerLimits, Snapshot } from "#domain/snapshot";
import { defaultLimits } from "#domain/snapshot";
import { isLoopback } from "./address.ts";
import { compileAliases } from "./compile-aliases.ts";
import { compileAllowances } from "./compile-allowances.ts";
import { checkForward, compileForward } from "./compile-forward.ts";
import { checkShared, checkStore, compileShared } from "./compile-shared-limits.ts";
import type { CompileContext, Report, ServerSettings } from "./compile-context.ts";
import { compileAdminToken, compileKeys, compileTenants } from "./compile-keys.ts";
import { compileProviders } from "./compile-provider.ts";
import { compileRoutes } from "./compile-route.ts";
import { compileSupply } from "./compile-supply.ts";
import { checkAudit, compileAlerts, compileAudit } from "./compile-audit.ts";
import { checkRetention, compileRetention } from "./compile-retention.ts";
import { checkPayloads, compilePayloads } from "./compile-payloads.ts";
import { compileTelemetry } from "./compile-telemetry.ts";
import { snapshotVersion } from "./fingerprint.ts";
import type { Finding } from "./problem.ts";
import type { ConfigDocument, LimitsEntry } from "./schema.ts";

export type Compiled =
  | { readonly kind: "compiled"; readonly snapshot: Snapshot; readonly server: ServerSettings }
  | { readonly kind: "refused"; readonly findings: readonly Finding[] };

/** Document → snapshot. Pure; gives every finding, or a snapshot that can serve. */
export function compile(document: ConfigDocument, context: CompileContext): Compiled {
  const findings: Finding[] = [];
  const report: Report = (path, message, fix) => {
    findings.push({ path, message, ...(fix === undefined ? {} : { fix }) });
  };
  const server = serverSettings(document, context.overrides);
  const routes = compileRoutes(document, report);
  const providers = compileProviders(document, context, report);
  const aliases = compileAliases(document, context, report);
  const supply = compileSupply(document, context, report);
  const tenants = compileTenants(document, report);
  const keys = compileKeys(document, tenants, report);
  const adminToken = compileAdminToken(document, report);
  const isPublic = !isLoopback(server.host);
  checkForward(document, report);
  const { telemetry, tracing } = compileTelemetry(document, context.telemetry, report);
  checkShared(document, report);
  checkStore(document, report);
  checkAudit(document, report);
  checkRetention(document, report);
  checkPayloads(document, report);
  if (isPublic && !hasCredential(document, context)) {
    const message = `${JSON.stringify(server.host)} can be reached from other machines, and no \`keys\` are configured`;
    report(["server", "host"], message, "add `keys`, issue one with `hedgerow keys create`, or listen on 127.0.0.1");
  }
  if (findings.length > 0) return { kind: "refused", findings };
  const served = telemetry === undefined ? server : { ...server, telemetry };
  const content = {
    limits: compileLimits(document.server?.limits ?? {}),
    providers,
    routes,
    aliases,
    keys,
    ...(adminToken === undefined ? {} : { adminToken }),
    // Never open to other machines, whatever becomes of the keys; nor where an administrator is told from others.
    ...(isPublic || adminToken !== undefined ? { guarded: true as const } : {}),
    ...tenants,
    supply,
    ...compileAllowances(document),
    ...(context.measured === undefined ? {} : { measured: context.measured }),
    ...(context.calibration === undefined ? {} : { calibration: context.calibration }),
    ...(tracing === undefined ? {} : { tracing }),
    ...compilePayloads(document),
    ...(routes.has("default") ? { defaultRoute: "default" } : {}),
    notices: context.notices ?? [],
  };
  return { kind: "compiled", snapshot: { version: snapshotVersion(content), ...content }, server: served };
}

/** Something that callers or an administrator can prove themselves by: without any, nobody could use the gateway. */
function hasCredential({ keys = {}, server }: ConfigDocument, { hasIssuedKeys }: CompileContext): boolean {
  return Object.keys(keys).length > 0 || server?.admin?.token !== undefined || hasIssuedKeys?.() === true;
}

export function serverSettings(document: ConfigDocument, overrides: Partial<ServerSettings> = {}): ServerSettings {
  const { host = "127.0.0.1", port = 4000, workers = "auto", data = "./.hedgerow" } = document.server ?? {};
  const forward = document.records?.forward;
  const settings = {
    host,
    port,
    workers,
    data,
    ...compileShared(document),
    ...compileRetention(document),
    ...compileAudit(document),
    ...compileAlerts(document),
    ...overrides,
  };
  return forward === undefined ? settings : { ...settings, forward: compileForward(forward) };
}

function compileLimits(entry: LimitsEntry): ServerLimits {
  const { maxDepth, maxConcurrentCalls } = entry;
  return {
    ...defaultLimits,
    ...(entry.maxBody === undefined ? {} : { maxBodyBytes: entry.maxBody }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(entry.maxHeader === undefined ? {} : { maxHeaderBytes: entry.maxHeader }),
    ...(entry.maxEvent === undefined ? {} : { maxEventBytes: entry.maxEvent }),
    ...(entry.maxAnswer === undefined ? {} : { maxAnswerBytes: entry.maxAnswer }),
    ...(entry.maxHeld === undefined ? {} : { maxHeldBytes: entry.maxHeld }),
    ...(maxConcurrentCalls === undefined ? {} : { maxConcurrentCalls }),
    ...(entry.maxLag === undefined ? {} : { maxLagMs: entry.maxLag }),
    ...(entry.maxMemory === undefined ? {} : { maxMemoryBytes: entry.maxMemory }),
    ...(entry.headersTimeout === undefined ? {} : { headersTimeoutMs: entry.headersTimeout }),
    ...(entry.uploadIdle === undefined ? {} : { uploadIdleMs: entry.uploadIdle }),
    ...(entry.heartbeat === undefined ? {} : { heartbeatMs: entry.heartbeat }),
    ...(entry.stalledClient === undefined ? {} : { stalledClientMs: entry.stalledClient }),
    ...(entry.drain === undefined ? {} : { drainMs: entry.drain }),
  };
}
