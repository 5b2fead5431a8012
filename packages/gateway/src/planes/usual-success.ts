import { countsByDay } from "#control/store/service-buckets";
import type { Store } from "#control/store/sqlite";
import type { UsualSuccess } from "#domain/health";
import type { RouteTarget, Snapshot } from "#domain/snapshot";
import { fadedTally } from "#policy/recent-success";
import type { Log } from "./log.ts";

interface Looking {
  readonly store: Store;
  readonly log: Pick<Log, "warn">;
  readonly wallMs: () => number;
}

type Usual = (routes: Snapshot["routes"]) => readonly UsualSuccess[];

/** Two half-lives of what is usual: what was before counts little. */
const windowMs = 14 * 86_400_000;
/** Workers that start together look once. */
const keptMs = 60_000;

/** How calls to the routes' targets usually ended, by the records; nothing where the store cannot tell. */
export function usualSuccess(looking: Looking): Usual {
  let last: { readonly routes: unknown; readonly atMs: number; readonly found: readonly UsualSuccess[] } | undefined;
  return (routes) => {
    const atMs = looking.wallMs();
    if (last?.routes !== routes || Math.abs(atMs - last.atMs) > keptMs) {
      last = { routes, atMs, found: look(routes, atMs, looking) };
    }
    return last.found;
  };
}

function look(routes: Snapshot["routes"], nowMs: number, { store, log }: Looking): readonly UsualSuccess[] {
  const all = [...routes.values()].flatMap((route) => route.targets);
  const targets = new Map(all.map((target) => [`${target.provider}/${target.model}`, target]));
  try {
    return [...targets.values()].map((target) => usualOf(target, nowMs, store)).filter(({ calls }) => calls > 0);
  } catch (error) {
    log.warn("a worker starts without what records say of its targets", { why: (error as Error).message });
    return [];
  }
}

function usualOf({ provider, model }: RouteTarget, nowMs: number, store: Store): UsualSuccess {
  let [calls, failures] = [0, 0];
  for (const day of countsByDay(store, { provider, model }, { fromMs: nowMs - windowMs, untilMs: nowMs })) {
    const tally = { calls: day.answered + day.failed, failures: day.failed };
    const faded = fadedTally(tally, nowMs - day.untilMs);
    calls += faded.calls;
    failures += faded.failures;
  }
  return { provider, model, calls, failures };
}
