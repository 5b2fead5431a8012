import type { DialectId } from "#domain/call";
import { plainChatQuirks } from "#domain/quirks";
import { defaultLimits, type HedgeRule, type ProviderSpec, type Route, type Snapshot } from "#domain/snapshot";
import { sampleProvider, sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";
import { Secret } from "#domain/secret";
import { Chance } from "./chance.ts";
import { faultModes, type FaultMode } from "./fault-modes.ts";

/** What goes wrong, where, and from when to when. */
export interface Episode {
  readonly provider: string;
  /** Absent: all of them. */
  readonly model?: string;
  readonly mode: FaultMode;
  /** How many of the requests meet it. */
  readonly share: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface JournalEpisode {
  readonly node: number;
  /** `slow` still makes records durable. */
  readonly how: "fails" | "slow";
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Calls of one route beyond the usual traffic, at one node. */
export interface Storm {
  readonly node: number;
  readonly route: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly perSecond: number;
}

export interface Reload {
  readonly atMs: number;
  /** Which of the snapshots is served from then on. */
  readonly snapshot: number;
  /** Providers changed too, so that what was known of them is forgotten. */
  readonly afresh: boolean;
}

/** A node is told to stop, ends what is left after a while, and comes back knowing nothing. */
export interface Restart {
  readonly node: number;
  readonly atMs: number;
  readonly drainMs: number;
}

/** All that a seed decides before anything happens. */
export interface WorldPlan {
  readonly seed: number;
  readonly nodes: number;
  readonly snapshots: readonly Snapshot[];
  readonly reloads: readonly Reload[];
  readonly episodes: readonly Episode[];
  readonly journals: readonly JournalEpisode[];
  readonly storms: readonly Storm[];
  readonly restarts: readonly Restart[];
  /** Nodes tell each other what they find out; undefined: nobody tells. How many of the messages are lost. */
  readonly hintsLost: number | undefined;
  readonly perSecond: number;
  /** When every fault is over. */
  readonly healMs: number;
  /** Shares of the calls: clients that go away, that read slowly, and slow ones that stop reading. */
  readonly clients: { readonly leave: number; readonly slow: number; readonly stall: number };
  readonly latency: { readonly firstContentMs: number; readonly betweenMs: number };
}

export const clientDialects = ["openai-chat", "anthropic-messages", "openai-responses"] as const;
export type ClientDialect = (typeof clientDialects)[number];

const kinds: Readonly<Record<ClientDialect, string>> = {
  "openai-chat": "openai-compatible",
  "anthropic-messages": "anthropic-compatible",
  "openai-responses": "openai-compatible",
};

/** Long enough for every wait the gateway can be in once the faults are over. */
export const longestAskedMs = 20_000;

export function planWorld(seed: number): WorldPlan {
  const chance = new Chance(seed);
  const providers = providersOf(chance.fork("providers"));
  const routes = routesOf(providers, chance.fork("routes"));
  const nodes = chance.whole(1, 3);
  const healMs = 1000 * chance.whole(30, 50);
  const limits = { ...defaultLimits, stalledClientMs: 8_000, heartbeatMs: 4_000 };
  const versions = chance.whole(1, 3);
  const snapshots = Array.from({ length: versions }, (_, at) =>
    sampleSnapshot(providers, at === 0 ? routes : routes.map((route) => reordered(route, chance)), {
      version: `${seed.toString(16).padStart(11, "0").slice(-11)}${at}`,
      limits,
    }),
  );
  const episodes = episodesOf(providers, healMs, chance.fork("episodes"));
  const stormy = chance.fork("storms");
  const storms = stormy.happens(0.3) ? [stormOf({ nodes, routes, healMs }, stormy)] : [];
  return {
    seed,
    nodes,
    snapshots,
    reloads: Array.from({ length: versions - 1 }, (_, at) => ({
      atMs: chance.between(5_000, healMs - 5_000),
      snapshot: at + 1,
      afresh: chance.happens(0.2),
    })).toSorted((a, b) => a.atMs - b.atMs),
    episodes: [...storms.flatMap((storm) => brownout(storm, routes, stormy)), ...episodes],
    journals: journalsOf(nodes, healMs, chance.fork("journals")),
    storms,
    restarts: restartsOf(nodes, healMs, chance.fork("restarts")),
    hintsLost: chance.fork("hints").pick([undefined, 0, 0.3]),
    perSecond: chance.between(2, 8),
    healMs,
    clients: {
      leave: chance.pick([0.02, 0.1, 0.3]),
      slow: chance.pick([0, 0.05, 0.2]),
      stall: chance.pick([0, 0.1, 0.3]),
    },
    latency: { firstContentMs: chance.between(100, 1_500), betweenMs: chance.between(5, 80) },
  };
}

function providersOf(chance: Chance): readonly ProviderSpec[] {
  const count = chance.whole(2, 5);
  return Array.from({ length: count }, (_, at): ProviderSpec => {
    const id = `p${at}`;
    const dialect = chance.pick(clientDialects);
    const dialects: readonly DialectId[] = [dialect];
    const keys = chance.whole(1, 2);
    return {
      ...sampleProvider(id, { dialect }),
      kind: kinds[dialect],
      dialects,
      origin: `http://${id}.sim`,
      operator: `operator-${chance.pick(["a", "b", "c"])}`,
      quirks: plainChatQuirks,
      credentials: Array.from({ length: keys }, (_, key) => ({
        id: `${id}#${key + 1}`,
        secret: new Secret(`sk-of-${id}-${key + 1}`),
      })),
    };
  });
}

function routesOf(providers: readonly ProviderSpec[], chance: Chance): readonly Route[] {
  const targets = providers.flatMap(({ id }) => [`${id}/m0`, `${id}/m1`]);
  return Array.from({ length: chance.whole(1, 3) }, (_, at) => {
    const some = chance.shuffled(targets).slice(0, at === 0 ? chance.whole(2, 5) : chance.whole(1, 4));
    return sampleRoute(`r${at}`, some, {
      maxAttempts: chance.whole(2, 4),
      ...(chance.happens(0.2) ? { spread: "operator" as const } : {}),
      ...(chance.happens(0.3) ? { hedge: hedgeOf(chance) } : {}),
      timeouts: {
        connectMs: 2_000,
        firstByteMs: chance.pick([5_000, 10_000]),
        firstTokenMs: chance.pick([5_000, 10_000]),
        idleMs: chance.pick([4_000, 8_000]),
        contentIdleMs: chance.pick([5_000, 10_000]),
        totalMs: chance.pick([15_000, 30_000, 60_000]),
      },
    });
  });
}

function hedgeOf(chance: Chance): HedgeRule {
  const usual = chance.happens(0.3) ? {} : { afterMs: chance.between(300, 3_000) };
  return { ...usual, share: chance.pick([0.1, 0.5, 1]), sideEffects: true };
}

function reordered(route: Route, chance: Chance): Route {
  return { ...route, targets: chance.shuffled(route.targets), maxAttempts: chance.whole(2, 4) };
}

function episodesOf(providers: readonly ProviderSpec[], healMs: number, chance: Chance): readonly Episode[] {
  const found: Episode[] = [];
  const span = (shortest: number, longest: number): Pick<Episode, "fromMs" | "untilMs"> => {
    const fromMs = chance.between(0, healMs - 2_000);
    return { fromMs, untilMs: Math.min(healMs, fromMs + chance.between(shortest, longest)) };
  };
  // Everything that one operator runs, in the same way and at the same time.
  if (chance.happens(0.4)) {
    const operator = chance.pick(providers).operator;
    const mode = chance.pick(["failed", "refused", "silent", "overloaded"] as const);
    const when = span(8_000, 40_000);
    for (const each of providers) {
      if (each.operator === operator) found.push({ provider: each.id, mode, share: 1, ...when });
    }
  }
  // Everybody.
  if (chance.happens(0.15)) {
    const when = span(6_000, 20_000);
    for (const { id } of providers) {
      found.push({ provider: id, mode: chance.pick(["failed", "refused", "lost", "cut"] as const), share: 1, ...when });
    }
  }
  // What finds most: a provider that wavers for long, and answers that break off everywhere now and then.
  if (chance.happens(0.45))
    found.push({ provider: chance.pick(providers).id, mode: "flapping", share: 1, ...span(15_000, 30_000) });
  if (chance.happens(0.3)) {
    const when = span(10_000, 25_000);
    for (const { id } of providers) found.push({ provider: id, mode: "cut", share: 0.3, ...when });
  }
  for (const { id } of providers) {
    if (chance.happens(0.25)) continue;
    for (let count = chance.whole(1, 4); count > 0; count -= 1) {
      found.push({
        provider: id,
        ...(chance.happens(0.5) ? { model: chance.pick(["m0", "m1"]) } : {}),
        mode: chance.pick(faultModes),
        share: chance.pick([1, 1, 0.7, 0.4]),
        ...span(3_000, 30_000),
      });
    }
  }
  return found;
}

function stormOf(
  { nodes, routes, healMs }: { readonly nodes: number; readonly routes: readonly Route[]; readonly healMs: number },
  chance: Chance,
): Storm {
  const fromMs = chance.between(0, healMs - 16_000);
  return {
    node: chance.whole(0, nodes - 1),
    route: chance.pick(routes).name,
    fromMs,
    untilMs: fromMs + 13_000,
    perSecond: chance.between(45, 60),
  };
}

/** What makes a storm cost: every target of its route fails in a way that opens no breaker. */
function brownout(storm: Storm, routes: readonly Route[], chance: Chance): readonly Episode[] {
  const targets = routes.find(({ name }) => name === storm.route)?.targets ?? [];
  return targets.map(({ provider, model }) => ({
    provider,
    model,
    mode: "empty" as const,
    share: chance.pick([0.9, 1]),
    fromMs: storm.fromMs,
    untilMs: storm.untilMs,
  }));
}

function journalsOf(nodes: number, healMs: number, chance: Chance): readonly JournalEpisode[] {
  if (chance.happens(0.6)) return [];
  const fromMs = chance.between(0, healMs - 6_000);
  const how = chance.pick(["fails", "slow"] as const);
  return [{ node: chance.whole(0, nodes - 1), how, fromMs, untilMs: fromMs + chance.between(500, 5_000) }];
}

function restartsOf(nodes: number, healMs: number, chance: Chance): readonly Restart[] {
  if (chance.happens(0.7)) return [];
  const drainMs = chance.between(200, 6_000);
  return [{ node: chance.whole(0, nodes - 1), atMs: chance.between(2_000, healMs - 10_000), drainMs }];
}
