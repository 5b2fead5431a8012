import type { Failure } from "#domain/failure";
import type { Exchange, SendUpstream, UpstreamFlow, UpstreamHandler, UpstreamRequest } from "#domain/ports";
import { LiveCalls, type CallControl } from "#pipeline/live-calls";
import type { Fingerprint } from "#policy/deadly-requests";
import { Health, type Place } from "#policy/health";
import { RetryBudget, RetryPermit } from "#policy/retry-budget";
import type { Visit } from "#policy/visit";
import type { PlantedBug } from "./gateway-node.ts";
import type { InvariantId } from "./invariant.ts";
import { piecesIn } from "./read-answer.ts";

interface Planted {
  /** As peers had it in production. */
  readonly title: string;
  readonly bug: PlantedBug;
  /** What finds it. */
  readonly found: readonly InvariantId[];
}

/** Real bugs of real gateways, put into ours from outside: a simulation that does not find them is worth nothing. */
export const plantedBugs: readonly Planted[] = [
  {
    title: "the slot of a call leaks when its client leaves",
    bug: { live: () => new LeakingCalls() },
    found: ["I7"],
  },
  {
    title: "a client that leaves does not abort the upstream",
    bug: { exchange: (exchange) => unheard(exchange) },
    found: ["I5"],
  },
  {
    title: "an answer that breaks off goes on with another provider's",
    bug: { send: (send) => continued(send) },
    // Seen in the text, or before that in the second request, which no record tells of.
    found: ["I3", "commit", "truth"],
  },
  {
    title: "the retry budget is checked before an attempt and charged after it",
    bug: { retryBudget: () => new LateBudget() },
    found: ["I10"],
  },
  {
    title: "a rate limit counts as a success",
    bug: { health: () => new ForgivingHealth() },
    found: ["I13"],
  },
  {
    title: "a probe that meets a rate limit keeps its slot",
    bug: { health: () => new LeakingHealth() },
    found: ["I7"],
  },
  {
    title: "nothing bounds retries",
    bug: { retryBudget: () => new NoBudget() },
    found: ["I10"],
  },
];

class LeakingCalls extends LiveCalls {
  override close(control: CallControl): void {
    if (control.ended === undefined) super.close(control);
  }
}

function unheard(exchange: Exchange): Exchange {
  return overriding(exchange, { onGone: () => {} });
}

/** An answer that breaks off is gone on with: another provider is asked the same, and its words follow. */
function continued(send: SendUpstream): SendUpstream {
  /** By path: who was asked there last, and how. */
  const asked = new Map<string, Pick<UpstreamRequest, "origin" | "headers">[]>();
  return (request, handler) => {
    const known = asked.get(request.path) ?? [];
    asked.set(request.path, [request, ...known.filter(({ origin }) => origin !== request.origin)]);
    let flow: UpstreamFlow | undefined;
    let heads = 0;
    let others = 0;
    let hasContent = false;
    const joined: UpstreamHandler = {
      onHead(status, headers) {
        heads += 1;
        if (heads === 1) handler.onHead(status, headers);
      },
      onBytes(bytes) {
        hasContent ||= piecesIn(Buffer.from(bytes).toString()).length > 0;
        handler.onBytes(bytes);
      },
      onEnd: () => handler.onEnd(),
      onFail(what) {
        const other = known.find(({ origin }) => origin !== request.origin);
        if (!hasContent || others++ > 0 || other === undefined) handler.onFail(what);
        else flow = send({ ...request, origin: other.origin, headers: other.headers }, joined);
      },
    };
    flow = send(request, joined);
    return { pause: () => flow?.pause(), resume: () => flow?.resume(), cancel: () => flow?.cancel() };
  };
}

/** The real budget, but for the moment at which a retry is written down: when it is over. */
class LateBudget extends RetryBudget {
  override open(nowMs: number): RetryPermit | undefined {
    const checked = super.open(nowMs);
    if (checked === undefined) return undefined;
    checked.settle(false);
    return new RetryPermit(2, {
      spend: () => true,
      settle: (worked, used) => {
        const charged = super.open(nowMs);
        for (let n = 0; n < used; n += 1) charged?.use(nowMs);
        charged?.settle(worked);
      },
    });
  }
}

class NoBudget extends RetryBudget {
  override open(): RetryPermit {
    return new RetryPermit(Infinity, { spend: () => true, settle: () => {} });
  }
}

function isRateLimit({ kind }: Failure): boolean {
  return kind === "rate_limited" || kind === "slow_down";
}

class ForgivingHealth extends Health {
  override begin(place: Place, nowMs: number, request?: Fingerprint): Visit {
    const visit = super.begin(place, nowMs, request);
    return overriding(visit, {
      failed: (what, nowMs, chance) => (isRateLimit(what) ? visit.succeeded(nowMs) : visit.failed(what, nowMs, chance)),
    });
  }
}

class LeakingHealth extends Health {
  override begin(place: Place, nowMs: number, request?: Fingerprint): Visit {
    const before = this.readiness(place, nowMs);
    const visit = super.begin(place, nowMs, request);
    const after = this.readiness(place, nowMs);
    if (before.kind !== "ready" || after.kind !== "parked" || after.by !== "probing") return visit;
    return overriding(visit, {
      // The wait is kept to; only the slot is forgotten.
      failed: (what, nowMs, chance) =>
        isRateLimit(what) ? this.failed(place, what, nowMs) : visit.failed(what, nowMs, chance),
    });
  }
}

/** The same thing but for some of its methods. */
function overriding<T extends object>(thing: T, methods: Partial<T>): T {
  return new Proxy(thing, {
    get(target, name) {
      const own: unknown = Reflect.get(methods, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
