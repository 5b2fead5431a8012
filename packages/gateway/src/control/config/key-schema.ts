import { z } from "zod";
import { keyEndpoints, keyPriorities, keyRoles } from "#domain/gateway-key";
import { budgetSection, limitsSection } from "./allowance-schema.ts";
import { about, flag, name, secretText } from "./schema-values.ts";

const listOf = (entry: z.ZodType<string>, description: string) =>
  z.array(entry).min(1).max(100).meta({ description }).exactOptional();

/** What a key is good for: the same words in the configuration and for keys that are issued at run time. */
const scopeFields = {
  routes: listOf(name.meta({ description: "A route's name." }), "Routes it may use; by default all."),
  models: listOf(
    z
      .string()
      .regex(/^[^\s*\p{Cc}]{0,200}\*?$/u, "a model's name, with a `*` at its end at most")
      .min(1)
      .meta({
        description: "`provider/model`, a canonical or a provider's own name; a trailing * stands for any ending.",
      }),
    "Models that may answer it; by default all.",
  ),
  providers: listOf(name.meta({ description: "A provider's name." }), "Providers that may answer it; by default all."),
  endpoints: z
    .array(z.enum(keyEndpoints).meta({ description: "An operation, or a thing the gateway answers by itself." }))
    .min(1)
    .meta({ description: "What it may ask for; by default everything." })
    .exactOptional(),
  priority: z
    .enum(keyPriorities)
    .meta(about("Whose calls go first where calls have to wait.", "normal"))
    .exactOptional(),
  role: z
    .enum(keyRoles)
    .meta(
      about("viewer: looks at the admin API and makes no calls; admin: calls, and all of the admin API.", "inference"),
    )
    .exactOptional(),
  limits: limitsSection,
  budget: budgetSection,
};

const tenantFields = {
  team: name.meta({ description: "The team it belongs to, and with it the team's organisation." }).exactOptional(),
  organisation: name
    .meta({ description: "The organisation it belongs to, where that is not told by its team." })
    .exactOptional(),
};

export const keyFields = { ...tenantFields, ...scopeFields };

const gatewayKey = z
  .strictObject({
    key: secretText("The key itself, at least 24 characters: ${NAME} or file:PATH.").exactOptional(),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/u, "expected 64 hex digits")
      .meta({ description: "The key's SHA-256 in hex, so that the file holds no secret." })
      .exactOptional(),
    ...keyFields,
    expires: z
      .string()
      .refine((text) => parseMoment(text) !== undefined, "expected a date, such as 2027-03-31 or 2027-03-31T18:00:00Z")
      .meta({ description: "Its last day (UTC), or the moment it ends." })
      .exactOptional(),
    admin: flag("The same as `role: admin`."),
  })
  .meta({ description: "A key that callers of the gateway present." });

export const keysSection = z
  .record(name, gatewayKey)
  .meta({ description: "Keys of the gateway; without any it is open, on loopback only." })
  .exactOptional();

export const organisationsSection = z
  .record(
    name,
    z
      .strictObject({ limits: limitsSection, budget: budgetSection })
      .meta({ description: "An organisation: for all calls with keys of it and of its teams together." }),
  )
  .meta({ description: "Who keys and teams belong to." })
  .exactOptional();

export const teamsSection = z
  .record(
    name,
    z
      .strictObject({
        organisation: name.meta({ description: "The organisation it is part of." }).exactOptional(),
        limits: limitsSection,
        budget: budgetSection,
      })
      .meta({ description: "A team: for all calls with its keys together." }),
  )
  .meta({ description: "Who keys belong to." })
  .exactOptional();

export const adminSection = z
  .strictObject({
    token: secretText("The token, at least 24 characters: ${NAME} or file:PATH.").exactOptional(),
  })
  .meta({ description: "A token of its own for `/admin/api`. It makes no calls." })
  .exactOptional();

const day = /^\d{4}-\d{2}-\d{2}$/u;
const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/u;

/** Milliseconds since 1970 of the first moment after a day, or of the moment itself; undefined for anything else. */
export function parseMoment(text: string): number | undefined {
  if (!day.test(text) && !moment.test(text)) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return undefined;
  if (!day.test(text)) return ms;
  // Where a month has no such day the date rolls over in silence.
  return new Date(ms).toISOString().startsWith(text) ? ms + 86_400_000 : undefined;
}
