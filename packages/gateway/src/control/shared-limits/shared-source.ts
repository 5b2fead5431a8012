import type { DownMode } from "#control/config/shared-schema";
import type { Lent, Meter, Return, Want } from "#domain/account";
import type { Clock } from "#domain/ports";
import { Book } from "#ledger/book";
import type { LendingSource } from "#ledger/node-lender";
import type { Borrowed, SharedServer, Told } from "./shared-server.ts";
import { SlotRegister, type Pending } from "./slot-register.ts";
import { UntoldRates } from "./untold-rates.ts";

export interface SharedSourceOptions {
  readonly server: Pick<SharedServer, "borrow" | "giveBack" | "tell" | "beat" | "leave">;
  readonly clock: Clock;
  readonly workers: number;
  readonly down: DownMode;
  /** Told when the server stops answering, with why, and when it answers again. */
  readonly onReach: (why: string | undefined) => void;
  /** How long a question took, ms, and whether it was answered. */
  readonly onAsked?: (ms: number, isAnswered: boolean) => void;
}

/** Of a node's signs of life, ms. */
const beatEveryMs = 3_000;
/** After the server stopped answering it is tried again, ms: it doubles while it comes and goes. */
const [shortestPauseMs, longestPauseMs] = [250, 3_000];
/** A server that answered for so long is no longer one that comes and goes, ms. */
const steadyMs = 10_000;
/** Of one step that tells of many meters. */
const mostOfAStep = 500;

/**
 * Rates and slots that are counted for all nodes by a server. The node's own book has beside it what this node took of
 * them, so that it can go on by itself, and can tell the server what it missed.
 */
export class SharedSource implements LendingSource {
  readonly #options: SharedSourceOptions;
  /** What this node took. Limits are not looked at here, but while the server cannot be reached. */
  readonly #own: Book;
  readonly #slots = new SlotRegister();
  readonly #untold = new UntoldRates();
  /** How many nodes lived when the server last said. */
  #nodes = 1;
  #isUp = false;
  #upSinceMs = Number.NEGATIVE_INFINITY;
  #pauseMs = shortestPauseMs;
  /** A server that comes and goes is not tried before. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #beating: Promise<boolean> | undefined;
  #beatingNext: Promise<boolean> | undefined;
  #cancelBeat: () => void = () => {};
  #closed = false;

  constructor(options: SharedSourceOptions) {
    this.#options = options;
    this.#own = new Book({ spentBefore: () => 0, holders: () => options.workers });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get nodes(): number {
    return this.#nodes;
  }

  async borrow(holder: string, wants: readonly Want[]): Promise<Lent> {
    if (!this.#isUp) return this.#borrowAlone(holder, wants);
    let lent = await this.#ask(holder, wants);
    // It has lost its memory, or took us for gone: what we hold comes first.
    if (lent.kind === "unknown" && (await this.beat())) lent = await this.#ask(holder, wants);
    if (lent.kind === "lent" || lent.kind === "denied") return lent;
    this.#lost(lent.kind === "unknown" ? "it does not know this node" : lent.why);
    return this.#borrowAlone(holder, wants);
  }

  giveBack(holder: string, returns: readonly Return[]): void {
    this.#own.giveBack(holder, returns, this.#options.clock.wallMs());
    if (this.#isUp) this.#return(returns);
    else for (const each of returns) if (each.meter.unit !== "slots") this.#untold.take(each, this.#second());
  }

  drop(holder: string): ReadonlyMap<Meter, number> {
    const lost = this.#own.drop(holder);
    // Its slots are free at once, everywhere.
    if (this.#isUp) void this.beat();
    return lost;
  }

  othersWith(holder: string, meters: readonly Meter[]): readonly string[] {
    return this.#own.othersWith(holder, meters, this.#options.clock.wallMs());
  }

  /** There is a connection, the first or another: the server is told what this node holds, and what it missed. */
  connected(): void {
    if (!this.#isUp && this.#options.clock.nowMs() >= this.#notBeforeMs) void this.beat();
  }

  /** A sign of life that tells what is held now: false where the server did not hear it. */
  beat(): Promise<boolean> {
    if (this.#beating === undefined) return (this.#beating = this.#beat());
    // One that is under way told what was held before.
    return (this.#beatingNext ??= this.#beating.then(() => {
      this.#beatingNext = undefined;
      return this.beat();
    }));
  }

  /** What this node holds is free for others at once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelBeat();
    await this.#beating;
    if (this.#isUp) await this.#options.server.leave();
  }

  async #ask(holder: string, wants: readonly Want[]): Promise<Borrowed> {
    const { server, clock, onAsked } = this.#options;
    const beganMs = clock.nowMs();
    const pending = wants.map(({ meter, need, like }) =>
      meter.unit === "slots" ? this.#slots.ask(meter, need + like, beganMs) : undefined,
    );
    const lent = await server.borrow(wants, (borrowed, isLate) => {
      const amounts = borrowed.kind === "lent" ? borrowed.amounts : wants.map(() => 0);
      const isKnown = borrowed.kind !== "unreachable";
      const over = pending.map((each, index) => this.#settled(each, amounts[index] ?? 0, isKnown));
      if (!isLate && borrowed.kind === "lent") this.#note(holder, wants, amounts);
      // Nobody waits any more for what is late.
      this.#return(
        wants.map(({ meter }, index) => ({
          meter,
          back: (over[index] ?? 0) + (isLate ? (amounts[index] ?? 0) : 0),
          spent: 0,
        })),
      );
    });
    onAsked?.(clock.nowMs() - beganMs, lent.kind !== "unreachable");
    return lent;
  }

  /** Slots that a sign of life told of as held, because they might have come. What became of them is not always known. */
  #settled(pending: Pending | undefined, got: number, isKnown: boolean): number {
    if (pending === undefined) return 0;
    const over = this.#slots.answered(pending, got);
    return isKnown ? over : 0;
  }

  #note(holder: string, wants: readonly Want[], amounts: readonly number[]): void {
    const noted = wants.map(({ meter }, index) => ({ meter: unbounded(meter), need: amounts[index] ?? 0, like: 0 }));
    this.#own.borrow(holder, noted, this.#options.clock.wallMs());
  }

  #return(returns: readonly Told[]): void {
    const told = returns.filter(({ back, spent }) => back !== 0 || spent !== 0);
    this.#options.server.giveBack(told, (why) => {
      this.#lost(why);
      // What was given back may have been heard, and is not given back again. What was used beyond counts.
      for (const { meter, spent } of told) if (meter.unit !== "slots") this.#untold.add(meter, spent, this.#second());
    });
  }

  /** By what this node knows itself. */
  #borrowAlone(holder: string, wants: readonly Want[]): Lent {
    const { down, clock } = this.#options;
    if (down === "deny") return { kind: "unreachable", why: "the server that counts for all nodes does not answer" };
    const alone = wants.map((want) => ({
      ...want,
      meter: down === "allow" ? unbounded(want.meter) : shareOf(want.meter, this.#nodes),
    }));
    const lent = this.#own.borrow(holder, alone, clock.wallMs());
    if (lent.kind !== "lent") return lent;
    for (const [index, { meter }] of wants.entries()) {
      if (meter.unit === "slots") this.#slots.touch(meter, clock.nowMs());
      else this.#untold.add(meter, lent.amounts[index] ?? 0, this.#second());
    }
    return lent;
  }

  #lost(why: string): void {
    if (!this.#isUp) return;
    const { clock, onReach } = this.#options;
    this.#isUp = false;
    const nowMs = clock.nowMs();
    const wasSteady = nowMs - this.#upSinceMs > steadyMs;
    this.#pauseMs = wasSteady ? shortestPauseMs : Math.min(longestPauseMs, this.#pauseMs * 2);
    this.#notBeforeMs = nowMs + this.#pauseMs;
    this.#beatLater(this.#pauseMs);
    onReach(why);
  }

  async #beat(): Promise<boolean> {
    const { server, clock } = this.#options;
    const held = this.#slots.beat((meter) => meter.limit - this.#own.free(meter, clock.wallMs()), clock.nowMs());
    const nodes = await server.beat(held);
    if (nodes !== undefined) this.#nodes = nodes;
    const isHeard = nodes !== undefined && (await this.#tellMissed());
    this.#beating = undefined;
    if (!isHeard) {
      this.#lost("it does not hear this node");
      this.#beatLater(this.#pauseMs);
      return false;
    }
    const wasUp = this.#isUp;
    this.#isUp = true;
    if (wasUp) this.#beatLater(beatEveryMs);
    else {
      this.#upSinceMs = clock.nowMs();
      // What was lent here while this was on its way is told in the next.
      this.#beatLater(0);
      this.#options.onReach(undefined);
    }
    return true;
  }

  /** Until nothing is left to be told. */
  async #tellMissed(): Promise<boolean> {
    for (let missed = this.#untold.drain(this.#second()); missed.length > 0;) {
      const answer = await this.#options.server.tell(missed.slice(0, mostOfAStep));
      if (answer.kind !== "answered") {
        for (const { meter, spent, atS } of missed) this.#untold.add(meter, spent, atS ?? this.#second());
        return false;
      }
      missed = [...missed.slice(mostOfAStep), ...this.#untold.drain(this.#second())];
    }
    return true;
  }

  #beatLater(delayMs: number): void {
    this.#cancelBeat();
    if (!this.#closed) this.#cancelBeat = this.#options.clock.timer(delayMs, () => void this.beat());
  }

  #second(): number {
    return Math.floor(this.#options.clock.wallMs() / 1000);
  }
}

/** Counted, and never a reason to refuse. */
function unbounded(meter: Meter): Meter {
  return { ...meter, soft: true };
}

/** At least one, else the smallest limits would stop everything. */
function shareOf(meter: Meter, nodes: number): Meter {
  return { ...meter, limit: Math.max(1, Math.floor(meter.limit / nodes)) };
}
