import { z } from "zod";
import { about, count, duration, durationText, secretText } from "./schema-values.ts";

export const defaultHedgeShare = 0.02;
export const defaultKeptRecords = 1_000_000;
export const defaultBatchRecords = 200;
export const defaultForwardTimeoutMs = 30_000;

/** Of a route. */
export const hedgeSection = z
  .strictObject({
    after: z
      .union([z.literal("p95"), durationText("So long.")])
      .meta({
        description: "How long the first attempt is waited for; by default p95: as long as 95 of 100 calls to it take.",
      })
      .exactOptional(),
    share: z
      .number()
      .gt(0)
      .max(1)
      .meta(about("Most second attempts, as a share of the route's calls.", defaultHedgeShare))
      .exactOptional(),
    sideEffects: z
      .boolean()
      .meta({ description: "Calls with tools are hedged, too: what they do may be done twice.", default: false })
      .exactOptional(),
  })
  .meta({
    description:
      "A second attempt at another operator's target while the first has no content; the first content wins. See docs/survival.md.",
  })
  .exactOptional();

export const recordsSection = z
  .strictObject({
    forward: z
      .strictObject({
        url: z.string().min(1).max(2000).meta({ description: "Where records are posted, as JSON lines." }),
        key: secretText("Sent as `Authorization: Bearer`: ${NAME} or file:PATH.").exactOptional(),
        batch: count("Most records of one post.", { min: 1, max: 5000, byDefault: defaultBatchRecords }),
        timeout: duration("Until a post is answered.", `${defaultForwardTimeoutMs / 1000}s`),
        keep: count("Most records that wait while the collector cannot be reached; the oldest leave first.", {
          min: 1000,
          max: 10_000_000,
          byDefault: defaultKeptRecords,
        }),
      })
      .meta({ description: "A collector of yours that gets every record, at least once and in order." })
      .exactOptional(),
  })
  .meta({ description: "What becomes of records, beside the store in the data folder." })
  .exactOptional();

const percent = (description: string) => z.number().min(0).max(100).meta({ description });

export const slaSection = z
  .strictObject({
    availability: percent("What is promised, percent of the time: 99.9."),
    counts: z
      .array(z.enum(["fault", "timeout", "capacity"]).meta({ description: "A class of errors." }))
      .min(1)
      .meta({ description: "Classes of errors that count as downtime; by default fault and timeout." })
      .exactOptional(),
    credits: z
      .array(
        z
          .strictObject({
            below: percent("Availability under which the credit is due, percent."),
            credit: percent("What is due of the bill, percent."),
          })
          .meta({ description: "One step." }),
      )
      .max(20)
      .meta({ description: "What is due where the promise is broken: the largest credit that applies." })
      .exactOptional(),
  })
  .meta({ description: "What your contract with the provider promises, for `hedgerow report sla`." })
  .exactOptional();
