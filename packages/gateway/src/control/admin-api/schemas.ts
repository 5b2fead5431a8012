import { z } from "zod";
import { keyEndpoints, keyPriorities, keyRoles } from "#domain/gateway-key";
import { budgetPeriods } from "#domain/account";

/** The shape of a body, as the admin API checks and describes it. */
export type Schema = z.ZodType;

export type ReadBody<Value> =
  | { readonly kind: "read"; readonly value: Value }
  /** In words for whoever sent it. */
  | { readonly kind: "wrong"; readonly message: string };

/** A value as a schema has it. */
export function readAs<Of extends Schema>(schema: Of, value: unknown): ReadBody<z.output<Of>> {
  const read = schema.safeParse(value);
  if (read.success) return { kind: "read", value: read.data };
  const [issue] = read.error.issues;
  return { kind: "wrong", message: issue === undefined ? "not such a body" : wordsOf(issue) };
}

function wordsOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") return `there is no field ${JSON.stringify(issue.keys[0]?.slice(0, 64))}`;
  const inner = issue.code === "invalid_union" ? issue.errors.flat().find((each) => each.message !== "") : undefined;
  const message = (inner ?? issue).message;
  return path === "" ? message : `${path}: ${message.slice(0, 1).toLowerCase()}${message.slice(1)}`;
}

const time = z.iso.datetime().meta({ description: "RFC 3339, UTC." });
const names = z.array(z.string());

export const wrongBody = z
  .strictObject({ error: z.string() })
  .meta({ id: "error", description: "What is wrong, in words." });

const limitBody = z.strictObject({
  name: z.string(),
  remaining: z.number(),
  limit: z.number().exactOptional(),
  reset: time,
});

export const healthBody = z
  .strictObject({
    at: time,
    version: z.string().meta({ description: "Of the configuration." }),
    workers: z.int().meta({ description: "How many of them were heard." }),
    scopes: z.array(
      z.looseObject({
        name: z.string(),
        kind: z.string(),
        state: z.string(),
        words: z.string(),
        cause: z.string().exactOptional(),
        since: time.exactOptional(),
        until: time.exactOptional(),
        openings: z.int(),
        in_flight: z.int().exactOptional(),
        limit: z.number().exactOptional(),
        first_content_ms: z.number().exactOptional(),
        headroom: z.array(limitBody).exactOptional(),
      }),
    ),
  })
  .meta({ id: "health" });

const reviewBrief = z
  .looseObject({
    id: z.string(),
    object: z.literal("hedgerow.review"),
    status: z.enum(["open", "claimed", "decided"]),
    request_id: z.string(),
    caller: z.string(),
    route: z.string(),
    created_at: time,
    deadline_at: time,
    claimed_by: z.string().exactOptional(),
    claimed_until: time.exactOptional(),
    decision: z.looseObject({ kind: z.string(), reviewer: z.string(), at: time }).exactOptional(),
  })
  .meta({ id: "review_brief", description: "An answer that waits for a person, without anybody's words." });

export const reviewList = z.strictObject({ object: z.literal("list"), data: z.array(reviewBrief) });

export const reviewBody = z
  .looseObject({
    ...reviewBrief.shape,
    dialect: z.string(),
    on_timeout: z.string(),
    request: z.unknown(),
    candidates: z.array(z.looseObject({ target: z.string(), score: z.number().nullable() })),
  })
  .meta({ id: "review" });

const by = z.string().meta({ description: "Who does it; by default the key's name." }).exactOptional();

export const claimRequest = z.strictObject({
  by,
  lease_ms: z.number().meta({ description: "How long nobody else may decide." }).exactOptional(),
});

export const verdictRequest = z
  .strictObject({
    by,
    reason: z.string().exactOptional(),
    accept: z.string().meta({ description: "The target whose answer is right." }).exactOptional(),
    edit: z.string().meta({ description: "The text of an answer made better, of `target`." }).exactOptional(),
    target: z.string().exactOptional(),
    write: z.string().meta({ description: "Another text." }).exactOptional(),
    reject: z.literal(true).meta({ description: "There is no answer." }).exactOptional(),
  })
  .meta({ description: "Exactly one of accept, edit, write and reject." });

const issued = {
  object: z.literal("hedgerow.key"),
  id: z.string(),
  name: z.string(),
  status: z.enum(["active", "expired", "revoked"]),
  created_at: time,
  expires_at: time.exactOptional(),
  revoked_at: time.exactOptional(),
  team: z.string().exactOptional(),
  organisation: z.string().exactOptional(),
  routes: names.exactOptional(),
  models: names.exactOptional(),
  providers: names.exactOptional(),
  endpoints: z.array(z.enum(keyEndpoints)).exactOptional(),
  limits: z
    .strictObject({
      rpm: z.int().exactOptional(),
      tpm: z.int().exactOptional(),
      concurrency: z.int().exactOptional(),
    })
    .exactOptional(),
  budgets: z
    .array(
      z.strictObject({
        limit_usd: z.number(),
        period: z.enum(budgetPeriods),
        soft: z.boolean(),
        alert_at: z.array(z.number()),
      }),
    )
    .exactOptional(),
  priority: z.enum(keyPriorities),
  role: z.enum(keyRoles),
  secrets: z.array(
    z.strictObject({
      hint: z.string().meta({ description: "How its text begins." }),
      created_at: time,
      until: time.meta({ description: "Of one that was replaced: when it ends." }).exactOptional(),
    }),
  ),
};

export const keyBody = z.strictObject(issued).meta({ id: "key", description: "An issued key, without its secret." });

export const issuedKeyBody = z
  .strictObject({ ...issued, key: z.string().meta({ description: "The key itself. It is told this once." }) })
  .meta({ id: "issued_key" });

export const keyList = z.strictObject({
  object: z.literal("list"),
  data: z.array(keyBody),
  has_more: z.boolean().meta({ description: "Ask again with `after` the last one's id." }),
});

export const configurationBody = z
  .strictObject({
    version: z.string(),
    routes: z.array(z.strictObject({ name: z.string(), targets: names })),
    providers: z.array(z.strictObject({ name: z.string(), kind: z.string() })),
    aliases: z.record(z.string(), z.string()),
    organisations: names,
    teams: z.array(z.strictObject({ name: z.string(), organisation: z.string().exactOptional() })),
    keys: z.array(z.strictObject({ name: z.string(), role: z.enum(keyRoles) })),
    notices: names,
  })
  .meta({ id: "configuration", description: "What runs: names, and no secret." });

export const openApiBody = z.looseObject({ openapi: z.string() });
