import type { Behaviour } from "#simulation/behaviour";
import type { Chance } from "./chance.ts";

export const faultModes = [
  "rate-limited",
  "overloaded",
  "failed",
  "flapping",
  "refused",
  "lost",
  "cut",
  "silent",
  "in-band",
  "slow",
  "page",
  "empty",
  "broken",
  "rejected",
] as const;
export type FaultMode = (typeof faultModes)[number];

/** What an upstream does with one request. */
export type Treatment =
  /** No answer comes: the code is the socket's. */
  | { readonly kind: "socket"; readonly code: string; readonly afterMs: number }
  | { readonly kind: "answer"; readonly behaviour: Behaviour; readonly fate: Fate };

/**
 * What it does to the count of hard failures of the model, if it is taken to its end: `clean` clears it, `hard` adds one,
 * `other` leaves it.
 */
export type Fate = "clean" | "hard" | "other";

export interface Request {
  readonly serial: number;
  readonly streamed: boolean;
  /** How many requests the target has seen in this mode. */
  readonly nth: number;
  readonly firstContentMs: number;
  readonly betweenMs: number;
  readonly longestAskedMs: number;
  readonly chance: Chance;
}

/** Each piece says whose it is, which one, and of how many: whoever reads an answer knows what is missing. */
export function healthy(request: Request): Treatment {
  const { serial, chance, firstContentMs, betweenMs } = request;
  const count = chance.whole(1, 6);
  const padding = chance.happens(0.06) ? "x".repeat(chance.whole(1_000, 20_000)) : "";
  const chunks = Array.from({ length: count }, (_, at) => `[${serial}.${at}/${count}] ${padding} `);
  const behaviour: Behaviour = {
    answer: { chunks, usage: { input: 100 + (serial % 50), output: 3 * count } },
    firstContentDelayMs: chance.between(0.3, 1.7) * firstContentMs,
    interChunkDelayMs: betweenMs,
  };
  return { kind: "answer", behaviour, fate: "clean" };
}

export function textBytesOf(treatment: Treatment): number {
  const chunks = treatment.kind === "answer" ? (treatment.behaviour.answer?.chunks ?? []) : [];
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

export function treat(mode: FaultMode, request: Request): Treatment {
  const { chance, nth } = request;
  const soon = { delayMs: chance.between(5, 200) };
  const { behaviour: whole } = healthy(request) as Extract<Treatment, { kind: "answer" }>;
  const count = whole.answer?.chunks?.length ?? 0;
  const some = chance.whole(0, count - 1);
  switch (mode) {
    case "rate-limited":
      return answer({ ...rateLimit(request), ...soon }, "other");
    case "overloaded":
      return answer({ errorKind: "overloaded", ...soon }, "other");
    case "failed":
      return answer({ errorKind: "server", ...soon }, "hard");
    case "flapping":
      return nth % 3 === 2
        ? answer({ errorKind: "rate-limit", headers: { "retry-after-ms": "150" }, ...soon }, "other")
        : answer({ errorKind: "server", ...soon }, "hard");
    case "refused":
      return {
        kind: "socket",
        code: chance.pick(["ECONNREFUSED", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT"]),
        afterMs: 3,
      };
    case "lost":
      return { kind: "socket", code: "ECONNRESET", afterMs: chance.between(5, 300) };
    case "cut": {
      // A clean end of an answer in one piece is an answer of the wrong shape, which is the endpoint's.
      const how = chance.pick(["fin", "rst", "clean-end"] as const);
      return answer({ ...whole, cut: { afterChunk: some, how } }, how === "clean-end" ? "other" : "hard");
    }
    case "silent": {
      const after = chance.pick(["request", "head", "lifecycle", { chunk: Math.max(1, some) }] as const);
      const pings = chance.happens(0.3) ? { pingEveryMs: 1_000 } : {};
      return answer({ ...whole, stall: { after, ...pings } }, "other");
    }
    case "in-band": {
      const after = chance.pick(["head", "lifecycle", { chunk: Math.max(1, some) }] as const);
      const kind = chance.pick(["overloaded", "server", "rate-limit"] as const);
      return answer({ ...whole, errorEvent: { after, kind } }, "other");
    }
    case "slow":
      return answer({ ...whole, firstContentDelayMs: chance.between(3_000, 12_000) }, "clean");
    case "page":
      return answer({ status: chance.pick([502, 504]), htmlPage: true, ...soon }, "other");
    case "empty":
      return answer({ answer: { text: "", usage: { input: 100, output: 0 } }, ...soon }, "other");
    case "broken":
      return answer({ ...whole, malformed: { afterChunk: some, kind: "broken-json" } }, "other");
    case "rejected":
      return answer({ errorKind: chance.pick(["authentication", "quota"] as const), ...soon }, "other");
  }
}

function answer(behaviour: Behaviour, fate: Fate): Treatment {
  return { kind: "answer", behaviour, fate };
}

function rateLimit({ chance, longestAskedMs }: Request): Behaviour {
  if (chance.happens(0.4)) return { errorKind: "rate-limit" };
  const ms = chance.whole(200, longestAskedMs);
  const headers = chance.happens(0.5)
    ? { "retry-after-ms": String(ms) }
    : { "retry-after": String(Math.ceil(ms / 1000)) };
  return { errorKind: "rate-limit", headers };
}
