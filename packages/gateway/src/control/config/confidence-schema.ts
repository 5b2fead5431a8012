import { z } from "zod";
import { defaultConfidence } from "#domain/confidence";
import { about, duration, flag, money, secretText, text } from "./schema-values.ts";

export const defaultVerifierTimeoutMs = 5_000;

const percentPattern = String.raw`^[0-9]+(\.[0-9]+)?%$`;

/** A share as `2%`, or as a number from 0 to 1. */
const share = (description: string) =>
  z
    .union([
      z
        .string({ error: () => "expected a share such as 2% or 0.02" })
        .regex(new RegExp(percentPattern, "u"), "expected a share such as 2% or 0.02")
        .meta({ pattern: percentPattern })
        .transform((text, context) => {
          const percent = Number(text.slice(0, -1));
          if (percent <= 100) return percent / 100;
          context.issues.push({ code: "custom", message: "a share is at most 100%", input: text });
          return z.NEVER;
        }),
      z.number().min(0).max(1),
    ])
    .meta({ description })
    .exactOptional();

const target = (description: string) =>
  z
    .string()
    .regex(/^[^/\s]+\/\S+$/u, "expected provider/model")
    .meta({ description })
    .exactOptional();

const hook = {
  url: z.string().min(1).max(2000).meta({ description: "An http or https address." }),
  key: secretText("Sent as `Authorization: Bearer`: ${NAME} or file:PATH.").exactOptional(),
};

const toolName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,128}\*?$/u, "expected a tool's name; a trailing * stands for any ending")
  .meta({ description: "A tool's name; a trailing * stands for any ending." });

const review = z
  .strictObject({
    deadline: duration("How long a person may take.", "24h"),
    onTimeout: z
      .enum(["refuse", "best"])
      .meta(about("What becomes of a review that nobody decided: nothing, or the best scored answer.", "refuse"))
      .exactOptional(),
    webhook: z
      .strictObject(hook)
      .meta({ description: "Told of new reviews and of decisions, by a post of JSON." })
      .exactOptional(),
  })
  .meta({ description: "Of answers that wait for a person." })
  .exactOptional();

/** Of a route. */
export const confidenceSection = z
  .strictObject({
    min: z
      .number()
      .min(0)
      .max(1)
      .meta(about("Least calibrated confidence an answer needs, 0 to 1.", defaultConfidence.min))
      .exactOptional(),
    mode: z
      .enum(["per_answer", "pool"])
      .meta(
        about("Whether each accepted answer reaches `min`, or of all accepted ones at least that share.", "per_answer"),
      )
      .exactOptional(),
    delta: z
      .number()
      .min(0.001)
      .max(0.5)
      .meta(about("How often the promise for the pool may be wrong.", defaultConfidence.delta))
      .exactOptional(),
    estimator: z
      .enum(["auto", "logprobs", "decision", "agreement", "judge", "verifier"])
      .meta(about("What scores an answer; auto: whatever there is.", "auto"))
      .exactOptional(),
    second: target("provider/model that gives a second answer to compare with."),
    judge: target("provider/model that is asked whether an answer is right."),
    decision: z
      .strictObject({
        ...hook,
        model: text("The classifier's name, where the endpoint serves several."),
        right: z
          .union([z.string().min(1).max(200), z.int().min(0).max(1000)])
          .meta({ description: "The class of right answers: its label, or its number." }),
        timeout: duration("Until it has answered.", `${defaultVerifierTimeoutMs / 1000}s`),
      })
      .meta({
        description: "A classifier (vLLM's /classify, TEI's /predict) that tells how likely an answer is right.",
      })
      .exactOptional(),
    verifier: z
      .strictObject({
        ...hook,
        timeout: duration("Until it has answered.", `${defaultVerifierTimeoutMs / 1000}s`),
      })
      .meta({ description: "A check of yours, posted each answer; says right or wrong." })
      .exactOptional(),
    uncalibrated: z
      .enum(["conservative", "observe", "strict"])
      .meta(
        about(
          "Until a calibration of its own exists: the prior decides, answers are scored and pass, or are doubted.",
          "conservative",
        ),
      )
      .exactOptional(),
    exhausted: z
      .enum(["best", "review", "refuse"])
      .meta(about("What to do when no target is confident.", "refuse"))
      .exactOptional(),
    trustLast: flag(
      "The last target's answer is given unless a hard gate fails, and nobody is paid to judge it: it is asked because the others were doubted.",
    ),
    stream: z
      .enum(["hold", "prefix", "annotate"])
      .meta(
        about(
          "Streams are held until the verdict, decided on their first tokens, or let through and told at the end.",
          "hold",
        ),
      )
      .exactOptional(),
    shadow: share("Share of accepted answers for which the next target is asked too, to learn from. Without it, none."),
    maxCost: money("Most that a call may cost before nobody else is asked."),
    irreversibleTools: z
      .array(toolName)
      .max(200)
      .meta({ description: "Tools that cannot be undone: their calls need 0.95, or a person." })
      .exactOptional(),
    hedgeBelow: z
      .number()
      .gt(0)
      .lt(1)
      .meta({
        description: "Of streams: the next target is asked beside as soon as the confidence so far is below this.",
      })
      .exactOptional(),
    review,
  })
  .meta({ description: "The gate that answers pass before they are given. See docs/confidence.md." })
  .exactOptional();
