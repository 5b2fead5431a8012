import type { Exchange, Journal, Memory, SendUpstream } from "#domain/ports";
import type { Snapshot } from "#domain/snapshot";
import type { DataPlane } from "#pipeline/data-plane";
import { LiveCalls } from "#pipeline/live-calls";
import { serveCall } from "#pipeline/serve-call";
import { Affinity } from "#policy/affinity";
import { Health, type Place } from "#policy/health";
import { RetryBudget } from "#policy/retry-budget";
import { Speeds } from "#policy/speeds";
import type { CallTrack } from "./call-track.ts";
import type { Chance } from "./chance.ts";
import { CountedClock, type EventLoop } from "./event-loop.ts";
import type { Watch } from "./watch.ts";
import type { JournalEpisode, WorldPlan } from "./world-plan.ts";

/** Where a test puts a bug in: each wraps, or stands in for, a part that the pipeline is given. */
export interface PlantedBug {
  readonly send?: (send: SendUpstream) => SendUpstream;
  readonly exchange?: (exchange: Exchange) => Exchange;
  readonly health?: () => Health;
  readonly live?: () => LiveCalls;
  readonly retryBudget?: () => RetryBudget;
}

interface NodeParts {
  readonly index: number;
  readonly plan: WorldPlan;
  readonly loop: EventLoop;
  readonly send: SendUpstream;
  readonly memory: Memory;
  readonly watch: () => Watch;
  readonly chance: Chance;
  readonly bug: PlantedBug;
}

/** One worker of the gateway: the real pipeline and policy with everything else made of virtual time. */
export class GatewayNode {
  readonly index: number;
  readonly clock: CountedClock;
  readonly journal: SimulatedJournal;
  readonly plane: DataPlane;
  readonly #parts: NodeParts;
  #snapshot: Snapshot;
  #health: Health;
  #live: LiveCalls;
  #budgets = new Map<string, RetryBudget>();
  #ids = 0;
  #arriving: CallTrack | undefined;

  constructor(parts: NodeParts) {
    const { index, plan, loop, bug, send, memory, watch, chance } = parts;
    this.#parts = parts;
    this.index = index;
    this.clock = new CountedClock(loop);
    this.#live = bug.live?.() ?? new LiveCalls();
    this.#health = bug.health?.() ?? new Health();
    this.#snapshot = plan.snapshots[0]!;
    const episodes = plan.journals.filter(({ node }) => node === index);
    this.journal = new SimulatedJournal(episodes, { loop, watch, chance: chance.fork("journal") });
    const budgetOf = (route: string): RetryBudget => {
      const budget = this.#budgets.get(route) ?? bug.retryBudget?.() ?? new RetryBudget();
      this.#budgets.set(route, budget);
      return budget;
    };
    const health = (): Health => this.#health;
    const live = (): LiveCalls => this.#live;
    this.plane = {
      snapshot: () => this.#snapshot,
      clock: this.clock,
      send: bug.send?.(send) ?? send,
      journal: this.journal,
      journalHealthy: () => this.journal.healthy,
      get health() {
        return health();
      },
      memory,
      retryBudgets: { of: budgetOf },
      affinity: new Affinity(),
      speeds: new Speeds(),
      traitsOf: (spec, model) => spec.models.get(model),
      get live() {
        return live();
      },
      random: () => chance.next(),
      newId: () => this.#newId(),
      observe: () => {},
      observeRefusal: () => {},
      onBug: (error) => watch().bug(error),
    };
  }

  get live(): LiveCalls {
    return this.#live;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get health(): Health {
    return this.#health;
  }

  get places(): readonly Place[] {
    return placesOf(this.#snapshot);
  }

  apply(snapshot: Snapshot, afresh: boolean): void {
    this.#snapshot = snapshot;
    if (afresh) this.#health = this.#parts.bug.health?.() ?? new Health();
  }

  /** The process is a new one: of what the old one knew only the journal and the memory are left. */
  restart(): void {
    const { bug } = this.#parts;
    this.#live = bug.live?.() ?? new LiveCalls();
    this.#health = bug.health?.() ?? new Health();
    this.#budgets = new Map();
  }

  async serve(call: CallTrack): Promise<void> {
    this.#arriving = call;
    const served = serveCall(this.#parts.bug.exchange?.(call.client) ?? call.client, this.plane);
    this.#arriving = undefined;
    await served;
  }

  /** The first id that is asked for after an arrival is the call's own. */
  #newId(): string {
    const id = `${this.index}${String((this.#ids += 1)).padStart(23, "0")}`;
    if (this.#arriving !== undefined) this.#parts.watch().named(this.#arriving, `req_${id}`);
    this.#arriving = undefined;
    return id;
  }
}

export function placesOf(snapshot: Snapshot): readonly Place[] {
  return [...snapshot.providers.values()].flatMap(({ id, credentials }) =>
    credentials.flatMap((credential) =>
      ["m0", "m1"].map((model) => ({ provider: id, model, credential: credential.id })),
    ),
  );
}

interface JournalParts {
  readonly loop: EventLoop;
  readonly watch: () => Watch;
  readonly chance: Chance;
}

/** A disk that takes its time, and at times takes nothing. */
class SimulatedJournal implements Journal {
  readonly #episodes: readonly JournalEpisode[];
  readonly #parts: JournalParts;
  /** Until when it is known to fail. */
  #failsUntilMs = 0;

  constructor(episodes: readonly JournalEpisode[], parts: JournalParts) {
    this.#episodes = episodes;
    this.#parts = parts;
  }

  get healthy(): boolean {
    return this.#parts.loop.nowMs() >= this.#failsUntilMs;
  }

  append(...[record, then]: Parameters<Journal["append"]>): void {
    const { loop, watch, chance } = this.#parts;
    const nowMs = loop.nowMs();
    watch().recorded(record);
    const now = this.#episodes.find(({ fromMs, untilMs }) => nowMs >= fromMs && nowMs < untilMs);
    const fails = now?.how === "fails";
    loop.timer(now === undefined ? chance.between(0.1, 4) : chance.between(50, 800), () => {
      if (fails) this.#failsUntilMs = now.untilMs;
      watch().durable(record, !fails);
      then(fails ? new Error("the disk is full") : undefined);
    });
  }
}
