import type { GatewayKey, ServerLimits, Snapshot } from "#domain/snapshot";
import { defaultLimits } from "#domain/snapshot";
import { isLoopback } from "./address.ts";
import { compileAllowance } from "./allowance-schema.ts";
import { compileAliases } from "./compile-aliases.ts";
import { compileAllowances } from "./compile-allowances.ts";
import { checkForward, compileForward } from "./compile-forward.ts";
import type { CompileContext, Report, ServerSettings } from "./compile-context.ts";
import { compileProviders } from "./compile-provider.ts";
import { compileRoutes } from "./compile-route.ts";
import { compileSupply } from "./compile-supply.ts";
import { sha256Hex, snapshotVersion } from "./fingerprint.ts";
import type { Finding } from "./problem.ts";
import { suggestion } from "./nearest.ts";
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
  const keys = gatewayKeys(document, report);
  checkForward(document, report);
  if (keys.length === 0 && Object.keys(document.keys ?? {}).length === 0 && !isLoopback(server.host)) {
    const message = `${JSON.stringify(server.host)} can be reached from other machines, and no \`keys\` are configured`;
    report(["server", "host"], message, "add `keys`, or listen on 127.0.0.1");
  }
  if (findings.length > 0) return { kind: "refused", findings };
  const content = {
    limits: compileLimits(document.server?.limits ?? {}),
    providers,
    routes,
    aliases,
    keys,
    supply,
    ...compileAllowances(document),
    ...(context.measured === undefined ? {} : { measured: context.measured }),
    ...(context.calibration === undefined ? {} : { calibration: context.calibration }),
    ...(routes.has("default") ? { defaultRoute: "default" } : {}),
    notices: context.notices ?? [],
  };
  return { kind: "compiled", snapshot: { version: snapshotVersion(content), ...content }, server };
}

export function serverSettings(document: ConfigDocument, overrides: Partial<ServerSettings> = {}): ServerSettings {
  const { host = "127.0.0.1", port = 4000, workers = "auto", data = "./.hedgerow" } = document.server ?? {};
  const forward = document.records?.forward;
  const settings = { host, port, workers, data, ...overrides };
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
    ...(entry.headersTimeout === undefined ? {} : { headersTimeoutMs: entry.headersTimeout }),
    ...(entry.uploadIdle === undefined ? {} : { uploadIdleMs: entry.uploadIdle }),
    ...(entry.heartbeat === undefined ? {} : { heartbeatMs: entry.heartbeat }),
    ...(entry.stalledClient === undefined ? {} : { stalledClientMs: entry.stalledClient }),
    ...(entry.drain === undefined ? {} : { drainMs: entry.drain }),
  };
}

const shortestKey = 24;

function gatewayKeys(document: ConfigDocument, report: Report): readonly GatewayKey[] {
  const keys: GatewayKey[] = [];
  const seen = new Map<string, string>();
  for (const [name, entry] of Object.entries(document.keys ?? {})) {
    const path = ["keys", name];
    if ((entry.key === undefined) === (entry.sha256 === undefined)) {
      report(path, "a key needs exactly one of `key` and `sha256`", "keep one of them");
      continue;
    }
    const plain = entry.key?.reveal();
    if (plain !== undefined && plain.length < shortestKey) {
      const fix = "make one with: openssl rand -hex 24";
      report(
        [...path, "key"],
        `a gateway key has at least ${shortestKey} characters, this one has ${plain.length}`,
        fix,
      );
      continue;
    }
    const sha256 = (plain === undefined ? (entry.sha256 ?? "") : sha256Hex(plain)).toLowerCase();
    const twin = seen.get(sha256);
    if (twin !== undefined)
      report(
        [...path, entry.key === undefined ? "sha256" : "key"],
        `this is the same key as ${JSON.stringify(twin)}`,
        "give each caller its own",
      );
    seen.set(sha256, name);
    const routeNames = Object.keys(document.routes ?? {});
    for (const [index, route] of (entry.routes ?? []).entries()) {
      if (routeNames.includes(route)) continue;
      report([...path, "routes", index], `no route ${JSON.stringify(route)}`, suggestion(route, routeNames, "routes"));
    }
    const allowance = compileAllowance(entry);
    keys.push({
      name,
      sha256,
      ...(allowance === undefined ? {} : { allowance }),
      ...(entry.routes === undefined ? {} : { routes: entry.routes }),
      ...(entry.admin === true ? { admin: true } : {}),
    });
  }
  return keys;
}
