import type { Target } from "#domain/plan";
import type { AccountLimits, Snapshot } from "#domain/snapshot";
import { completionTokens, promptTokens } from "#domain/usage";
import type { StoredAttempt } from "#control/store/read-attempts";

const minuteMs = 60_000;

/** What a provider would have had to take in its busiest minute, beside what its account allows. */
export interface CapacityNeed {
  readonly provider: string;
  /** Calls that come to it from elsewhere. */
  readonly moved: number;
  readonly peakRequests: number;
  readonly peakTokens: number;
  /** ISO 8601, the busiest minute by requests. */
  readonly at: string;
  /** As configured; absent: unknown. */
  readonly limits?: AccountLimits;
  /** Minutes above a limit, and the requests in them that are beyond `rpm`. Absent: no limit is known. */
  readonly minutesOver?: number;
  readonly requestsOver?: number;
}

interface Load {
  requests: number;
  tokens: number;
}

/** Requests and tokens by provider and minute, in a world where calls were moved. */
export class MinuteLoads {
  readonly #byProvider = new Map<string, { moved: number; readonly minutes: Map<number, Load> }>();

  add({ provider }: Target, { atMs, usage }: StoredAttempt, how: "own" | "moved"): void {
    const known = this.#byProvider.get(provider) ?? { moved: 0, minutes: new Map<number, Load>() };
    this.#byProvider.set(provider, known);
    if (how === "moved") known.moved += 1;
    const minute = Math.floor(atMs / minuteMs);
    const load = known.minutes.get(minute) ?? { requests: 0, tokens: 0 };
    known.minutes.set(minute, load);
    load.requests += 1;
    load.tokens += usage === undefined ? 0 : promptTokens(usage) + completionTokens(usage);
  }

  get all(): ReadonlyMap<string, { readonly moved: number; readonly minutes: ReadonlyMap<number, Readonly<Load>> }> {
    return this.#byProvider;
  }
}

/** Of every provider that has to take calls from elsewhere. */
export function capacityNeeds(loads: MinuteLoads, { providers }: Pick<Snapshot, "providers">): readonly CapacityNeed[] {
  return [...loads.all].flatMap(([provider, { moved, minutes }]) => {
    if (moved === 0) return [];
    const limits = providers.get(provider)?.limits;
    const inOrder = [...minutes].toSorted(([a], [b]) => a - b);
    const [busiest] = inOrder.toSorted(([, a], [, b]) => b.requests - a.requests);
    return [
      {
        provider,
        moved,
        peakRequests: busiest?.[1].requests ?? 0,
        peakTokens: Math.max(0, ...inOrder.map(([, { tokens }]) => tokens)),
        at: new Date((busiest?.[0] ?? 0) * minuteMs).toISOString(),
        ...(limits === undefined ? {} : { limits, ...over(limits, [...minutes.values()]) }),
      },
    ];
  });
}

function over({ rpm, tpm }: AccountLimits, loads: readonly Readonly<Load>[]): Partial<CapacityNeed> {
  if (rpm === undefined && tpm === undefined) return {};
  const isOver = ({ requests, tokens }: Load) => requests > (rpm ?? Infinity) || tokens > (tpm ?? Infinity);
  const beyond = loads.reduce((sum, { requests }) => sum + Math.max(0, requests - (rpm ?? Infinity)), 0);
  return { minutesOver: loads.filter(isOver).length, requestsOver: beyond };
}
