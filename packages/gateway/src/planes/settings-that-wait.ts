import type { Configuration } from "#control/config/configuration";
import type { ServerLimits } from "#domain/snapshot";
import { sameSettings } from "./same-settings.ts";

/** Limits the listeners of the workers are opened with. */
const listenerLimits = {
  maxHeaderBytes: "server.limits.maxHeader",
  headersTimeoutMs: "server.limits.headersTimeout",
  stalledClientMs: "server.limits.stalledClient",
} as const satisfies Partial<Record<keyof ServerLimits, string>>;

/** Changed settings that are set up once, as written in the file: `server.port`. */
export function settingsThatWait(before: Configuration, after: Configuration): readonly string[] {
  const names = ["host", "port", "workers", "data"] as const;
  const limits = Object.entries(listenerLimits) as [keyof typeof listenerLimits, string][];
  return [
    ...names.filter((name) => before.server[name] !== after.server[name]).map((name) => `server.${name}`),
    ...(sameSettings(before.server.shared, after.server.shared) ? [] : ["shared"]),
    ...(sameSettings(before.server.audit, after.server.audit) ? [] : ["audit"]),
    ...(before.server.store?.reveal() === after.server.store?.reveal() ? [] : ["store"]),
    ...limits.flatMap(([name, written]) =>
      before.snapshot.limits[name] === after.snapshot.limits[name] ? [] : [written],
    ),
  ];
}
