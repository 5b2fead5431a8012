import type { Dialect } from "#dialects/dialect";
import type { Exchange } from "#domain/ports";
import { failure } from "#domain/failure";
import type { Snapshot } from "#domain/snapshot";
import { ownAnswerHeaders } from "./answer-headers.ts";
import type { DataPlane } from "./data-plane.ts";
import { refuse } from "./refuse.ts";
import { drawerOf } from "./thread.ts";

interface Asked {
  readonly exchange: Exchange;
  readonly plane: DataPlane;
  readonly snapshot: Snapshot;
  readonly dialect: Dialect;
  readonly id: string;
  readonly owner: string;
  readonly path: readonly string[];
  readonly body: Uint8Array;
  readonly gatewayMs: number;
}

/** Reads, lists and deletes what the gateway keeps for a caller. Nobody upstream is asked. */
export function serveStored(asked: Asked): void {
  const { exchange, dialect, id, owner, path, gatewayMs } = asked;
  const json = parsed(asked.body);
  const reply =
    json === undefined
      ? { kind: "refused" as const, failure: failure("invalid_request", "The body is not valid JSON.") }
      : dialect.threads?.serve(
          { method: exchange.method, path, query: exchange.query, body: json.value },
          drawerOf(owner, asked),
        );
  if (reply?.kind !== "found") {
    const why = reply?.failure ?? failure("path_not_found", "There is nothing here.");
    refuse({ exchange, dialect, id, failure: why, attempts: [], gatewayMs });
    return;
  }
  exchange.respond(200, ownAnswerHeaders(dialect, { id, gatewayMs }));
  exchange.end(Buffer.from(JSON.stringify(reply.json)));
}

function parsed(body: Uint8Array): { readonly value: unknown } | undefined {
  if (body.length === 0) return { value: undefined };
  try {
    return { value: JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString("utf8")) as unknown };
  } catch {
    return undefined;
  }
}
