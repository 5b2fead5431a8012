import type { ModelTraits } from "#domain/model";
import type { Snapshot } from "#domain/snapshot";
import type { Behaviour } from "#simulation/behaviour";
import type { Script } from "#simulation/script";
import { ok, on, startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { sampleRoute, sampleTraits } from "../world/sample-snapshot.ts";
import { providerAt, startGateway, type TestGateway } from "../world/start-gateway.ts";

/** A gateway whose route `main` has one simulated provider after another: `KIND-0/m`, `KIND-1/m`, … */
export interface ProviderRow extends AsyncDisposable {
  readonly url: string;
  readonly gateway: TestGateway;
  readonly upstreams: readonly Upstream[];
  /** The body of the last request that the provider at this place was sent. */
  sent(at?: number): Record<string, unknown>;
  post(path: string, body: object): Promise<{ readonly response: Response; readonly json: unknown }>;
}

/** Twenty nano-dollars an input token. */
const priced: ModelTraits = {
  ...sampleTraits("sim/m", 8192),
  price: { input: 20_000_000, output: 40_000_000, from: { source: "test", date: "2026-11-21" } },
};

/** Unlike a rule, a behaviour here answers whatever is asked. */
export async function openRow(
  kinds: readonly string[],
  scripts: readonly (Script | Behaviour)[] = [],
  more: Partial<Snapshot> = {},
): Promise<ProviderRow> {
  const upstreams = await Promise.all(kinds.map((_, at) => startUpstream(scriptOf(scripts[at] ?? ok()))));
  const providers = kinds.map((kind, at) => {
    const provider = providerAt(`${kind}-${at}`, kind, upstreams[at]?.url ?? "");
    return { ...provider, basePath: basePaths[provider.dialect] ?? "/v1", models: new Map([["m", priced]]) };
  });
  const targets = providers.map(({ id }) => `${id}/m`);
  const gateway = await startGateway(providers, [sampleRoute("main", targets)], more);
  return {
    url: gateway.url,
    gateway,
    upstreams,
    sent: (at = 0) => JSON.parse(upstreams[at]?.log.last?.body.toString() ?? "{}") as Record<string, unknown>,
    async post(path, body) {
      const response = await fetch(gateway.url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "main", ...body }),
      });
      return { response, json: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await Promise.all(upstreams.map((upstream) => upstream.close()));
    },
  };
}

const basePaths: Readonly<Record<string, string>> = { "cohere-chat": "/v2", gemini: "/v1beta", "bedrock-converse": "" };

const operations = ["generate", "count-tokens", "embed", "complete", "moderate", "rerank"] as const;

function scriptOf(given: Script | Behaviour): Script {
  return "rules" in given ? given : { rules: operations.map((operation) => on({ operation }, given)) };
}
