import type { RouteTarget, Snapshot } from "#domain/snapshot";
import type { AdminReply } from "./admin-reply.ts";

/** What runs, by its names: addresses and secrets stay where they are. */
export function configurationReply(snapshot: Snapshot): AdminReply {
  const { version, routes, providers, aliases, organisations = [], teams = new Map(), keys, notices } = snapshot;
  return {
    status: 200,
    body: {
      version,
      routes: [...routes.values()].map(({ name, targets }) => ({ name, targets: targets.map(nameOf) })),
      providers: [...providers.values()].map(({ id, kind }) => ({ name: id, kind })),
      aliases: Object.fromEntries(aliases),
      organisations,
      teams: [...teams].map(([name, { organisation }]) =>
        organisation === undefined ? { name } : { name, organisation },
      ),
      keys: keys.map(({ name, role = "inference" }) => ({ name, role })),
      notices,
    },
  };
}

function nameOf({ provider, model }: RouteTarget): string {
  return `${provider}/${model}`;
}
