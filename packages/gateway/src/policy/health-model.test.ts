import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { Health, type Place } from "./health.ts";
import type { Visit } from "./visit.ts";

const place: Place = { provider: "a", model: "m", credential: "a#1" };

interface Sent {
  readonly number: number;
  readonly visit: Visit;
}

/** The rules once more, for one model at one provider with one credential, in the plainest words there are. */
class Reference {
  nowMs = 0;
  moments = 0;
  row = 0;
  openings = 0;
  openUntilMs = 0;
  openedAtMoment = 0;
  coolUntilMs = 0;
  holder: number | undefined;
  calls: number[] = [];
  failures: number[] = [];
  readonly running: Sent[] = [];

  get isOpen(): boolean {
    return this.openings > 0;
  }

  get ready(): boolean {
    const waits = this.nowMs < this.openUntilMs || this.nowMs < this.coolUntilMs;
    return !waits && !(this.isOpen && this.holder !== undefined);
  }

  send(visit: Visit): void {
    this.moments += 1;
    this.calls.push(this.nowMs);
    if (this.isOpen && this.nowMs >= this.openUntilMs && this.holder === undefined) this.holder = this.moments;
    this.running.push({ number: this.moments, visit });
  }

  open(chance: number): void {
    if (this.nowMs < this.openUntilMs) return;
    const waitMs = Math.min(1_000 * 2 ** this.openings, 60_000);
    this.openUntilMs = this.nowMs + Math.round(waitMs * (0.8 + 0.4 * chance));
    this.openings += 1;
    this.holder = undefined;
    this.openedAtMoment = this.moments;
  }

  mostFailed(): boolean {
    const recent = (at: number): boolean => Math.floor(at / 10_000) > Math.floor(this.nowMs / 10_000) - 12;
    const calls = this.calls.filter(recent).length;
    return calls >= 20 && this.failures.filter(recent).length > calls / 2;
  }

  fail({ number }: Sent, hard: boolean, chance: number): void {
    const wasProbe = this.holder === number;
    if (wasProbe) this.holder = undefined;
    this.moments += 1;
    this.failures.push(this.nowMs);
    const saysNothingNew = this.isOpen && number < this.openedAtMoment && this.nowMs >= this.openUntilMs;
    if (saysNothingNew) return;
    if (hard) this.row += 1;
    if ((hard && this.row >= 5) || this.mostFailed() || (wasProbe && this.isOpen)) this.open(chance);
  }

  limit({ number }: Sent, waitMs: number, chance: number): void {
    const wasProbe = this.holder === number;
    if (wasProbe) this.holder = undefined;
    this.moments += 1;
    this.coolUntilMs = Math.max(this.coolUntilMs, this.nowMs + waitMs);
    if (wasProbe && this.isOpen) this.open(chance);
  }

  release({ number }: Sent): void {
    if (this.holder === number) this.holder = undefined;
  }

  succeed(sent: Sent): void {
    this.release(sent);
    if (this.isOpen && sent.number < this.openedAtMoment) return;
    if (this.isOpen) [this.calls, this.failures] = [[], []];
    this.row = 0;
    this.openings = 0;
    this.openUntilMs = 0;
    this.holder = undefined;
  }
}

type Step = (model: Reference, health: Health) => void;

class Play implements fc.Command<Reference, Health> {
  readonly #words: string;
  readonly #needsCall: boolean;
  readonly #step: Step;

  constructor(words: string, needsCall: boolean, step: Step) {
    this.#words = words;
    this.#needsCall = needsCall;
    this.#step = step;
  }

  check(model: Reference): boolean {
    return !this.#needsCall || model.running.length > 0;
  }

  run(model: Reference, health: Health): void {
    this.#step(model, health);
    const state = health.readiness(place, model.nowMs);
    expect(state.kind).toBe(model.ready ? "ready" : "parked");
    // What is over is not waited for.
    const untilMs = state.kind === "parked" ? Math.max(state.untilMs, model.nowMs) : model.nowMs;
    expect(untilMs).toBe(Math.max(model.openUntilMs, model.coolUntilMs, model.nowMs));
  }

  toString(): string {
    return this.#words;
  }
}

/** Takes one of the calls in flight off the list. */
function taken(model: Reference, pick: number): Sent {
  const [sent] = model.running.splice(pick % model.running.length, 1);
  if (sent === undefined) throw new Error("no call in flight");
  return sent;
}

const pick = fc.nat(50);
const chance = fc.constantFrom(0, 0.25, 0.5, 1);
const commands = [
  fc.integer({ min: 1, max: 40_000 }).map(
    (ms) =>
      new Play(`wait ${ms}`, false, (model) => {
        model.nowMs += ms;
      }),
  ),
  // Chance alone seldom gets so far as an opening, nor to the moment of its probe.
  fc.constant(
    new Play("fail five", false, (model, health) => {
      for (let n = 0; n < 5; n += 1) {
        model.send(health.begin(place, model.nowMs));
        const sent = taken(model, model.running.length - 1);
        sent.visit.failed(failure("upstream_failed", "x"), model.nowMs, 0.5);
        model.fail(sent, true, 0.5);
      }
    }),
  ),
  fc.constant(
    new Play("wait for the probe and send", false, (model, health) => {
      model.nowMs = Math.max(model.nowMs, model.openUntilMs, model.coolUntilMs);
      model.send(health.begin(place, model.nowMs));
    }),
  ),
  fc.constant(new Play("send", false, (model, health) => model.send(health.begin(place, model.nowMs)))),
  fc.integer({ min: 1, max: 12 }).map(
    (count) =>
      new Play(`send ${count}`, false, (model, health) => {
        for (let n = 0; n < count; n += 1) model.send(health.begin(place, model.nowMs));
      }),
  ),
  fc.tuple(pick, fc.boolean(), chance).map(
    ([at, hard, luck]) =>
      new Play(`fail ${at} ${hard ? "hard" : "soft"} ${luck}`, true, (model) => {
        const sent = taken(model, at);
        const what = failure(hard ? "upstream_failed" : "first_byte_timeout", "x");
        sent.visit.failed(what, model.nowMs, luck);
        model.fail(sent, hard, luck);
      }),
  ),
  fc.tuple(pick, fc.nat(20_000), chance).map(
    ([at, waitMs, luck]) =>
      new Play(`limit ${at} ${waitMs} ${luck}`, true, (model) => {
        const sent = taken(model, at);
        sent.visit.failed(failure("rate_limited", "x", { retryAfterMs: waitMs }), model.nowMs, luck);
        model.limit(sent, waitMs, luck);
      }),
  ),
  pick.map(
    (at) =>
      new Play(`content ${at}`, true, (model) => {
        const sent = model.running[at % model.running.length]!;
        sent.visit.content(model.nowMs);
        model.release(sent);
      }),
  ),
  pick.map(
    (at) =>
      new Play(`succeed ${at}`, true, (model) => {
        const sent = taken(model, at);
        sent.visit.succeeded(model.nowMs);
        model.succeed(sent);
      }),
  ),
  pick.map(
    (at) =>
      new Play(`leave ${at}`, true, (model) => {
        const sent = taken(model, at);
        sent.visit.left();
        model.release(sent);
      }),
  ),
];

describe("Health against a reference", () => {
  it("is ready exactly when the rules say so, whatever calls do", () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 120, size: "max" }), (cmds) => {
        fc.modelRun(() => ({ model: new Reference(), real: new Health() }), cmds);
      }),
      { numRuns: 150 },
    );
  });

  it("admits somebody again within the longest opening once all calls have ended: no slot is ever lost", () => {
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 120, size: "max" }), (cmds) => {
        const model = new Reference();
        const health = new Health();
        fc.modelRun(() => ({ model, real: health }), cmds);
        for (const { visit } of model.running) visit.left();
        expect(health.readiness(place, model.nowMs + 72_000).kind).toBe("ready");
      }),
      { numRuns: 60 },
    );
  });
});
