import { z } from "zod";
import type { DialectId } from "#domain/call";
import { defaultLimits, defaultTimeouts } from "#domain/snapshot";
import { budgetSection, limitsSection } from "./allowance-schema.ts";
import { confidenceSection } from "./confidence-schema.ts";
import { adminSection, keysSection, organisationsSection, teamsSection } from "./key-schema.ts";
import { alertsSection } from "./alerts-schema.ts";
import { auditSection } from "./audit-schema.ts";
import { payloadsSection } from "./payloads-schema.ts";
import { retentionSection } from "./retention-schema.ts";
import { sharedSection, storeSection } from "./shared-schema.ts";
import { supplySection } from "./supply-schema.ts";
import { hedgeSection, recordsSection, slaSection } from "./survival-schema.ts";
import { telemetrySection } from "./telemetry-schema.ts";
import {
  about,
  count,
  duration,
  durationText,
  flag,
  mebibytes,
  money,
  name,
  seconds,
  secretText,
  size,
  text,
  word,
} from "./schema-values.ts";
import { durationPattern, moneyPattern, sizePattern } from "./units.ts";

const modelNamePattern = /^[^\s\p{Cc}]{1,200}$/u;

/** Each is a process with a heap of its own; more than cores gain nothing. */
export const maxWorkers = 64;

const modelName = z.string().regex(modelNamePattern, "a model's name has 1 to 200 characters and no spaces");

const attemptTimeouts = {
  connect: duration("Until the connection stands, TLS included.", seconds(defaultTimeouts.connectMs)),
  firstByte: duration("Until the first byte of an answer.", seconds(defaultTimeouts.firstByteMs)),
  firstToken: duration("Until the first content of an answer.", seconds(defaultTimeouts.firstTokenMs)),
  idle: duration("Between two bytes of any kind, pings included.", seconds(defaultTimeouts.idleMs)),
  contentIdle: duration("Between two pieces of content; pings do not count.", seconds(defaultTimeouts.contentIdleMs)),
};

const providerTimeouts = z
  .strictObject(attemptTimeouts)
  .meta({ description: "Deadlines of attempts at this provider; a route's come before them." })
  .exactOptional();

const routeTimeouts = z
  .strictObject({
    ...attemptTimeouts,
    total: duration("For the whole call, over all attempts.", seconds(defaultTimeouts.totalMs)),
  })
  .meta({ description: "Deadlines for calls of this route." })
  .exactOptional();

const limits = z
  .strictObject({
    maxBody: size("Largest request body.", mebibytes(defaultLimits.maxBodyBytes)),
    maxDepth: count("Deepest nesting of JSON in a request.", { min: 8, max: 1000, byDefault: defaultLimits.maxDepth }),
    maxHeader: size("Largest header section of a request.", mebibytes(defaultLimits.maxHeaderBytes)),
    maxEvent: size("Largest single event of an upstream's stream.", mebibytes(defaultLimits.maxEventBytes)),
    maxAnswer: size("Largest answer that is not streamed.", mebibytes(defaultLimits.maxAnswerBytes)),
    maxHeld: size("Most bytes held back before the commit point.", mebibytes(defaultLimits.maxHeldBytes)),
    maxConcurrentCalls: count("Most calls a worker serves at once; more are told to come back.", {
      min: 1,
      max: 100_000,
      byDefault: defaultLimits.maxConcurrentCalls,
    }),
    maxLag: duration(
      "How late a worker may be with what it does, on average; beyond it calls are told to come back.",
      seconds(defaultLimits.maxLagMs),
    ),
    maxMemory: size("Most memory of a worker, resident; beyond it calls are told to come back.", "no bound"),
    headersTimeout: duration("Until a client has sent its headers.", seconds(defaultLimits.headersTimeoutMs)),
    uploadIdle: duration("Between two pieces of a request's body.", seconds(defaultLimits.uploadIdleMs)),
    heartbeat: duration("Between two signs of life to a waiting client.", seconds(defaultLimits.heartbeatMs)),
    stalledClient: duration(
      "A client that takes no byte for so long is let go.",
      seconds(defaultLimits.stalledClientMs),
    ),
    drain: duration("For calls in flight when the gateway stops.", seconds(defaultLimits.drainMs)),
  })
  .meta({ description: "Bounds of the data plane." })
  .exactOptional();

const server = z
  .strictObject({
    host: z.string().min(1).max(255).meta(about("Address to listen on.", "127.0.0.1")).exactOptional(),
    port: count("Port to listen on; 0 takes a free one.", { min: 0, max: 65_535, byDefault: 4000 }),
    workers: z
      .union([z.literal("auto"), z.int().min(1).max(maxWorkers)])
      .meta(about("Worker processes; auto: one for each core.", "auto"))
      .exactOptional(),
    data: z.string().min(1).meta(about("Folder for the journal and the store.", "./.hedgerow")).exactOptional(),
    limits,
    admin: adminSection,
  })
  .meta({ description: "The gateway itself." })
  .exactOptional();

const price = z
  .strictObject({
    input: money("Uncached input, dollars per million tokens."),
    output: money("Output, dollars per million tokens."),
    cacheRead: money("Input read from a cache, dollars per million tokens."),
    cacheWrite: money("Input written to a cache, dollars per million tokens."),
    reasoning: money("Reasoning, dollars per million tokens, where it costs other than output."),
    inputAudio: money("Audio in the input, dollars per million tokens."),
    outputAudio: money("Audio in the output, dollars per million tokens."),
    request: money("Dollars for each request."),
  })
  .meta({ description: "Corrects the catalogue's price bucket by bucket." })
  .exactOptional();

const model = z
  .strictObject({
    name: z
      .string()
      .regex(/^[^/\s]+\/\S+$/u, "expected a canonical name, vendor/model")
      .meta({ description: "Canonical vendor/model, where the provider calls it otherwise." })
      .exactOptional(),
    price,
    context: count("Context window, tokens.", { min: 1, max: 100_000_000 }),
    maxOutput: count("Longest answer, tokens.", { min: 1, max: 100_000_000 }),
    tools: flag("Whether the model calls tools."),
    structuredOutput: flag("Whether the model obeys a JSON schema."),
    reasoning: flag("Whether the model reasons before it answers."),
    sampling: flag("Whether the model takes temperature and the like."),
    safetyTier: count("How far you trust it, 0 to 9; it comes before the provider's.", { min: 0, max: 9 }),
    limits: limitsSection,
    budget: budgetSection,
    inputs: z
      .array(z.enum(["text", "image", "pdf", "audio", "video"]).meta({ description: "One kind of input." }))
      .meta({ description: "Kinds of input the model takes." })
      .exactOptional(),
  })
  .meta({ description: "What to add to or correct in the catalogue, by the provider's own model name." });

const dialectIds = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "gemini",
  "bedrock-converse",
  "cohere-chat",
] as const satisfies readonly DialectId[];

const provider = z
  .strictObject({
    kind: z.string().min(1).meta({ description: "Which provider this is." }),
    url: z.string().min(1).meta({ description: "Base address of the API; by default the kind's own." }).exactOptional(),
    key: secretText("The credential: ${NAME} or file:PATH.").exactOptional(),
    keys: z
      .array(secretText("One of several credentials."))
      .min(1)
      .max(100)
      .meta({ description: "Several credentials instead of `key`, used in turn." })
      .exactOptional(),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/u, "not a header's name"), secretText("The header's value."))
      .meta({ description: "Headers added to every request to the provider." })
      .exactOptional(),
    timeouts: providerTimeouts,
    limits: limitsSection,
    budget: budgetSection,
    onAbort: z
      .enum(["cancel", "drain"])
      .meta(
        about(
          "An answer whose client has left: it is cancelled, or read to its end so that its bill is known.",
          "cancel",
        ),
      )
      .exactOptional(),
    sla: slaSection,
    operator: text("Who runs the inference: providers with one operator fail together. It wins over the supply graph."),
    owner: text("Who owns the machines: it wins over what the supply graph knows."),
    region: text("Where it runs; of clouds the region that is asked."),
    jurisdiction: text("Under whose law it works, in the words of your routes' constraints."),
    dataClasses: z
      .array(word.meta({ description: "A class of data." }))
      .max(50)
      .meta({ description: "Classes of data it may be sent, in the words of your routes' constraints." })
      .exactOptional(),
    safetyTier: count("How far you trust its models, 0 to 9: no backup is below its route's first target.", {
      min: 0,
      max: 9,
    }),
    project: text("The cloud project that is asked: Vertex, Azure AI Foundry."),
    resource: text("The resource whose name is part of the address: Azure."),
    apiVersion: text("The version of an API that has it in the address: Azure's `api-version`."),
    dialects: z
      .array(z.enum(dialectIds).meta({ description: "A language." }))
      .min(1)
      .meta({ description: "Languages to ask it in, the preferred first; by default the kind decides for each model." })
      .exactOptional(),
    models: z.record(modelName, model).meta({ description: "Corrections to the catalogue." }).exactOptional(),
  })
  .meta({ description: "An account at a vendor or host, under a name of yours." });

const targetText = z.string().regex(/^[^/\s]+\/\S+$/u, "expected provider/model");

const objection = z.enum(["critical", "safety"]).meta({
  description:
    "critical: a difference in the compatibility table; safety: a lower safety tier than the first target's.",
});

const target = z
  .union([
    targetText,
    z.strictObject({
      target: targetText.meta({ description: "provider/model." }),
      when: z
        .enum(["last-resort", "budget-spent"])
        .meta({
          description:
            "last-resort: asked only when everything before it failed; budget-spent: only where a hard budget cannot pay the others.",
        })
        .exactOptional(),
      weight: z
        .number()
        .positive()
        .max(1_000_000)
        .meta({ description: "Its share of the calls among neighbours in the list that have a weight, too." })
        .exactOptional(),
      despite: z
        .union([objection, z.array(objection).min(1).max(2)])
        .meta({ description: "Takes part in automatic failover although this speaks against it." })
        .exactOptional(),
    }),
  ])
  .meta({ description: "provider/model, or a mapping where there is more to say." });

const route = z
  .strictObject({
    targets: z
      .array(target)
      .min(1, "a route needs at least one target")
      .max(50)
      .meta({ description: "provider/model, asked in this order." }),
    timeouts: routeTimeouts,
    retries: z
      .strictObject({
        attempts: count("Most attempts for a call, over all targets and credentials.", {
          min: 1,
          max: 20,
          byDefault: 3,
        }),
        empty: z
          .boolean()
          .meta({ description: "Try once more where an answer is whole and empty.", default: true })
          .exactOptional(),
      })
      .meta({ description: "How often a call is tried." })
      .exactOptional(),
    spread: z
      .enum(["none", "provider", "storefront", "operator", "owner", "region"])
      .meta({
        description:
          "Backups must not share this with what failed; none: the order as written. Without it, backups at another operator only come first.",
      })
      .exactOptional(),
    order: z
      .literal("success")
      .meta({
        description:
          "Whoever is likeliest to answer comes first, by what happened of late and what is usual of it; after a failure, whoever is likeliest given that. Without it: as written.",
      })
      .exactOptional(),
    constraints: z
      .strictObject({
        regions: z
          .array(word.meta({ description: "A region; a trailing * stands for any ending." }))
          .min(1)
          .max(50)
          .meta({ description: "Regions that may answer." })
          .exactOptional(),
        jurisdictions: z
          .array(word.meta({ description: "A jurisdiction." }))
          .min(1)
          .max(50)
          .meta({ description: "Jurisdictions that may answer." })
          .exactOptional(),
        dataClass: text("The class of data the calls hold: only who may be sent it is asked."),
        maxPrice: z
          .strictObject({
            input: money("Highest price of input, dollars per million tokens."),
            output: money("Highest price of output, dollars per million tokens."),
          })
          .meta({ description: "What a target may cost; an unknown price is above it." })
          .exactOptional(),
        maxLatency: durationText("To the first content, for 95 % of a target's calls.").exactOptional(),
      })
      .meta({ description: "What every target must keep; who does not declare it, does not keep it." })
      .exactOptional(),
    hedge: hedgeSection,
    confidence: confidenceSection,
    limits: limitsSection,
    budget: budgetSection,
  })
  .meta({ description: "Targets and policy behind a name that callers use as `model`." });

/** `hedgerow.yaml`. Strict at every level: an unknown key is an error. */
export const documentSchema = z.strictObject({
  server,
  providers: z
    .record(name, provider)
    .refine((providers) => Object.keys(providers).length > 0, "at least one provider is needed")
    .meta({ description: "Who can be asked." }),
  routes: z.record(name, route).meta({ description: "Names callers use as `model`." }).exactOptional(),
  aliases: z
    .record(
      modelName,
      z.string().min(1).meta({ description: "A route, another alias, provider/model or vendor/model." }),
    )
    .meta({ description: "Other names of routes and targets." })
    .exactOptional(),
  supply: supplySection,
  records: recordsSection,
  retention: retentionSection,
  payloads: payloadsSection,
  audit: auditSection,
  alerts: alertsSection,
  telemetry: telemetrySection,
  store: storeSection,
  shared: sharedSection,
  users: z
    .strictObject({ limits: limitsSection, budget: budgetSection })
    .meta({ description: "For each end user that calls name, in `user`, `safety_identifier` or `metadata.user_id`." })
    .exactOptional(),
  organisations: organisationsSection,
  teams: teamsSection,
  keys: keysSection,
});

/** A configuration whose shape is right: units are numbers, secrets are hidden, names are not checked yet. */
export type ConfigDocument = z.output<typeof documentSchema>;
export type ProviderEntry = ConfigDocument["providers"][string];
export type RouteEntry = NonNullable<ConfigDocument["routes"]>[string];
export type ModelEntry = NonNullable<ProviderEntry["models"]>[string];
export type KeyEntry = NonNullable<ConfigDocument["keys"]>[string];
export type PriceEntry = NonNullable<ModelEntry["price"]>;
export type HedgeEntry = NonNullable<RouteEntry["hedge"]>;
export type ConfidenceEntry = NonNullable<RouteEntry["confidence"]>;
export type ForwardEntry = NonNullable<NonNullable<ConfigDocument["records"]>["forward"]>;
export type TimeoutsEntry = NonNullable<RouteEntry["timeouts"]>;
export type LimitsEntry = NonNullable<NonNullable<ConfigDocument["server"]>["limits"]>;

/** A value may be a reference wherever a number or a text with a unit may stand. */
const referencePattern = String.raw`\$\{[^}]+\}`;
const unitPatterns: ReadonlySet<unknown> = new Set([durationPattern, sizePattern, moneyPattern]);

/** The published JSON Schema of what people write, before units and references are resolved. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(documentSchema, {
    io: "input",
    override: ({ jsonSchema }) => {
      const scalar = ["number", "integer", "boolean"].includes(String(jsonSchema.type));
      if (!scalar && !unitPatterns.has(jsonSchema.pattern)) return;
      const { description, default: byDefault, ...written } = jsonSchema;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      if (description !== undefined) jsonSchema.description = description;
      if (byDefault !== undefined) jsonSchema.default = byDefault;
      jsonSchema.anyOf = [written, { type: "string", pattern: referencePattern }];
    },
  });
}

/** The text of `hedgerow.schema.json`, which a test compares with the file. */
export function renderConfigSchema(): string {
  const { $schema, ...rest } = configJsonSchema();
  const head = { $schema, title: "hedgerow.yaml", description: "Configuration of the Hedgerow gateway." };
  return `${JSON.stringify({ ...head, ...rest }, null, 2)}\n`;
}
