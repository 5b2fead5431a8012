import { costNanoUsd } from "#catalogue/cost";
import { askedOutput } from "#dialects/read-bounds";
import type { Accounts, Charge, Meter, Taken } from "#domain/account";
import { ownerOf } from "#domain/gateway-key";
import { unbilledOperations } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { Attempt, Target } from "#domain/plan";
import { completionTokens, promptTokens, type Usage } from "#domain/usage";
import { callMeters, isBounded, targetMeters } from "#policy/meters";
import { isFinal, wasSent, type Candidate, type Situation } from "#policy/next-candidate";
import { isFree } from "#policy/cheaper-targets";
import type { Asked, Estimate, UsualCost } from "#policy/usual-cost";
import type { AnswerFacts } from "./answer-headers.ts";
import { denialOf, unpriced, type Denied } from "./denials.ts";
import { limitHeaders } from "./limit-headers.ts";
import type { JourneyInput } from "./journey.ts";
import type { Waited } from "./waiting-room.ts";

type Denial = Extract<Taken, { readonly kind: "denied" }>;

interface Full {
  readonly charges: readonly Charge[];
  readonly denial: Denial;
}

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

type Stopped = Pick<Situation, "attempts" | "plan" | "deadlineAtMs" | "mayRetry">;

interface Taking {
  readonly meters: readonly Meter[];
  readonly estimate: Estimate;
  /** Given what was taken. */
  readonly keep: (entry: Entry) => void;
  /** All places are taken, and calls may wait for one. */
  readonly onFull: (full: Full) => Waited | Promise<Waited>;
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
  /** Targets whose places are all taken, and may be waited for. */
  readonly #full = new Map<Target, Full>();
  /** A place at a target that was waited for. */
  #kept: { readonly target: Target; readonly entry: Entry } | undefined;
  #queuedMs = 0;
  /** The part of it before anybody was asked. */
  doorMs = 0;
  #estimated: { readonly target: Target; readonly estimate: Estimate } | undefined;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** What an answer tells of it: what is left of the caller's limits, and how long the call waited for places. */
  get facts(): Pick<AnswerFacts, "limits" | "queuedMs"> {
    return { limits: limitHeaders(this.#parts.own, this.#parts.accounts), queuedMs: this.#queuedMs };
  }

  /** Lets the call in, by what its first target would take of it; or why not. It may have to wait for a place. */
  admit(first: Target | undefined, deadlineAtMs: number): Failure | undefined | Promise<Failure | undefined> {
    const meters = this.#parts.own.filter(({ unit }) => unit !== "money");
    if (meters.length === 0) return undefined;
    const estimate = this.#isBilled && first !== undefined ? this.#estimate(first) : { tokens: 0 };
    const keep = (entry: Entry): void => void (this.#taken = entry);
    return this.#take({ meters, estimate, keep, onFull: (full) => this.#atDoor(full, deadlineAtMs) });
  }

  /** What an attempt there may use; undefined where nobody is paid for it. */
  estimateOf(target: Target): Estimate | undefined {
    return this.#isBilled ? this.#estimate(target) : undefined;
  }

  /** Before an attempt is sent. `keep` is given what it took. */
  enter(target: Target, keep: (entry: Entry) => void): Failure | undefined | Promise<Failure | undefined> {
    const kept = this.#kept;
    if (kept?.target === target) {
      this.#kept = undefined;
      keep(kept.entry);
      return undefined;
    }
    const { own, input } = this.#parts;
    // What costs nothing is nobody's expense, also where a budget is overspent.
    const isPaid = this.#isBilled && !isFree(target.traits?.price);
    const money = isPaid ? own.filter(({ unit }) => unit === "money") : [];
    const theirs = targetMeters(target, input.snapshot);
    if (money.length === 0 && theirs.length === 0) return undefined;
    const estimate = this.#isBilled ? this.#estimate(target) : { tokens: 0, nanoUsd: 0 };
    const meters = [...money, ...theirs];
    const strict = meters.find(({ unit, soft }) => unit === "money" && soft !== true);
    if (estimate.nanoUsd === undefined && strict !== undefined) return unpriced(target, strict);
    const onFull = (full: Full): Denial => {
      this.#full.set(target, full);
      return full.denial;
    };
    return this.#take({ meters, estimate, keep, onFull });
  }

  /**
   * Nobody can be asked any more but whoever had no place: waits for one, once for each, and gives whom to ask there. The
   * place is kept for that attempt.
   */
  async placed({ attempts, plan, deadlineAtMs, mayRetry }: Stopped): Promise<Candidate | undefined> {
    const [first] = this.#full;
    if (first === undefined || attempts.some(isFinal)) return undefined;
    const sent = attempts.filter(wasSent).length;
    if (sent >= plan.maxAttempts || (sent > 0 && !mayRetry())) return undefined;
    const [target, full] = first;
    this.#full.delete(target);
    const credential = attempts.find((each) => each.target === target)?.credential;
    if (credential === undefined) return undefined;
    const waited = await this.#wait(full, deadlineAtMs);
    if (waited.kind !== "taken") return undefined;
    this.#kept = { target, entry: { charges: full.charges, atS: waited.atS } };
    return { kind: "try", target, credential, afterMs: 0, why: "a place there was waited for", skipped: [] };
  }

  /** The attempt is over. Who used nothing pays nothing. */
  leave(entry: Entry | undefined, attempt: Attempt): void {
    const { usualCost, input } = this.#parts;
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
    this.#settle(entry, used);
  }

  /** The call is over. */
  close(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) {
      this.#settle(
        kept.entry,
        kept.entry.charges.map(() => 0),
      );
    }
    const taken = this.#taken;
    if (taken === undefined) return;
    this.#taken = undefined;
    const used = taken.charges.map(({ meter, amount }) => (meter.unit === "tokens" ? this.#tokens : amount));
    this.#settle(taken, used);
  }

  #settle({ charges, atS }: Entry, used: readonly number[]): void {
    const { accounts, input } = this.#parts;
    (input.plane.waitingRoom ?? accounts).settle(charges, atS, used);
  }

  async #atDoor(full: Full, deadlineAtMs: number): Promise<Waited> {
    const waited = await this.#wait(full, deadlineAtMs);
    this.doorMs = this.#queuedMs;
    return waited;
  }

  async #wait({ charges, denial }: Full, deadlineAtMs: number): Promise<Waited> {
    const { plane, key, control } = this.#parts.input;
    const { waitingRoom, clock } = plane;
    if (waitingRoom === undefined) return denial;
    const fromMs = clock.nowMs();
    const whose = { priority: key?.priority ?? "normal", caller: ownerOf(key) } as const;
    const waited = await waitingRoom.wait(denial, { charges, ...whose, deadlineAtMs, control });
    this.#queuedMs += clock.nowMs() - fromMs;
    return waited;
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

  #take({ meters, estimate, keep, onFull }: Taking): Failure | undefined | Promise<Failure | undefined> {
    const charges = meters.map((meter) => ({ meter, amount: amountOf(meter, estimate) }));
    const tooMuch = charges.find(({ meter, amount }) => amount > meter.limit && meter.soft !== true);
    if (tooMuch !== undefined)
      return this.#denied({ meter: tooMuch.meter, remaining: tooMuch.meter.limit, never: true });
    const conclude = (taken: Waited): Failure | undefined => {
      switch (taken.kind) {
        case "taken":
          keep({ charges, atS: taken.atS });
          return undefined;
        case "denied":
          return this.#denied(taken);
        case "unreachable":
          return this.#denied({ unreachable: taken.why });
        case "gone":
          return this.#parts.input.control.ended ?? failure("client_gone", "The client left while its call waited.");
      }
    };
    const orWait = (taken: Taken): Waited | Promise<Waited> => {
      const isFull = taken.kind === "denied" && taken.meter.unit === "slots" && taken.meter.queue !== undefined;
      return isFull ? onFull({ charges, denial: taken }) : taken;
    };
    const { accounts, input } = this.#parts;
    const taken = (input.plane.waitingRoom ?? accounts).take(charges);
    const waited = taken instanceof Promise ? taken.then(orWait) : orWait(taken);
    return waited instanceof Promise ? waited.then(conclude) : conclude(waited);
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
