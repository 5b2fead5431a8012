import type { Dialect, ListedModel } from "#dialects/dialect";
import { failure } from "#domain/failure";
import type { Exchange } from "#domain/ports";
import type { GatewayKey } from "#domain/gateway-key";
import type { Snapshot } from "#domain/snapshot";
import { scopeOf } from "#policy/key-scope";
import { ownAnswerHeaders } from "./answer-headers.ts";
import type { DataPlane } from "./data-plane.ts";
import { findModel, listedModels } from "./listed-models.ts";
import { refuse } from "./refuse.ts";

interface Listing {
  readonly exchange: Exchange;
  readonly plane: DataPlane;
  readonly snapshot: Snapshot;
  readonly dialect: Dialect;
  readonly id: string;
  readonly model?: string;
  readonly key?: GatewayKey;
  readonly gatewayMs: number;
}

/** What this caller may write as `model`, or what is known of one such name, in the caller's language. */
export function listModels({ exchange, plane, snapshot, dialect, id, model, key, gatewayMs }: Listing): void {
  const view = { snapshot, traitsOf: plane.traitsOf, allowed: key?.routes, ...scopeOf(key) };
  const headers = ownAnswerHeaders(dialect, { id, gatewayMs });
  if (model === undefined) {
    exchange.respond(200, headers);
    exchange.end(dialect.encodeModels(listedModels(view), exchange.query));
    return;
  }
  const found: ListedModel | undefined = findModel(model, view);
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
