import { plainChatQuirks } from "#domain/quirks";
import { defaultLimits, type ProviderSpec, type Route, type Snapshot } from "#domain/snapshot";
import type { Target } from "#domain/plan";
import type { RiskGroup, SupplyData } from "#domain/supply";
import { SupplyGraph } from "#supply/graph";
import { targetGroups } from "#supply/target-groups";
import type { Endpoint, Window } from "./read-outages.ts";
import { parentOf, supplierOf } from "./supplier-of.ts";

/** An endpoint as the planner sees it. */
export interface Choice {
  readonly target: Target;
  readonly column: number;
  /** The company behind whoever runs it. */
  readonly parent: string;
}

/** One model with everybody who serves it, as a configuration would have it. */
export interface ModelWorld {
  readonly model: string;
  /** In the order of the data. */
  readonly choices: readonly Choice[];
  readonly snapshot: Snapshot;
  readonly groupsOf: (target: Target) => readonly RiskGroup[];
}

/** The name by which callers ask for the model. */
export const askedRoute = "asked";

/** Two tries for each call: one backup. */
export function snapshotFor(world: ModelWorld, choices: readonly Choice[], more: Partial<Route>): Snapshot {
  const route: Route = {
    name: askedRoute,
    targets: choices.map(({ target: { provider, model } }) => ({ provider, model, lastResort: false })),
    timeouts: {},
    maxAttempts: 2,
    retryEmpty: false,
    ...more,
  };
  return { ...world.snapshot, routes: new Map([[askedRoute, route]]) };
}

export interface Worlds {
  readonly supply: SupplyData;
  /** Chosen on these: who was not seen in a tenth of them at least, nobody would have configured. */
  readonly training: readonly Window[];
}

const leastSeen = 0.1;

/** A world for each model that two operating parents at least serve. */
export function modelWorlds(endpoints: readonly Endpoint[], { supply, training }: Worlds): readonly ModelWorld[] {
  const onDate = new Date(training.at(-1)?.endMs ?? 0).toISOString().slice(0, 10);
  const graph = new SupplyGraph(supply, onDate);
  const seen = endpoints.filter(({ column }) => {
    const windows = training.filter(({ success }) => !Number.isNaN(success[column]));
    return windows.length > 0 && windows.length >= training.length * leastSeen;
  });
  const worlds: ModelWorld[] = [];
  for (const [model, offers] of Map.groupBy(seen, (endpoint) => endpoint.model)) {
    const providers = new Map(offers.map((endpoint) => [providerId(endpoint), specOf(graph, endpoint)]));
    const snapshot = bareSnapshot(providers, supply);
    const groupsOf = targetGroups(snapshot, onDate);
    const choices = offers.map((endpoint): Choice => {
      const provider = providerId(endpoint);
      const target = { id: `${provider}/${model}`, provider, model, lastResort: false };
      const operator = groupsOf(target).find(({ kind }) => kind === "operator");
      const { kind } = supplierOf(graph, endpoint);
      return { target, column: endpoint.column, parent: parentOf(graph, operator?.name ?? kind) };
    });
    if (new Set(choices.map(({ parent }) => parent)).size > 1) worlds.push({ model, choices, snapshot, groupsOf });
  }
  return worlds;
}

/** One account for each endpoint, for so the data measured them; names of providers have no slash. */
function providerId({ column, tag }: Endpoint): string {
  return `${tag.replaceAll("/", ":")}#${column}`;
}

function specOf(graph: SupplyGraph, endpoint: Endpoint): ProviderSpec {
  const { kind, operator } = supplierOf(graph, endpoint);
  return {
    id: providerId(endpoint),
    kind,
    dialect: "openai-chat",
    // Nothing is sent: the address only must not be one that the graph knows.
    origin: "http://127.0.0.1",
    basePath: "",
    credentials: [],
    headers: [],
    timeouts: {},
    quirks: plainChatQuirks,
    models: new Map(),
    ...(operator === undefined ? {} : { operator }),
  };
}

function bareSnapshot(providers: Snapshot["providers"], supply: SupplyData): Snapshot {
  const nothing = { routes: new Map(), aliases: new Map(), keys: [], notices: [] };
  return { version: supply.version, limits: defaultLimits, providers, supply, ...nothing };
}
