import { failedGate } from "#confidence/estimators/gates";
import { agreementOf } from "#confidence/estimators/agreement";
import { logprobSignal } from "#confidence/estimators/log-probabilities";
import type { Attempt, Plan } from "#domain/plan";
import { nextCandidate, type Situation } from "#policy/next-candidate";
import { askTarget, type Held, type Question } from "./ask-target.ts";
import { nobody } from "./asides.ts";
import type { Doubts } from "./doubts.ts";
import type { Journey } from "./journey.ts";
import { KeepingWatch } from "./keeping-watch.ts";
import { recordOfShadow } from "./record.ts";
import { Underway } from "./underway.ts";

interface ShadowParts extends Pick<Question, "decoded" | "fingerprint" | "admission"> {
  readonly journey: Journey;
  readonly plan: Plan;
  readonly doubts: Doubts;
  readonly situation: Omit<Situation, "mayRetry">;
}

/** While scores no longer look like those a calibration was made of, so many times as much is asked (cascades.md §4.7). */
const whileDrifting = 5;

/**
 * Asks, after an accepted answer was given, the target that would have been asked next: whether it says the same is a
 * label, for answers nobody doubted, which is what escalations never give. By chance, with the probability in the record,
 * for nobody to wait for, and dropped when the gateway is to stop.
 */
export async function askShadow(parts: ShadowParts): Promise<void> {
  const { journey, plan, doubts, situation } = parts;
  const { answer, rule, given, request } = doubts;
  const { plane, snapshot } = journey.input;
  if (answer === undefined || given?.decision !== "accepted" || rule.shadow === 0) return;
  // What a provider runs itself may do something, and would do it twice.
  if (request?.tools.some((tool) => tool.kind === "foreign" && tool.callerRuns !== true) === true) return;
  const factor = answer.judgement.calibration.state === "drift" ? whileDrifting : 1;
  const propensity = Math.min(1, rule.shadow * factor);
  if (plane.random() >= propensity) return;
  const startedAtMs = plane.clock.nowMs();
  const deadlineAtMs = startedAtMs + plan.timeouts.totalMs;
  const step = nextCandidate({
    ...situation,
    attempts: situation.attempts.map((each) => (each === answer.held.result.attempt ? asDoubted(each) : each)),
    deadlineAtMs,
    mayRetry: () => false,
  });
  const control = step.kind === "try" ? plane.live.openShadow() : undefined;
  if (step.kind === "stop" || control === undefined) return;
  const room = plane.live.room.share();
  const id = `req_${plane.newId()}`;
  const underway = new Underway(journey.input, { id, shadow: { of: journey.input.call.id, propensity } });
  try {
    const held = await askTarget({
      ...journey.input,
      plan,
      deadlineAtMs,
      decoded: parts.decoded,
      fingerprint: parts.fingerprint,
      admission: parts.admission,
      underway,
      target: step.target,
      credential: step.credential,
      exchange: nobody,
      control,
      watch: new KeepingWatch({ holds: true, maxBytes: snapshot.limits.maxAnswerBytes, room }),
      wantsLogprobs: true,
      isShadow: true,
      onLane: () => {},
      headers: () => ({}),
    });
    if (!("result" in held)) return;
    const attempts = [compared(held, doubts), ...(held.refused === undefined ? [] : [held.refused])];
    const record = recordOfShadow(journey, { id, startedAtMs, propensity, attempts });
    plane.observe(record);
    plane.journal.append(record, () => {});
  } finally {
    room.free();
    plane.live.close(control);
  }
}

function asDoubted(attempt: Attempt): Attempt {
  return { ...attempt, outcome: { kind: "doubted" } };
}

/** Judged by what is free, and compared with the answer that was given. */
function compared(held: Held, doubts: Doubts): Attempt {
  const { attempt } = held.result;
  const { answer, request } = doubts;
  if (attempt.outcome.kind !== "answered" || answer === undefined) return attempt;
  const looked = doubts.look(held);
  const gate = request === undefined ? undefined : failedGate(looked.view, request);
  const logprobs = logprobSignal(looked.view, looked.shape);
  const judgement = doubts.judgementOf(
    looked,
    gate === undefined ? (logprobs === undefined ? {} : { logprobs }) : { gate },
  );
  const agrees = agreementOf(answer.view, looked.view, answer.shape);
  return { ...attempt, judgement, ...(agrees === undefined ? {} : { agrees }) };
}
