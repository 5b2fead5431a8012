import { z } from "zod";
import { budgetPeriods, type Allowance, type Budget } from "#domain/account";
import { count, durationText, flag, money } from "./schema-values.ts";
import { parseMoney } from "./units.ts";

const defaultQueued = 100;

export const limitsSection = z
  .strictObject({
    rpm: count("Requests in any minute.", { min: 1, max: 10_000_000 }),
    tpm: count("Tokens in any minute, prompt and answer.", { min: 1, max: 10_000_000_000 }),
    concurrency: count("Requests at once.", { min: 1, max: 1_000_000 }),
    queue: z
      .strictObject({
        wait: durationText("How long a call waits at the most; its own deadline comes before it."),
        most: count("Most calls that wait in a worker.", { min: 1, max: 10_000, byDefault: defaultQueued }),
      })
      .meta({ description: "Calls wait for one of those at once to end; without it they are told to come back." })
      .exactOptional(),
  })
  .refine(({ queue, concurrency }) => queue === undefined || concurrency !== undefined, {
    path: ["queue"],
    error: "calls wait for one of `concurrency` to end, and that is not limited here",
  })
  .meta({ id: "limits", description: "What may be asked. More is told to come back." })
  .exactOptional();

const periods = budgetPeriods.join("|");
const budgetPattern = String.raw`^[0-9]+(\.[0-9]{1,9})?usd/(${periods})$`;
const budgetRule = `expected an amount for a period, such as 50usd/day (${budgetPeriods.join(", ")})`;

/** Where nothing is said, somebody is told at four fifths and at the end. */
const defaultAlerts: readonly number[] = [0.8, 1];

const share = z
  .union([
    z
      .string()
      .regex(/^(100|[1-9]?[0-9])%$/u, "expected a share such as 80%")
      .transform((text) => Number.parseInt(text, 10) / 100),
    z.number().gt(0).max(1),
  ])
  .meta({ description: "A share of the limit." });

const budgetText = z
  .string({ error: () => budgetRule })
  .meta({ pattern: budgetPattern, description: "An amount for a period: 50usd/day." })
  .transform((text, context): Budget => {
    const budget = parseBudget(text);
    if (budget !== undefined) return budget;
    context.issues.push({ code: "custom", message: budgetRule, input: text });
    return z.NEVER;
  });

const budgetObject = z
  .strictObject({
    limit: money("The amount in each period.").unwrap(),
    period: z
      .enum(budgetPeriods)
      .meta({ description: "By the calendar in UTC; weeks begin on Monday, `total` never ends." }),
    soft: flag("It warns and refuses nothing."),
    alertAt: z
      .array(share)
      .max(10)
      .meta({ description: "Shares of the limit at which the log says so; by default 80% and 100%." })
      .exactOptional(),
  })
  .meta({ description: "A budget with its alerts." })
  .transform(({ limit, period, soft, alertAt }): Budget => ({
    limitNanoUsd: limit,
    period,
    ...(soft === true ? { soft } : {}),
    alertsAt: alertAt ?? defaultAlerts,
  }));

const oneBudget = z.union([budgetText, budgetObject]).meta({ id: "amount", description: "One budget." });

export const budgetSection = z
  .union([oneBudget, z.array(oneBudget).min(1).max(10)])
  .meta({ id: "budget", description: "Money in each period; several hold together." })
  .exactOptional();

/** `50usd/day`, as a hard budget; undefined for anything else. */
function parseBudget(text: string): Budget | undefined {
  if (!new RegExp(budgetPattern, "u").test(text)) return undefined;
  const [amount = "", word] = text.split("/");
  const parsed = parseMoney(amount);
  const period = budgetPeriods.find((each) => each === word);
  if (parsed.kind === "refused" || period === undefined) return undefined;
  return { limitNanoUsd: parsed.value, period, alertsAt: defaultAlerts };
}

export interface AllowanceEntry {
  readonly limits?: {
    readonly rpm?: number;
    readonly tpm?: number;
    readonly concurrency?: number;
    readonly queue?: { readonly wait: number; readonly most?: number };
  };
  readonly budget?: Budget | readonly Budget[];
}

/** What an entry with `limits` and `budget` allows; undefined where it says neither. */
export function compileAllowance({ limits, budget }: AllowanceEntry): Allowance | undefined {
  if (limits === undefined && budget === undefined) return undefined;
  const budgets = budget === undefined ? undefined : [budget].flat();
  const { queue, ...rates } = limits ?? {};
  return {
    ...rates,
    ...(queue === undefined ? {} : { queue: { waitMs: queue.wait, most: queue.most ?? defaultQueued } }),
    ...(budgets === undefined ? {} : { budgets }),
  };
}
