import { viewOf } from "#confidence/answer-view";
import { requestDialect } from "#dialects/registry";
import type { AnswerEvent } from "#domain/answer";
import type { Call } from "#domain/call";
import type { AnswerView } from "#domain/confidence";
import type { Failure } from "#domain/failure";
import type { Attempt, Plan, Target } from "#domain/plan";
import type { AttemptRole } from "#domain/record";
import { forbids } from "#policy/constraints";
import { findTargets } from "#policy/find-targets";
import { scopeOf } from "#policy/key-scope";
import { freeCredential, type Situation } from "#policy/next-candidate";
import { scanFields } from "#wire/json-splice";
import type { Admission } from "./admission.ts";
import { askTarget, fingerprintOf, type Held, type Question } from "./ask-target.ts";
import type { Downstream } from "./attempt-input.ts";
import { KeepingWatch } from "./keeping-watch.ts";
import type { HeldShare } from "./held-room.ts";
import { Lone } from "./hedged-attempt.ts";
import { groupsOfTargets } from "./groups-of.ts";
import type { JourneyInput } from "./journey.ts";
import { decodeOnce, type DecodedOnce } from "./lane-request.ts";

interface AsidesParts {
  readonly room: HeldShare;
  readonly input: JourneyInput;
  readonly plan: Plan;
  readonly deadlineAtMs: number;
  readonly decoded: DecodedOnce;
  readonly admission: Admission | undefined;
  readonly situation: () => Omit<Situation, "mayRetry">;
}

/** Somebody who is asked beside the call's own attempts, for no caller's eyes. */
export interface Aside {
  /** `provider/model` */
  readonly by: string;
  /** The whole answer; undefined where there was none, for whatever reason: it is never the call's failure. */
  readonly view: Promise<AnswerView | undefined>;
  /** It is not wanted any more. */
  cancel(): void;
}

/** What is asked aside, in which words. */
type Words = Pick<Question, "call" | "dialect" | "scan" | "decoded" | "fingerprint" | "thread" | "wantsLogprobs">;

interface Reading {
  readonly name: string;
  readonly role: AttemptRole;
  readonly isWanted: () => boolean;
  /** Of a stream. */
  readonly events: () => readonly AnswerEvent[];
}

/** The client of answers that no client sees. */
export const nobody: Downstream = { respond() {}, write: () => true, end() {}, onDrain() {} };

/**
 * Second answers and judges of one call: asked once, by the call's deadline, with health and cost as every attempt, and
 * ended with the call. Whoever may not see the call's data, or is not well, is not asked, which is said in a warning.
 */
export class Asides {
  readonly #parts: AsidesParts;
  readonly attempts: Attempt[] = [];
  readonly warnings = new Set<string>();
  readonly #running = new Set<Aside>();

  constructor(parts: AsidesParts) {
    this.#parts = parts;
  }

  /** The caller's own question, to somebody else. */
  second(name: string): Aside | undefined {
    const { call, dialect, scan, thread } = this.#parts.input;
    const { decoded } = this.#parts;
    const words = { call, dialect, scan, decoded, fingerprint: fingerprintOf(call) };
    return this.#ask(name, "second", thread === undefined ? words : { ...words, thread });
  }

  /** A chat request of the gateway's own. Log-probabilities are asked for as of everybody: who refuses them has words. */
  judge(name: string, request: object): Aside | undefined {
    const { call } = this.#parts.input;
    const plain = { ...request, model: name, logprobs: undefined, top_logprobs: undefined };
    const body = Buffer.from(JSON.stringify(plain), "utf8");
    const scan = scanFields(body, { maxDepth: 100 });
    if ("problem" in scan) throw new Error(`a judge's request is no JSON object: ${scan.problem}`);
    const asked: Call = {
      ...call,
      dialect: requestDialect.id,
      operation: "generate",
      address: {},
      body,
      model: name,
      streamed: false,
      options: { metadata: false },
      passHeaders: {},
    };
    const decoded = decodeOnce(asked, requestDialect);
    return this.#ask(name, "judge", {
      call: asked,
      dialect: requestDialect,
      scan,
      decoded,
      fingerprint: fingerprintOf(asked),
      wantsLogprobs: true,
    });
  }

  /** The call is over, and nobody reads any more of it. Resolves when each has its record. */
  async close(): Promise<void> {
    const running = [...this.#running];
    for (const aside of running) aside.cancel();
    await Promise.all(running.map(({ view }) => view));
  }

  #ask(name: string, role: AttemptRole, words: Words): Aside | undefined {
    const { input, plan, deadlineAtMs, admission } = this.#parts;
    if (input.control.ended !== undefined) return undefined;
    const chosen = this.#choose(name, role);
    if (typeof chosen === "string") {
      this.warnings.add(`${role}: ${name} is not asked: ${chosen}`);
      return undefined;
    }
    const { plane, snapshot, control } = input;
    const leftMs = deadlineAtMs - plane.clock.nowMs();
    const watch = new KeepingWatch({ holds: true, maxBytes: snapshot.limits.maxAnswerBytes, room: this.#parts.room });
    const entrant = new Lone();
    const asking = askTarget({
      plane,
      snapshot,
      plan,
      deadlineAtMs,
      admission,
      role,
      ...(input.underway === undefined ? {} : { underway: input.underway }),
      ...words,
      ...chosen,
      exchange: nobody,
      control: control.fork(),
      watch,
      // It has to tell in time for somebody else to be asked.
      shareMs: Math.max(1, Math.round(leftMs / 2)),
      entrant,
      onLane: () => {},
      headers: () => ({}),
    });
    const aside: Aside = {
      by: chosen.target.id,
      view: asking.then(
        (held) => {
          this.#running.delete(aside);
          return this.#read(held, { name, role, isWanted: () => !entrant.isOff, events: () => watch.events });
        },
        (bug: unknown) => {
          this.#running.delete(aside);
          plane.onBug(bug);
          return undefined;
        },
      ),
      cancel: () => entrant.callOff(),
    };
    this.#running.add(aside);
    return aside;
  }

  #read(held: Held | Failure, about: Reading): AnswerView | undefined {
    const { name, role } = about;
    if (!("result" in held)) {
      this.warnings.add(`${role}: ${name} cannot be asked this: ${held.message}`);
      return undefined;
    }
    const { attempt, seen } = held.result;
    if (held.refused !== undefined) this.attempts.push({ ...held.refused, role });
    this.attempts.push({ ...attempt, role });
    if (attempt.outcome.kind !== "answered") {
      if (about.isWanted()) this.warnings.add(`${role}: ${name} gave no answer`);
      return undefined;
    }
    const events = about.events();
    return viewOf(events.length > 0 ? events : seen.events);
  }

  /** Whom to ask and by which key, or why nobody. */
  #choose(name: string, role: AttemptRole): Pick<Question, "target" | "credential"> | string {
    const { input, plan, situation } = this.#parts;
    const { snapshot, plane, call } = input;
    const found = findTargets({ names: [name] }, snapshot, plane.traitsOf);
    const target: Target | undefined = found.kind === "found" ? found.targets[0] : undefined;
    if (target === undefined) return "there is no such target";
    const route = snapshot.routes.get(plan.route);
    const groupsOf = groupsOfTargets(snapshot, plane.clock.wallMs());
    // A judge is the operator's, whatever the key is for: its words reach no caller.
    const scope = role === "judge" ? {} : scopeOf(input.key);
    const why = forbids(target, { route, snapshot, groupsOf, options: call.options, ...scope });
    if (why !== undefined) return why;
    const credential = freeCredential({ ...situation(), attempts: [] }, target);
    return credential === undefined ? "it does not work at the moment" : { target, credential };
  }
}
