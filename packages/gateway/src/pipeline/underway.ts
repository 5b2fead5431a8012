import { costNanoUsd } from "#catalogue/cost";
import { askedOutput } from "#dialects/read-bounds";
import { unbilledOperations } from "#domain/call";
import type { Attempt, Target } from "#domain/plan";
import type { AttemptRecord, AttemptRole, CallRecord } from "#domain/record";
import { emptyUsage, type Usage } from "#domain/usage";
import type { Estimate } from "#policy/usual-cost";
import type { JourneyInput } from "./journey.ts";
import { common, longestName, payer } from "./record.ts";

/** Of a call that the gateway makes for itself. */
type OfShadow = Required<Pick<CallRecord, "id" | "shadow">>;

export interface Asking {
  readonly route: string;
  readonly target: Target;
  readonly credential: string;
  readonly role?: AttemptRole;
  /** What was held back for it; absent where nothing is bounded. */
  readonly held?: Estimate;
}

const warning = "lost: the gateway's process ended while this call was under way; what it used is an estimate";

/**
 * Tells the journal, before anybody is asked, what a call's record is should the process die: who asked whom, and what was
 * held back for it. So every attempt that was sent is in a record, with a cost that is an estimate where nobody saw its end.
 */
export class Underway {
  readonly #input: Pick<JourneyInput, "plane" | "snapshot" | "call" | "scan" | "key">;
  readonly #shadow: OfShadow | undefined;
  readonly #tried: AttemptRecord[] = [];

  constructor(input: Pick<JourneyInput, "plane" | "snapshot" | "call" | "scan" | "key">, shadow?: OfShadow) {
    this.#input = input;
    this.#shadow = shadow;
  }

  /** Before a target is asked. What it returns is told how that ended. */
  asked(asking: Asking): (end: Attempt) => void {
    const { journal, clock } = this.#input.plane;
    if (journal.begin === undefined) return () => {};
    const at = this.#tried.length;
    const startedMs = clock.nowMs() - this.#input.call.acceptedAtMs;
    const { target, credential, role } = asking;
    const base = {
      target: target.id,
      provider: target.provider,
      model: target.model,
      credential,
      startedMs,
      ...(role === undefined ? {} : { role }),
    };
    this.#tried.push({
      ...base,
      outcome: "broken",
      failure: "internal_error",
      endedMs: startedMs,
      ...this.#used(asking),
    });
    journal.begin(this.#record(asking.route));
    return (end) => {
      this.#tried[at] = { ...base, ...endOf(end), endedMs: clock.nowMs() - this.#input.call.acceptedAtMs };
    };
  }

  /** What was held back for it, as usage. */
  #used({ target, held = this.#estimate(target) }: Asking): Pick<AttemptRecord, "usage" | "costNanoUsd"> {
    const { call } = this.#input;
    if (held === undefined || unbilledOperations.has(call.operation)) return {};
    const prompt = Math.min(held.tokens, Math.ceil(call.body.length / 2));
    const usage = { ...emptyUsage, inputUncached: prompt, output: held.tokens - prompt, estimated: true };
    return { usage, ...(held.nanoUsd === undefined ? {} : { costNanoUsd: held.nanoUsd }) };
  }

  #estimate(target: Target): Estimate | undefined {
    const { plane, call, scan } = this.#input;
    const output = askedOutput(call.body, scan);
    const asked = { requestBytes: call.body.length, ...(output === undefined ? {} : { askedOutput: output }) };
    return plane.usualCost?.estimate(target, asked);
  }

  #record(route: string): CallRecord {
    const { call, plane, snapshot, key } = this.#input;
    const attempts = this.#tried;
    const costs = attempts.filter(({ usage }) => usage !== undefined).map((each) => each.costNanoUsd);
    const cost = costs.some((each) => each === undefined) ? undefined : costs.reduce<number>(sum, 0);
    const usage = attempts.at(-1)?.usage;
    const { options } = call;
    return {
      ...common(this.#shadow === undefined ? call : { ...call, id: this.#shadow.id }, plane, snapshot),
      operation: call.operation,
      route,
      requestedModel: call.model.slice(0, longestName),
      decision: this.#shadow === undefined ? "broken" : "shadow",
      committed: false,
      code: "internal_error",
      status: 500,
      requestBytes: call.body.length,
      answerBytes: 0,
      durationMs: plane.clock.nowMs() - call.acceptedAtMs,
      ...(usage === undefined ? {} : { usage }),
      ...(cost === undefined || costs.length === 0 ? {} : { costNanoUsd: cost }),
      warnings: [warning],
      ...(options.tags === undefined ? {} : { tags: options.tags }),
      ...(options.session === undefined ? {} : { session: options.session }),
      ...payer(key === undefined ? { call } : { key, call }),
      ...(this.#shadow === undefined ? {} : { shadow: this.#shadow.shadow }),
      attempts: [...attempts],
    };
  }
}

function sum(total: number, each: number | undefined): number {
  return total + (each ?? 0);
}

function endOf({ target, outcome, status }: Attempt): Pick<AttemptRecord, "outcome" | "failure" | "usage"> {
  const cost = costOf(target, outcome.usage);
  return {
    outcome: outcome.kind,
    ...("failure" in outcome ? { failure: outcome.failure.kind } : {}),
    ...(status === undefined ? {} : { status }),
    ...(outcome.usage === undefined ? {} : { usage: outcome.usage }),
    ...(cost === undefined ? {} : { costNanoUsd: cost }),
  };
}

function costOf({ traits }: Target, usage: Usage | undefined): number | undefined {
  return usage === undefined || traits?.price === undefined ? undefined : costNanoUsd(usage, traits.price);
}
