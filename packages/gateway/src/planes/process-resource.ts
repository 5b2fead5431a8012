import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** What OpenTelemetry is told of this process; the id is new at each start, so that counts of two are never mixed up. */
export function processResource(): Readonly<Record<string, string>> {
  // Two folders up from the source as from the build.
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return {
    "service.version": (JSON.parse(manifest) as { version: string }).version,
    "service.instance.id": randomUUID(),
    "host.name": hostname(),
  };
}
