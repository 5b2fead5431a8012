/**
 * What must hold in every world, after every event or once nothing is in flight any more. I8 and I15 (spend, and whose
 * credential) are missing: there are no budgets and no callers' own credentials in this version.
 */
const invariants = {
  I1: "a call ends exactly once",
  I2: "no byte follows the end",
  I3: "the bytes of an answer are one target's, in order, without a gap",
  I4: "a call is over a second after its deadline",
  I5: "a client's leaving cancels the upstream within 50 ms",
  I6: "a call leaves exactly one record",
  I7: "nothing is held for a call that is over",
  I9: "no upstream stream outlives its call",
  I10: "retries stay within the route's budget",
  I11: "once the faults are over, every probe is answered",
  I12: "once the faults are over, every breaker admits again",
  I13: "five hard failures without a success between them open",
  I14: "what a client sees complete has a durable record",
  I16: "what waits for one client is bounded",
  commit: "nothing reaches a client before content came, and no second target is asked after",
  ending: "a stream ends with its completion or with an error, and never with both",
  truth: "the record says what happened",
  door: "no call is turned away while a target of its route never failed",
  caller: "callers who do nothing wrong are not told that they did",
  secret: "a provider sees no other provider's key",
  bug: "nothing throws",
} as const;

export type InvariantId = keyof typeof invariants;

export class Broken extends Error {
  readonly invariant: InvariantId;

  constructor(invariant: InvariantId, detail: string) {
    super(`${invariant} (${invariants[invariant]}): ${detail}`);
    this.invariant = invariant;
  }
}
