import type { CallTrack } from "./call-track.ts";
import { Broken } from "./invariant.ts";

interface Second {
  calls: number;
  retries: number;
}

/** Since the last answer of a route. */
interface Drought {
  readonly sinceMs: number;
  /** Retries that there may be savings for when it begins. */
  readonly saved: number;
  calls: number;
  retries: number;
}

interface Route {
  readonly seconds: Map<number, Second>;
  /** Calls of which it is not known how they end. */
  readonly open: Set<CallTrack>;
  /** When calls were served by another attempt than their first. */
  servedAtMs: readonly number[];
  drought: Drought;
}

const windowS = 10;
const ratio = 0.2;
const perSecond = 10;
const savedPerCall = 0.05;
const savedShare = 0.1;
const reserve = 2;
const refillMs = 20_000;
/** Two calls go on for each that was served, over two targets each, if need be after as long as calls may take. */
const giftPerServed = 4;
const longestCallMs = 60_000;

/** Counts further attempts beside the gateway's own budget: one for each route of each node. */
export class RetryWatch {
  readonly #routes = new Map<string, Route>();

  /** A node begins anew. */
  forget(node: number): void {
    for (const budget of this.#routes.keys()) if (budget.startsWith(`n${node} `)) this.#routes.delete(budget);
  }

  /** `chargedAtMs`: when the attempt was decided on; it may be sent later than that. */
  sent(budget: string, call: CallTrack, at: { readonly chargedAtMs: number; readonly nowMs: number }): void {
    const route = this.#routes.get(budget) ?? newRoute(at.nowMs);
    this.#routes.set(budget, route);
    for (const each of route.open) if (hasContent(each)) answered(route, each, at.nowMs);
    const now = Math.floor(at.chargedAtMs / 1000);
    const second = route.seconds.get(now) ?? { calls: 0, retries: 0 };
    route.seconds.set(now, second);
    const isRetry = call.upstreams.length > 1;
    for (const counted of [second, route.drought]) {
      if (isRetry) counted.retries += 1;
      else counted.calls += 1;
    }
    route.open.add(call);
    if (!isRetry) return;
    checkWindow(budget, sumOf(route, now, windowS));
    checkDrought(budget, route.drought, at.nowMs);
  }

  /** A call is over. */
  served(budget: string, call: CallTrack, nowMs: number): void {
    const route = this.#routes.get(budget);
    if (route === undefined) return;
    if (hasContent(call)) answered(route, call, nowMs);
    route.open.delete(call);
  }
}

function newRoute(nowMs: number): Route {
  const drought = { sinceMs: nowMs, saved: reserve, calls: 0, retries: 0 };
  return { seconds: new Map(), open: new Set(), servedAtMs: [], drought };
}

function sumOf({ seconds }: Route, now: number, most: number): Second {
  const sum = { calls: 0, retries: 0 };
  for (let at = now - most + 1; at <= now; at += 1) {
    sum.calls += seconds.get(at)?.calls ?? 0;
    sum.retries += seconds.get(at)?.retries ?? 0;
  }
  return sum;
}

function answered(route: Route, call: CallTrack, nowMs: number): void {
  route.open.delete(call);
  const isRecent = (atMs: number): boolean => atMs > nowMs - longestCallMs;
  const served = call.upstreams.length > 1 ? [nowMs] : [];
  route.servedAtMs = [...route.servedAtMs.filter(isRecent), ...served];
  // Savings shrink with the next call, not with time.
  const { calls } = sumOf(route, Math.floor(nowMs / 1000), 2 * windowS);
  const saved = Math.max(reserve, savedShare * calls) + giftPerServed * route.servedAtMs.length;
  route.drought = { sinceMs: nowMs, saved, calls: 0, retries: 0 };
}

function checkWindow(budget: string, { calls, retries }: Second): void {
  const most = ratio * calls + perSecond * windowS;
  if (retries <= most) return;
  throw new Broken("I10", `${budget}: ${retries} retries in ten seconds, for ${calls} calls; at most ${most}`);
}

function checkDrought(budget: string, { sinceMs, saved, calls, retries }: Drought, nowMs: number): void {
  const seconds = (nowMs - sinceMs) / 1000;
  const most = saved + savedPerCall * calls + Math.floor((nowMs - sinceMs) / refillMs);
  if (retries <= most) return;
  const what = `${retries} retries in ${seconds.toFixed(1)} s without an answer, for ${calls} calls`;
  throw new Broken("I10", `${budget}: ${what}; at most ${most.toFixed(1)}`);
}

function hasContent({ upstreams }: CallTrack): boolean {
  return upstreams.some(({ contentSent }) => contentSent);
}
