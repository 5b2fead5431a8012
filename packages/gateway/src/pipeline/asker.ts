import type { Attempt, Plan, SkippedTarget, Target } from "#domain/plan";
import type { CallRetries } from "#policy/call-retries";
import type { Fingerprint } from "#policy/deadly-requests";
import { hedgeReason } from "#policy/hedge";
import { hasLastRung } from "#policy/ladder";
import type { PlanningView } from "#policy/make-plan";
import { freeCredential, isFinal, type Candidate, type Situation } from "#policy/next-candidate";
import { askTarget, type Held, type Question } from "./ask-target.ts";
import { bestOf, notSent } from "./endings.ts";
import { hedgeFor, speedKey } from "./hedge-for.ts";
import { hedgedAttempt, type Entrant } from "./hedged-attempt.ts";
import type { Doubts } from "./doubts.ts";
import type { JourneyInput } from "./journey.ts";
import type { DecodedOnce } from "./lane-request.ts";
import type { CallControl } from "./live-calls.ts";
import { speedSample } from "./speed-sample.ts";

/** What the attempts of a call have in common. */
export interface AskerParts extends Pick<Question, "onLane"> {
  readonly input: JourneyInput;
  readonly plan: Plan;
  readonly deadlineAtMs: number;
  readonly retries: CallRetries;
  readonly decoded: DecodedOnce;
  readonly fingerprint: Fingerprint;
  /** Rotates over the credentials of a provider. */
  readonly turn: number;
  readonly view: () => PlanningView;
  /** The caller's: written to as attempts end, and as they are chosen. */
  readonly attempts: Attempt[];
  readonly chosen: SkippedTarget[];
  /** Where answers are judged. */
  readonly doubts: Doubts | undefined;
  readonly headers: (target: Target, ...more: Parameters<Question["headers"]>) => ReturnType<Question["headers"]>;
}

/** Of an attempt that may not have the call to itself. */
interface Beside {
  readonly entrant: Entrant;
  readonly control: CallControl;
}

/** Makes a call's attempts, one at a time, or two at once where its route hedges. */
export class Asker {
  readonly #parts: AskerParts;
  /** When the first provider was asked. */
  askedAtMs: number | undefined;

  constructor(parts: AskerParts) {
    this.#parts = parts;
  }

  get situation(): Omit<Situation, "mayRetry"> {
    const { plan, attempts, input, view, deadlineAtMs, turn, fingerprint } = this.#parts;
    const { plane, snapshot } = input;
    return {
      plan,
      attempts,
      snapshot,
      view: view(),
      danger: plane.health.dangerOf(fingerprint, plane.clock.nowMs()),
      deadlineAtMs,
      chance: plane.random(),
      turn,
    };
  }

  /** One attempt, or two at once where the route hedges and the first is slow: then the one that has the call. */
  async try(step: Candidate): Promise<Held | undefined> {
    const { input, plan, attempts } = this.#parts;
    const { plane, control } = input;
    const hedge = hedgeFor(input, { plan, first: step.target, attempts: attempts.length });
    if (hedge === undefined) return this.#attempt(step);
    const ends = await hedgedAttempt({
      clock: plane.clock,
      control,
      afterMs: hedge.afterMs,
      first: (entrant, own) => this.#attempt(step, { entrant, control: own }),
      second: () => {
        const next = this.#second(hedge);
        return next === undefined ? next : (entrant, own) => this.#attempt(next, { entrant, control: own });
      },
      endsCall: (held) => held !== undefined && isFinal(held.result.attempt),
    });
    attempts.sort((a, b) => a.startedAtMs - b.startedAtMs);
    return bestOf(ends.filter((each) => each !== undefined));
  }

  #second({ rule, afterMs, candidates }: NonNullable<ReturnType<typeof hedgeFor>>): Candidate | undefined {
    const { input, plan, deadlineAtMs, retries, chosen } = this.#parts;
    const nowMs = input.plane.clock.nowMs();
    if (deadlineAtMs - nowMs < plan.timeouts.totalMs / 10) return undefined;
    for (const { target } of candidates) {
      const credential = freeCredential(this.situation, target);
      if (credential === undefined) continue;
      if (!retries.mayHedge(rule.share, nowMs)) return undefined;
      const why = hedgeReason(rule, afterMs);
      chosen.push({ target: target.id, why });
      return { kind: "try", target, credential, afterMs: 0, why, skipped: [] };
    }
    return undefined;
  }

  async #attempt(step: Candidate, beside?: Beside): Promise<Held | undefined> {
    const { input, plan, deadlineAtMs, decoded, fingerprint, attempts, headers, onLane, doubts } = this.#parts;
    const { plane, call } = input;
    const { target } = step;
    this.askedAtMs ??= plane.clock.nowMs();
    const share = this.#share(target);
    const held = await askTarget({
      ...input,
      plan,
      deadlineAtMs,
      decoded,
      fingerprint,
      target,
      credential: step.credential,
      ...doubts?.prepare(target, share.shareMs !== undefined),
      ...beside,
      ...share,
      onLane,
      headers: (lane, returned) => headers(target, lane, returned),
    });
    if (!("result" in held)) {
      attempts.push(notSent(step, held, plane.clock.nowMs()));
      return undefined;
    }
    const { attempt } = held.result;
    if (held.refused !== undefined) doubts?.asides.attempts.push(held.refused);
    attempts.push(attempt);
    const speed = call.operation === "generate" ? speedSample(attempt) : undefined;
    if (speed !== undefined) plane.speeds.note(speedKey(target.id, call.streamed), speed, plane.clock.nowMs());
    return held;
  }

  /** Half of the time left, while somebody else could still be asked. */
  #share(target: Target): { readonly shareMs?: number } {
    const { plan, attempts, deadlineAtMs, input, view, doubts } = this.#parts;
    const asked = new Set([target.id, ...attempts.map((tried) => tried.target.id)]);
    const others = plan.targets.some((each) => !asked.has(each.target.id));
    // As many doubts as there are targets: only what failed is bounded by attempts.
    const spent = attempts.filter(({ outcome }) => outcome.kind !== "doubted").length;
    const isLast = doubts === undefined && spent + 1 >= plan.maxAttempts && !hasLastRung(plan, asked, view());
    if (!others || isLast) return {};
    return { shareMs: Math.max(1, Math.round((deadlineAtMs - input.plane.clock.nowMs()) / 2)) };
  }
}
