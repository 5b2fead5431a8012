import type { PlannedTarget } from "#domain/plan";

/** Whose choice is made: the same seed draws the same, whichever worker draws. Absent: nobody's, the order stays. */
export type Seed = string | undefined;

/**
 * Neighbours that have weights are equals: which of them comes first is drawn by weight, and so is who follows. Each
 * draws a time from an exponential clock of its own rate, so that the order of the others stays when one is left out.
 */
export function drawOrder(
  planned: readonly PlannedTarget[],
  seed: Seed,
  favourite?: () => string | undefined,
): readonly PlannedTarget[] {
  if (!planned.some(({ target }) => target.weight !== undefined)) return planned;
  const order: PlannedTarget[] = [];
  for (let at = 0; at < planned.length;) {
    const end = endOfRun(planned, at);
    const run = planned.slice(at, end);
    order.push(...(run.length < 2 ? run : drawn(run, seed, favourite)));
    at = end;
  }
  return order;
}

/** One that stands alone is a run of its own. */
function endOfRun(planned: readonly PlannedTarget[], from: number): number {
  const first = planned[from]?.target;
  if (first?.weight === undefined) return from + 1;
  const others = planned.findIndex((each, at) => at > from && !isEqual(each, first.lastResort));
  return others === -1 ? planned.length : others;
}

function isEqual({ target }: PlannedTarget, lastResort: boolean): boolean {
  return target.weight !== undefined && target.lastResort === lastResort;
}

function drawn(run: readonly PlannedTarget[], seed: Seed, favourite?: () => string | undefined): PlannedTarget[] {
  const total = run.reduce((sum, { target }) => sum + (target.weight ?? 0), 0);
  const share = (weight: number): string => `${Math.round((weight / total) * 1000) / 10} % of the calls by weight`;
  if (seed === undefined) {
    return run.map(({ target }) => ({ target, why: `gets ${share(target.weight ?? 0)}` }));
  }
  const warm = favourite?.();
  const timed = run.map(({ target }) => ({ target, time: -Math.log(uniform(seed, target.id)) / (target.weight ?? 1) }));
  timed.sort((a, b) => Number(b.target.id === warm) - Number(a.target.id === warm) || a.time - b.time);
  return timed.map(({ target }, at) => {
    if (target.id === warm)
      return { target, why: "answered a prompt that begins the same last: its cache may be warm" };
    const place = at === 0 ? "drawn" : "drawn later";
    return { target, why: `${place}, gets ${share(target.weight ?? 0)}` };
  });
}

/** Above 0 and below 1, the same for the same words: FNV-1a, stirred as MurmurHash3 stirs its last word. */
function uniform(seed: string, name: string): number {
  let hash = 0x811c9dc5;
  for (const text of [seed, "\0", name]) {
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}
