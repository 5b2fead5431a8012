import type { DialectId } from "#domain/call";
import type { ModelTraits } from "#domain/model";
import { plainChatQuirks } from "#domain/quirks";
import { Secret } from "#domain/secret";
import { defaultLimits, type ProviderSpec, type Route, type Snapshot } from "#domain/snapshot";
import { emptySupply } from "#domain/supply";

/** A provider for tests: everything has a default that works. */
export function sampleProvider(id: string, more: Partial<ProviderSpec> = {}): ProviderSpec {
  const dialect: DialectId = more.dialect ?? "openai-chat";
  return {
    id,
    kind: dialect === "openai-chat" ? "openai-compatible" : "anthropic",
    dialect,
    origin: "http://127.0.0.1:1",
    basePath: "/v1",
    credentials: [{ id: `${id}#1`, secret: new Secret(`sk-${id}`) }],
    headers: [],
    timeouts: {},
    quirks: plainChatQuirks,
    models: new Map(),
    ...more,
  };
}

/** A route by its targets, written `provider/model`. */
export function sampleRoute(name: string, targets: readonly string[], more: Partial<Route> = {}): Route {
  return {
    name,
    targets: targets.map((each) => {
      const slash = each.indexOf("/");
      return { provider: each.slice(0, slash), model: each.slice(slash + 1), lastResort: false };
    }),
    timeouts: {},
    maxAttempts: 3,
    retryEmpty: true,
    ...more,
  };
}

export function sampleSnapshot(
  providers: readonly ProviderSpec[],
  routes: readonly Route[],
  more: Partial<Snapshot> = {},
): Snapshot {
  return {
    version: "000000000000",
    limits: defaultLimits,
    providers: new Map(providers.map((each) => [each.id, each])),
    routes: new Map(routes.map((each) => [each.name, each])),
    aliases: new Map(),
    keys: [],
    supply: emptySupply,
    notices: [],
    ...more,
  };
}

export function sampleTraits(name: string, contextTokens: number): ModelTraits {
  return { name, contextTokens, capabilities: {}, from: { source: "test", date: "2026-11-21" } };
}
