import type { Route } from "#domain/snapshot";
import type { History } from "./history.ts";
import type { Choice, ModelWorld } from "./model-world.ts";

/** A way to choose among a model's endpoints. */
export interface Policy {
  readonly name: string;
  readonly about: string;
  /** Whom it would put into the route and in which order; undefined: it has nothing to offer for this model. */
  choose(world: ModelWorld, history: History): readonly Choice[] | undefined;
  /** How the route is written; absent: it sees the future and asks nobody. */
  readonly route?: Partial<Route>;
  /** Knows what was measured on the days before. */
  readonly informed: boolean;
}

export const policies: readonly Policy[] = [
  {
    name: "ordered list",
    about: "as the data list them; what is parked is passed over",
    choose: ({ choices }) => choices,
    route: { spread: "none" },
    informed: false,
  },
  {
    name: "best by history",
    about: "by mean success on the days before",
    choose: byHistory,
    route: { spread: "none" },
    informed: false,
  },
  {
    name: "same-operator backup",
    about: "the best by history, and the best of the same operating parent",
    choose: (world, history) => {
      const [first, ...others] = byHistory(world, history);
      const siblings = others.filter(({ parent }) => parent === first?.parent);
      return first === undefined || siblings.length === 0 ? undefined : [first, ...siblings];
    },
    route: { spread: "none" },
    informed: false,
  },
  {
    name: "spread by operator",
    about: "by history; after a fault, another operator (the default of a route)",
    choose: byHistory,
    route: {},
    informed: true,
  },
  {
    name: "spread, by success",
    about: "whoever is likeliest to answer now, given what failed (`order: success`)",
    choose: byHistory,
    route: { order: "success" },
    informed: true,
  },
  {
    name: "oracle",
    about: "the two that are best at that moment",
    choose: ({ choices }) => choices,
    informed: true,
  },
];

/** The policy that is held to its goals. */
export const ours = "spread, by success";

function byHistory({ choices }: ModelWorld, { failing }: History): readonly Choice[] {
  return choices.toSorted((a, b) => (failing.get(a.target.id) ?? 1) - (failing.get(b.target.id) ?? 1));
}
