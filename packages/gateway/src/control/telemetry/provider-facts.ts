import type { Snapshot } from "#domain/snapshot";
import { telemetryName } from "#providers/telemetry-names";
import type { FindProvider, ProviderFacts } from "./spans.ts";

/** What spans and metrics say of the providers of a configuration. */
export function providerFacts({ providers }: Pick<Snapshot, "providers">): FindProvider {
  const facts = new Map<string, ProviderFacts>();
  for (const { id, kind, origin } of providers.values()) {
    const { hostname, port, protocol } = new URL(origin);
    const usual = protocol === "http:" ? 80 : 443;
    facts.set(id, { name: telemetryName(kind), address: hostname, port: port === "" ? usual : Number(port) });
  }
  return (provider) => facts.get(provider);
}
