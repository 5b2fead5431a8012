import type { Failure } from "#domain/failure";
import type { Attempt, Plan, SkippedTarget, Target } from "#domain/plan";
import type { CallRetries } from "#policy/call-retries";
import type { Fingerprint } from "#policy/deadly-requests";
import { hedgeReason } from "#policy/hedge";
import { hasLastRung } from "#policy/ladder";
import type { PlanningView } from "#policy/make-plan";
import {
  freeCredential,
  hasHadItsTurn,
  isFinal,
  nextCandidate,
  type Candidate,
  type Situation,
} from "#policy/next-candidate";
import { askTarget, type Held, type Question } from "./ask-target.ts";
import { bestOf, notSent } from "./endings.ts";
import { hedgeFor, speedKey } from "./hedge-for.ts";
import { hedgedAttempt, Lone, type Entrant } from "./hedged-attempt.ts";
import type { Doubts } from "./doubts.ts";
import type { JourneyInput } from "./journey.ts";
import type { DecodedOnce } from "./lane-request.ts";
import type { CallControl } from "./live-calls.ts";
import { speedSample } from "./speed-sample.ts";

/** What the attempts of a call have in common. */
export interface AskerParts extends Pick<Question, "onLane" | "admission"> {
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
  /** The attempt that is judged first, where this one began ahead of its turn. */
  readonly running?: Target;
}

/** An attempt that began before the one before it was judged, because that looked as if it would be doubted. */
interface Ahead {
  readonly step: Candidate;
  readonly entrant: Lone;
  readonly end: Promise<Held | Failure>;
}

/** Makes a call's attempts, one at a time, or two at once where its route hedges. */
export class Asker {
  readonly #parts: AskerParts;
  /** When the first provider was asked. */
  askedAtMs: number | undefined;
  #ahead: Ahead | undefined;

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
    const { input, plan, attempts, chosen } = this.#parts;
    const { plane, control } = input;
    const ahead = this.#ahead;
    if (ahead?.step.target.id === step.target.id) {
      this.#ahead = undefined;
      return this.#note(ahead.step, await ahead.end);
    }
    if (ahead !== undefined) await this.close();
    chosen.push({ target: step.target.id, why: step.why });
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

  /** Nobody needs what was begun ahead. Resolves when it is among the attempts. */
  async close(): Promise<void> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead === undefined) return;
    ahead.entrant.callOff();
    try {
      this.#note(ahead.step, unneeded(await ahead.end));
    } catch (bug) {
      // The call has its answer, or its failure, without it.
      this.#parts.input.plane.onBug(bug);
    }
  }

  /** Asks whoever is asked once the running attempt is doubted, as it will be. */
  #begin({ target, credential }: Candidate): void {
    const { input, attempts, chosen } = this.#parts;
    if (this.#ahead !== undefined) return;
    const nowMs = input.plane.clock.nowMs();
    const running: Attempt = {
      target,
      credential,
      startedAtMs: nowMs,
      endedAtMs: nowMs,
      outcome: { kind: "doubted" },
    };
    const step = nextCandidate({ ...this.situation, attempts: [...attempts, running], mayRetry: () => false });
    if (step.kind === "stop") return;
    chosen.push({ target: step.target.id, why: `asked beside ${target.id}, whose confidence fell; ${step.why}` });
    const entrant = new Lone();
    const end = this.#ask(step, { entrant, control: input.control.fork(), running: target });
    // A bug in it is heard where it is waited for.
    end.catch(() => {});
    this.#ahead = { step, entrant, end };
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
    return this.#note(step, await this.#ask(step, beside));
  }

  #ask(step: Candidate, beside?: Beside): Promise<Held | Failure> {
    const { input, plan, deadlineAtMs, decoded, fingerprint, headers, onLane, doubts, admission } = this.#parts;
    const { target } = step;
    this.askedAtMs ??= input.plane.clock.nowMs();
    const { running, ...racing } = beside ?? {};
    const share = this.#share(target, running);
    return askTarget({
      ...input,
      plan,
      deadlineAtMs,
      decoded,
      fingerprint,
      admission,
      target,
      credential: step.credential,
      ...doubts?.prepare(target, {
        hasOthers: share.shareMs !== undefined,
        ...(beside === undefined ? { onFalling: () => this.#begin(step) } : {}),
        ...(running === undefined ? {} : { running }),
      }),
      ...racing,
      ...share,
      onLane,
      headers: (lane, returned) => {
        // This is the answer: whoever was asked in case it would not be, is not waited or paid for any longer.
        this.#ahead?.entrant.callOff();
        return headers(target, lane, returned);
      },
    });
  }

  /** It is over, and one of the call's attempts. */
  #note(step: Candidate, held: Held | Failure): Held | undefined {
    const { input, attempts, doubts } = this.#parts;
    const { plane, call } = input;
    if (!("result" in held)) {
      attempts.push(notSent(step, held, plane.clock.nowMs()));
      return undefined;
    }
    const { attempt } = held.result;
    if (held.refused !== undefined) doubts?.asides.attempts.push(held.refused);
    attempts.push(attempt);
    const speed = call.operation === "generate" ? speedSample(attempt) : undefined;
    if (speed !== undefined) plane.speeds.note(speedKey(step.target.id, call.streamed), speed, plane.clock.nowMs());
    return held;
  }

  /** Half of the time left, while somebody else could still be asked. */
  #share(target: Target, running?: Target): { readonly shareMs?: number } {
    const { plan, attempts, deadlineAtMs, input, view, doubts } = this.#parts;
    const asked = new Set([target.id, ...attempts.filter(hasHadItsTurn).map((tried) => tried.target.id)]);
    const others = plan.targets.some((each) => !asked.has(each.target.id) && each.target.id !== running?.id);
    // As many doubts as there are targets: only what failed is bounded by attempts.
    const spent = attempts.filter(({ outcome }) => outcome.kind !== "doubted").length;
    const isLast = doubts === undefined && spent + 1 >= plan.maxAttempts && !hasLastRung(plan, asked, view());
    if (!others || isLast) return {};
    return { shareMs: Math.max(1, Math.round((deadlineAtMs - input.plane.clock.nowMs()) / 2)) };
  }
}

/** It ended well and nobody looked: of the call's answers there is one. */
function unneeded(end: Held | Failure): Held | Failure {
  if (!("result" in end)) return end;
  const { attempt } = end.result;
  if (attempt.outcome.kind !== "answered") return end;
  const { usage } = attempt.outcome;
  const outcome = { kind: "outrun" as const, ...(usage === undefined ? {} : { usage }) };
  return { ...end, result: { ...end.result, attempt: { ...attempt, outcome } } };
}
