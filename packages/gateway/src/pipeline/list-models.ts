import type { Dialect, ListedModel } from "#dialects/dialect";
import { failure } from "#domain/failure";
import type { Exchange } from "#domain/ports";
import type { Snapshot } from "#domain/snapshot";
import { serverTiming } from "./answer-headers.ts";
import { refuse } from "./refuse.ts";

interface Listing {
  readonly exchange: Exchange;
  readonly snapshot: Snapshot;
  readonly dialect: Dialect;
  readonly id: string;
  readonly model?: string;
  readonly gatewayMs: number;
}

/** What callers may write as `model`: routes, aliases, and each provider's models, in the caller's language. */
export function listModels({ exchange, snapshot, dialect, id, model, gatewayMs }: Listing): void {
  const all = listedModels(snapshot);
  const headers = {
    "content-type": "application/json",
    [dialect.requestIdHeader]: id,
    "x-request-id": id,
    "x-hedgerow-attempts": "0",
    "x-hedgerow-decision": "answered",
    "x-should-retry": "false",
    ...serverTiming(gatewayMs),
  };
  if (model === undefined) {
    exchange.respond(200, headers);
    exchange.end(dialect.encodeModels(all, exchange.query));
    return;
  }
  const found = all.find((each) => each.id === model);
  if (found === undefined) {
    const why = failure(
      "model_not_found",
      `There is no model "${model.slice(0, 200)}" here; GET /v1/models lists all.`,
    );
    refuse({ exchange, dialect, id, failure: why, attempts: [], gatewayMs });
    return;
  }
  exchange.respond(200, headers);
  exchange.end(dialect.encodeModel(found));
}

function listedModels(snapshot: Snapshot): readonly ListedModel[] {
  const listed: ListedModel[] = [];
  for (const name of snapshot.routes.keys()) listed.push({ id: name, ownedBy: "hedgerow", createdAtS: 0 });
  for (const name of snapshot.aliases.keys()) listed.push({ id: name, ownedBy: "hedgerow", createdAtS: 0 });
  for (const spec of snapshot.providers.values()) {
    for (const [name, traits] of spec.models) {
      listed.push({ id: `${spec.id}/${name}`, ownedBy: spec.vendor ?? spec.id, createdAtS: 0, traits });
    }
  }
  return listed;
}
