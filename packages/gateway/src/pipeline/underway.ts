import { costNanoUsd } from "#catalogue/cost";
import { askedOutput } from "#dialects/read-bounds";
import type { BegunAttempt } from "#domain/begun-call";
import { unbilledOperations } from "#domain/call";
import type { Attempt, Target } from "#domain/plan";
import type { AttemptRecord, AttemptRole, CallRecord } from "#domain/record";
import type { Estimate } from "#policy/usual-cost";
import type { JourneyInput } from "./journey.ts";
import { longestName, payer } from "./record.ts";

/** Of a call that the gateway makes for itself. */
type OfShadow = Required<Pick<CallRecord, "id" | "shadow">>;
type Input = Pick<JourneyInput, "plane" | "snapshot" | "call" | "scan" | "key">;

export interface Asking {
  readonly route: string;
  readonly target: Target;
  readonly credential: string;
  readonly role?: AttemptRole;
  /** What was held back for it; absent where nothing is bounded. */
  readonly held?: Estimate;
}

interface Tried {
  readonly begun: BegunAttempt;
  readonly target: Target;
  end: Attempt | undefined;
}

/**
 * Tells the journal of each attempt before it is sent, so that a call whose process dies leaves a record all the same: who
 * asked whom, and what that may have cost.
 */
export class Underway {
  readonly #input: Input;
  readonly #shadow: OfShadow | undefined;
  readonly #tried: Tried[] = [];

  constructor(input: Input, shadow?: OfShadow) {
    this.#input = input;
    this.#shadow = shadow;
  }

  /** Before a target is asked. What it returns is told how that ended. */
  asked(asking: Asking): (end: Attempt) => void {
    const { plane, snapshot, call } = this.#input;
    if (plane.journal.begin === undefined) return () => {};
    const elapsedMs = this.#sinceAccepted(plane.clock.nowMs());
    const tried: Tried = { begun: this.#begin(asking, elapsedMs), target: asking.target, end: undefined };
    this.#tried.push(tried);
    const { tags, session } = call.options;
    plane.journal.begin({
      version: 1,
      id: this.#shadow?.id ?? call.id,
      atMs: plane.clock.wallMs(),
      snapshot: snapshot.version,
      caller: call.caller,
      ...payer(this.#input),
      dialect: call.dialect,
      operation: call.operation,
      route: asking.route,
      requestedModel: call.model.slice(0, longestName),
      streamed: call.streamed,
      requestBytes: call.body.length,
      ...(tags === undefined ? {} : { tags }),
      ...(session === undefined ? {} : { session }),
      ...(call.trace === undefined ? {} : { trace: call.trace }),
      ...(this.#shadow === undefined ? {} : { shadow: this.#shadow.shadow }),
      elapsedMs,
      attempts: this.#tried.map((each) => (each.end === undefined ? each.begun : this.#ended(each, each.end))),
    });
    return (end) => (tried.end = end);
  }

  #begin({ target, credential, role, held = this.#estimate(target) }: Asking, startedMs: number): BegunAttempt {
    return {
      target: target.id,
      credential,
      startedMs,
      ...(role === undefined ? {} : { role }),
      ...(held === undefined
        ? {}
        : { promptTokens: Math.min(held.tokens, Math.ceil(this.#input.call.body.length / 2)), ...held }),
    };
  }

  #estimate(target: Target): Estimate | undefined {
    const { plane, call, scan } = this.#input;
    if (unbilledOperations.has(call.operation)) return undefined;
    const output = askedOutput(call.body, scan);
    const asked = { requestBytes: call.body.length, ...(output === undefined ? {} : { askedOutput: output }) };
    return plane.usualCost?.estimate(target, asked);
  }

  #ended({ begun, target }: Tried, { outcome, endedAtMs }: Attempt): AttemptRecord {
    const { usage } = outcome;
    const price = target.traits?.price;
    const cost = usage === undefined || price === undefined ? undefined : costNanoUsd(usage, price);
    return {
      target: target.id,
      provider: target.provider,
      model: target.model,
      credential: begun.credential,
      outcome: outcome.kind,
      ...("failure" in outcome ? { failure: outcome.failure.kind } : {}),
      startedMs: begun.startedMs,
      endedMs: this.#sinceAccepted(endedAtMs),
      ...(usage === undefined ? {} : { usage }),
      ...(cost === undefined ? {} : { costNanoUsd: cost }),
      ...(begun.role === undefined ? {} : { role: begun.role }),
    };
  }

  /** Whole milliseconds: this is written for every call and read for hardly any. */
  #sinceAccepted(nowMs: number): number {
    return Math.round(nowMs - this.#input.call.acceptedAtMs);
  }
}
