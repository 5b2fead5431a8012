import { processMemory } from "#pipeline/process-memory";
import type { CallTrack } from "./call-track.ts";
import { Chance } from "./chance.ts";
import { EventLoop } from "./event-loop.ts";
import type { Ending } from "./check-outcome.ts";
import { GatewayNode, placesOf, type PlantedBug } from "./gateway-node.ts";
import { HealthWatch } from "./health-watch.ts";
import { History } from "./history.ts";
import { Broken } from "./invariant.ts";
import { planCall, SimulatedClient, type CallPlan } from "./simulated-client.ts";
import { SimulatedUpstream } from "./simulated-upstream.ts";
import { Watch } from "./watch.ts";
import { clientDialects, type Restart, type Storm, type WorldPlan } from "./world-plan.ts";

/** For the last errors to be recorded and told. */
const farewellMs = 2_000;
const gossipMs = 100;

/** A gateway of several nodes among its callers and providers, all of it decided by one seed. */
export class World {
  readonly plan: WorldPlan;
  readonly loop = new EventLoop();
  readonly history = new History(this.loop);
  readonly nodes: readonly GatewayNode[];
  readonly upstream: SimulatedUpstream;
  readonly watch: Watch;
  readonly #health: readonly HealthWatch[];
  readonly #chance: Chance;
  calls = 0;

  constructor(plan: WorldPlan, bug: PlantedBug = {}) {
    this.plan = plan;
    const { loop, history } = this;
    this.#chance = new Chance(plan.seed).fork("world");
    const places = placesOf(plan.snapshots[0]!);
    this.#health = Array.from({ length: plan.nodes }, (_, node) => new HealthWatch(node, places));
    this.watch = new Watch({ loop, history, health: this.#health, steady: steadyIn(plan) });
    this.upstream = new SimulatedUpstream(plan, loop, this.watch);
    const memory = processMemory(() => loop.wallMs());
    this.nodes = this.#health.map(
      (_, index) =>
        new GatewayNode({
          index,
          plan,
          loop,
          send: this.upstream.portOf(index),
          memory,
          watch: () => this.watch,
          chance: this.#chance.fork(`node ${index}`),
          bug,
        }),
    );
    this.#reload();
    for (const each of plan.restarts) this.#restart(each);
    if (plan.hintsLost !== undefined) this.#gossip(plan.hintsLost);
  }

  #reload(): void {
    const { loop, history, plan } = this;
    for (const { atMs, snapshot, afresh } of plan.reloads) {
      for (const node of this.nodes) {
        loop.at(atMs + this.#chance.between(0, 500), () => {
          node.apply(plan.snapshots[snapshot]!, afresh);
          if (afresh) this.#health[node.index]?.forget(this.nowMs);
          history.note(`n${node.index} serves snapshot ${snapshot}${afresh ? ", and all it knew is forgotten" : ""}`);
        });
      }
    }
  }

  #restart({ node: index, atMs, drainMs }: Restart): void {
    const { loop, history } = this;
    const node = this.nodes[index]!;
    loop.at(atMs, () => {
      history.note(`n${index} is to stop`);
      node.live.startDraining();
    });
    loop.at(atMs + drainMs, () => {
      history.note(`n${index} ends ${node.live.count} calls`);
      node.live.endAll();
    });
    loop.at(atMs + drainMs + farewellMs, () => {
      history.note(`n${index} starts anew`);
      this.watch.checkStopped(index, atMs + drainMs);
      node.restart();
      this.watch.restarted(index);
    });
  }

  /** As workers of one node do it: now and then, and nobody waits for it. */
  #gossip(lost: number): void {
    const { loop, plan } = this;
    const chance = this.#chance.fork("gossip");
    const tell = (): void => {
      for (const node of this.nodes) {
        const hints = node.health.takeHints(this.nowMs);
        if (hints.length === 0) continue;
        for (const other of this.nodes) {
          if (other === node || chance.happens(lost)) continue;
          loop.timer(chance.between(0.2, 20), () => {
            this.#health[other.index]?.heard(hints, this.nowMs);
            other.health.hear(hints, this.nowMs);
          });
        }
      }
      if (this.nowMs < plan.healMs) loop.timer(gossipMs, tell);
    };
    loop.timer(gossipMs, tell);
  }

  get nowMs(): number {
    return this.loop.nowMs();
  }

  /** Runs until then, and looks at every invariant after each event. */
  async run(untilMs: number): Promise<void> {
    await this.loop.run(untilMs, () => {
      this.watch.check();
      for (const node of this.nodes) this.#health[node.index]?.check(node.health, this.nowMs);
    });
    this.watch.check();
  }

  /** Callers that come and go as they like, for routes and, now and then, for one target. */
  traffic(fromMs: number, untilMs: number): void {
    const chance = this.#chance.fork(`traffic ${fromMs}`);
    const again = (): void => {
      if (this.nowMs >= untilMs) return;
      this.call(this.#anyCall(chance));
      this.loop.timer(chance.exponential(1000 / this.plan.perSecond), again);
    };
    this.loop.at(fromMs, again);
  }

  storm({ node, route, fromMs, untilMs, perSecond }: Storm): void {
    const chance = this.#chance.fork(`storm ${fromMs}`);
    const again = (): void => {
      if (this.nowMs >= untilMs) return;
      const patient = { leavesMs: undefined, readsPerSecond: undefined, stopsAfterBytes: undefined };
      this.call({ ...this.#anyCall(chance), model: route, fallbacks: [], node, uploadMs: 0, ...patient });
      this.loop.timer(chance.exponential(1000 / perSecond), again);
    };
    this.loop.at(fromMs, again);
  }

  #anyCall(chance: Chance): CallPlan {
    const { clients, snapshots } = this.plan;
    const routes = [...snapshots[0]!.routes.values()];
    const route = chance.pick(routes);
    const target = chance.pick(route.targets);
    const pinned = chance.happens(0.12);
    return planCall(this.calls, chance.whole(0, this.nodes.length - 1), {
      chance,
      clients,
      dialect: chance.pick(clientDialects),
      model: pinned ? `${target.provider}/${target.model}` : route.name,
      fallbacks: pinned && chance.happens(0.3) ? [chance.pick(routes).name] : [],
    });
  }

  /** Starts one call now. */
  call(plan: CallPlan, then: (ending: Ending, call: CallTrack) => void = () => {}): void {
    const node = this.nodes[plan.node]!;
    this.calls += 1;
    const call: CallTrack = {
      number: plan.number,
      node: plan.node,
      client: new SimulatedClient(plan, this.loop),
      arrivedAtMs: this.nowMs,
      snapshot: node.snapshot,
      doorOpen: node.journal.healthy && !node.live.draining,
      upstreams: [],
      records: [],
      durable: undefined,
      servedAtMs: undefined,
      committedAtMs: undefined,
    };
    this.watch.arrived(call);
    node
      .serve(call)
      .then(() => then(this.watch.served(call), call))
      .catch((error: unknown) => this.watch.bug(error));
  }

  /** Everything is over: nothing is held, nothing waits. */
  checkQuiet(): void {
    this.watch.checkQuiet();
    for (const { index, live, clock } of this.nodes) {
      if (live.count > 0) throw new Broken("I7", `n${index} holds the slots of ${live.count} calls that are over`);
      if (clock.pending > 0) throw new Broken("I7", `n${index} has ${clock.pending} timers of calls that are over`);
    }
  }

  checkAdmits(): void {
    for (const node of this.nodes) this.#health[node.index]?.checkAdmits(node.health, this.nowMs);
  }
}

/** Providers that nothing ever happens to. */
function steadyIn({ snapshots, episodes }: WorldPlan): ReadonlySet<string> {
  const ids = [...snapshots[0]!.providers.keys()];
  return new Set(ids.filter((id) => !episodes.some(({ provider }) => provider === id)));
}
