import { z } from "zod";
import { compileAllowance } from "#control/config/allowance-schema";
import { keyFields, parseMoment } from "#control/config/key-schema";
import { suggestion } from "#control/config/nearest";
import { name } from "#control/config/schema-values";
import type { KeyFacts } from "#domain/gateway-key";
import { longestOverlapMs, usualOverlapMs } from "#domain/key-desk";
import type { Snapshot } from "#domain/snapshot";

/** The names that a key may refer to, and those it may not have. */
export type KnownNames = Pick<Snapshot, "routes" | "providers" | "teams" | "organisations" | "keys">;

const expiresRule = "expected a date such as 2027-03-31, a moment such as 2027-03-31T18:00:00Z, or a time such as 30d";
const overlapRule = "expected a time such as 24h, from 0s to 31d";
const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Ten years: nobody knows by then who had it. */
const longestLifeMs = 3_650 * 86_400_000;

/** `0s`, `90m`, `24h`, `30d`: whole milliseconds; undefined for anything else. */
function parseSpan(text: string): number | undefined {
  const [, amount, unit] = /^([0-9]{1,7})([smhd])$/u.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * (unitsMs[unit ?? ""] ?? Number.NaN);
}

/** What `POST /admin/api/keys` takes: the words of a key in the configuration, and its name. */
export const keyRequest = z.strictObject({
  name: name.meta({ description: "Its name in records and reports." }),
  ...keyFields,
  expires: z
    .string()
    .refine((text) => parseMoment(text) !== undefined || parseSpan(text) !== undefined, expiresRule)
    .meta({ description: "Its last day (UTC), the moment it ends, or how long it lives: `30d`." })
    .exactOptional(),
});
export type KeyRequest = z.output<typeof keyRequest>;

export const rotateRequest = z.strictObject({
  overlap: z
    .string()
    .refine((text) => (parseSpan(text) ?? Number.POSITIVE_INFINITY) <= longestOverlapMs, overlapRule)
    .meta({ description: "How long the secret it has is good beside the new one.", default: "24h" })
    .exactOptional(),
});

export function overlapOf({ overlap }: z.output<typeof rotateRequest>): number {
  return overlap === undefined ? usualOverlapMs : (parseSpan(overlap) ?? usualOverlapMs);
}

/** The key that is asked for, or in words why there cannot be one. Pure. */
export function factsOf(request: KeyRequest, known: KnownNames, nowMs: number): KeyFacts | string {
  const { routes, models, providers, endpoints, priority, team, role, expires } = request;
  const wrong = wrongName(request, known);
  if (wrong !== undefined) return wrong;
  const expiresAtMs = expires === undefined ? undefined : endOf(expires, nowMs);
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) return "expires: that is over";
  if (expiresAtMs !== undefined && expiresAtMs > nowMs + longestLifeMs) return "expires: at most ten years from now";
  const organisation = organisationOf(request, known);
  if (typeof organisation === "object") return organisation.wrong;
  const allowance = compileAllowance(request);
  return {
    name: request.name,
    ...(routes === undefined ? {} : { routes }),
    ...(models === undefined ? {} : { models }),
    ...(providers === undefined ? {} : { providers }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(organisation === undefined ? {} : { organisation }),
    ...(team === undefined ? {} : { team }),
    ...(allowance === undefined ? {} : { allowance }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(priority === undefined || priority === "normal" ? {} : { priority }),
    ...(role === undefined || role === "inference" ? {} : { role }),
  };
}

function endOf(text: string, nowMs: number): number | undefined {
  const spanMs = parseSpan(text);
  return spanMs === undefined ? parseMoment(text) : nowMs + spanMs;
}

function wrongName(request: KeyRequest, known: KnownNames): string | undefined {
  if (request.name === "anonymous") return 'name: "anonymous" is nobody\'s name';
  if (known.keys.some((key) => key.name === request.name)) {
    return `name: the configuration has a key ${JSON.stringify(request.name)}; give this one another`;
  }
  const { routes = [], providers = [], team, organisation } = request;
  return (
    look("routes", routes, [...known.routes.keys()]) ??
    look("providers", providers, [...known.providers.keys()]) ??
    look("team", team === undefined ? [] : [team], [...(known.teams?.keys() ?? [])]) ??
    look("organisation", organisation === undefined ? [] : [organisation], known.organisations ?? [])
  );
}

function look(field: string, asked: readonly string[], there: readonly string[]): string | undefined {
  const odd = asked.find((each) => !there.includes(each));
  if (odd === undefined) return undefined;
  return `${field}: there is no ${JSON.stringify(odd)}; ${suggestion(odd, there, field) ?? "none are configured"}`;
}

/** That of its team is not kept with a key: it is the team's, whatever becomes of it. */
function organisationOf(
  { team, organisation }: KeyRequest,
  { teams }: KnownNames,
): string | undefined | { readonly wrong: string } {
  const ofTeam = team === undefined ? undefined : teams?.get(team)?.organisation;
  if (ofTeam === undefined || organisation === undefined) return organisation;
  if (ofTeam === organisation) return undefined;
  return { wrong: `organisation: the team ${JSON.stringify(team)} belongs to ${JSON.stringify(ofTeam)}` };
}
