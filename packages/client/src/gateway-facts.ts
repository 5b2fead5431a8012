import { type Json, isObject, numberOf, textOf } from "./json.ts";

/** How the gateway came to an answer. */
export interface GatewayFacts {
  readonly requestId?: string;
  /** Who answered. */
  readonly provider?: string;
  readonly model?: string;
  readonly route?: string;
  /** How many targets or credentials were asked, the one that answered included; 0 where none was. */
  readonly attempts: number;
  /** `answered`, `recovered` (not by the first attempt), `degraded` (by a last resort of the gateway's own), `doubted` … */
  readonly decision?: string;
  /** US dollars; absent where the price or the usage is unknown or not yet known. Unknown is never zero. */
  readonly costUsd?: number;
  /** What a translation between languages lost, in words. */
  readonly warnings: readonly string[];
}

/** Facts from an answer's headers. */
export function factsFromHeaders(headers: Headers): GatewayFacts {
  const header = (name: string): string | undefined => headers.get(name) ?? undefined;
  const warnings = headers.get("x-hedgerow-warning");
  return factsFrom({
    requestId: header("x-request-id"),
    provider: header("x-hedgerow-provider"),
    model: header("x-hedgerow-model"),
    route: header("x-hedgerow-route"),
    attempts: numberOf(header("x-hedgerow-attempts")),
    decision: header("x-hedgerow-decision"),
    costUsd: numberOf(header("x-hedgerow-cost-usd")),
    // `fetch` joins repeated headers, and a warning may hold a comma itself: they stay one text.
    warnings: warnings === null ? undefined : [warnings],
  });
}

/** The same facts with those of an answer's `hedgerow` object on top: it is written later and knows more. */
export function factsWithBody(facts: GatewayFacts, body: Json | undefined): GatewayFacts {
  if (!isObject(body)) return facts;
  const attempts = Array.isArray(body["attempts"]) ? body["attempts"].length : numberOf(body["attempts"]);
  const warnings = Array.isArray(body["warnings"])
    ? body["warnings"].filter((warning) => typeof warning === "string")
    : undefined;
  return factsFrom({
    requestId: textOf(body["request_id"]) ?? facts.requestId,
    provider: textOf(body["provider"]) ?? facts.provider,
    model: textOf(body["model"]) ?? facts.model,
    route: textOf(body["route"]) ?? facts.route,
    attempts: attempts ?? facts.attempts,
    decision: textOf(body["decision"]) ?? facts.decision,
    costUsd: numberOf(body["cost_usd"]) ?? facts.costUsd,
    warnings: warnings ?? facts.warnings,
  });
}

type Known = { readonly [name in keyof Required<GatewayFacts>]: GatewayFacts[name] | undefined };

function factsFrom(known: Known): GatewayFacts {
  return {
    ...(known.requestId !== undefined && { requestId: known.requestId }),
    ...(known.provider !== undefined && { provider: known.provider }),
    ...(known.model !== undefined && { model: known.model }),
    ...(known.route !== undefined && { route: known.route }),
    attempts: known.attempts ?? 0,
    ...(known.decision !== undefined && { decision: known.decision }),
    ...(known.costUsd !== undefined && { costUsd: known.costUsd }),
    warnings: known.warnings ?? [],
  };
}
