import { costNanoUsd } from "#catalogue/cost";
import { askedOutput } from "#dialects/read-bounds";
import type { Accounts, Charge, Meter, Taken } from "#domain/account";
import { unbilledOperations } from "#domain/call";
import type { Failure } from "#domain/failure";
import type { Attempt, Target } from "#domain/plan";
import { completionTokens, promptTokens, type Usage } from "#domain/usage";
import { callMeters, isBounded, targetMeters } from "#policy/meters";
import type { Asked, Estimate, UsualCost } from "#policy/usual-cost";
import { denialOf, unpriced, type Denied } from "./denials.ts";
import { limitHeaders } from "./limit-headers.ts";
import type { JourneyInput } from "./journey.ts";

/** What was taken for one attempt. */
export interface Entry {
  readonly charges: readonly Charge[];
  readonly atS: number;
}

/** Undefined where nothing is bounded: then nothing is counted, either. */
export function openAdmission(input: JourneyInput, route: string): Admission | undefined {
  const { plane, snapshot, key, call } = input;
  if (plane.accounts === undefined || plane.usualCost === undefined || !isBounded(snapshot, key)) return undefined;
  const own = callMeters({ route, ...(key === undefined ? {} : { key }), ...userOf(call.options) }, snapshot);
  return new Admission({ input, own, accounts: plane.accounts, usualCost: plane.usualCost });
}

interface AdmissionParts {
  readonly input: JourneyInput;
  /** Of the accounts that the call itself belongs to. */
  readonly own: readonly Meter[];
  readonly accounts: Accounts;
  readonly usualCost: UsualCost;
}

/**
 * What one call takes of its accounts' limits and budgets. Requests, tokens and a place among those at once are taken when
 * it is let in; money, and what a provider's account may be asked, before each attempt, and settled when that ends. Of all
 * accounts or of none.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  #taken: Entry | undefined;
  #tokens = 0;
  #asked: Asked | undefined;
  #estimated: { readonly target: Target; readonly estimate: Estimate } | undefined;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** What is left of the caller's limits. */
  get headers(): Readonly<Record<string, string>> {
    return limitHeaders(this.#parts.own, this.#parts.accounts);
  }

  /** Lets the call in, by what its first target would take of it; or why not. */
  admit(first: Target | undefined): Failure | undefined | Promise<Failure | undefined> {
    const meters = this.#parts.own.filter(({ unit }) => unit !== "money");
    if (meters.length === 0) return undefined;
    const estimate = this.#isBilled && first !== undefined ? this.#estimate(first) : { tokens: 0 };
    return this.#take(meters, estimate, (entry) => (this.#taken = entry));
  }

  /** What an attempt there may use; undefined where nobody is paid for it. */
  estimateOf(target: Target): Estimate | undefined {
    return this.#isBilled ? this.#estimate(target) : undefined;
  }

  /** Before an attempt is sent. `keep` is given what it took. */
  enter(target: Target, keep: (entry: Entry) => void): Failure | undefined | Promise<Failure | undefined> {
    const { own, input } = this.#parts;
    const money = this.#isBilled ? own.filter(({ unit }) => unit === "money") : [];
    const theirs = targetMeters(target, input.snapshot);
    if (money.length === 0 && theirs.length === 0) return undefined;
    const estimate = this.#isBilled ? this.#estimate(target) : { tokens: 0, nanoUsd: 0 };
    const meters = [...money, ...theirs];
    const strict = meters.find(({ unit, soft }) => unit === "money" && soft !== true);
    if (estimate.nanoUsd === undefined && strict !== undefined) return unpriced(target, strict);
    return this.#take(meters, estimate, keep);
  }

  /** The attempt is over. Who used nothing pays nothing. */
  leave(entry: Entry | undefined, attempt: Attempt): void {
    const { accounts, usualCost, input } = this.#parts;
    const { usage } = attempt.outcome;
    const tokens = usage === undefined ? 0 : promptTokens(usage) + completionTokens(usage);
    this.#tokens += tokens;
    if (attempt.outcome.kind === "answered" && usage !== undefined && this.#isBilled) {
      usualCost.note(attempt.target, input.call.body.length, usage);
    }
    if (entry === undefined) return;
    const nano = nanoOf(attempt.target, usage);
    const used = entry.charges.map(({ meter, amount }) => {
      if (meter.unit === "tokens") return tokens;
      // A price that nobody knows is not zero: what was held back for it stays.
      return meter.unit === "money" ? (nano ?? amount) : amount;
    });
    accounts.settle(entry.charges, entry.atS, used);
  }

  /** The call is over. */
  close(): void {
    const taken = this.#taken;
    if (taken === undefined) return;
    this.#taken = undefined;
    const used = taken.charges.map(({ meter, amount }) => (meter.unit === "tokens" ? this.#tokens : amount));
    this.#parts.accounts.settle(taken.charges, taken.atS, used);
  }

  get #isBilled(): boolean {
    return !unbilledOperations.has(this.#parts.input.call.operation);
  }

  #estimate(target: Target): Estimate {
    // The first target's is asked for twice within a moment: when the call is let in, and when it is sent.
    if (this.#estimated?.target === target) return this.#estimated.estimate;
    const { call, scan } = this.#parts.input;
    const output = this.#asked === undefined ? askedOutput(call.body, scan) : undefined;
    this.#asked ??= { requestBytes: call.body.length, ...(output === undefined ? {} : { askedOutput: output }) };
    const estimate = this.#parts.usualCost.estimate(target, this.#asked);
    this.#estimated = { target, estimate };
    return estimate;
  }

  #take(
    meters: readonly Meter[],
    estimate: Estimate,
    keep: (entry: Entry) => void,
  ): Failure | undefined | Promise<Failure | undefined> {
    const charges = meters.map((meter) => ({ meter, amount: amountOf(meter, estimate) }));
    const tooMuch = charges.find(({ meter, amount }) => amount > meter.limit && meter.soft !== true);
    if (tooMuch !== undefined)
      return this.#denied({ meter: tooMuch.meter, remaining: tooMuch.meter.limit, never: true });
    const conclude = (taken: Taken): Failure | undefined => {
      if (taken.kind === "taken") {
        keep({ charges, atS: taken.atS });
        return undefined;
      }
      return this.#denied(taken.kind === "denied" ? taken : { unreachable: taken.why });
    };
    const taken = this.#parts.accounts.take(charges);
    return taken instanceof Promise ? taken.then(conclude) : conclude(taken);
  }

  #denied(why: Denied): Failure {
    const { plane } = this.#parts.input;
    return denialOf(why, plane.clock.wallMs());
  }
}

function amountOf({ unit }: Meter, { tokens, nanoUsd }: Estimate): number {
  if (unit === "tokens") return tokens;
  // Of a soft budget whose target has no price: it is counted by what it cost, if anybody ever knows.
  return unit === "money" ? (nanoUsd ?? 0) : 1;
}

function nanoOf({ traits }: Target, usage: Usage | undefined): number | undefined {
  if (usage === undefined) return 0;
  return traits?.price === undefined ? undefined : costNanoUsd(usage, traits.price);
}

function userOf({ user }: JourneyInput["call"]["options"]): { readonly user?: string } {
  return user === undefined ? {} : { user };
}
