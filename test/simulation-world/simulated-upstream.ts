import type { SendUpstream, UpstreamFlow, UpstreamHandler, UpstreamRequest } from "#domain/ports";
import { Issuer } from "#simulation/issuer";
import type { Performance } from "#simulation/player";
import { Respond } from "#simulation/respond";
import { RuleBook } from "#simulation/script";
import type { Step } from "#simulation/timeline";
import { transportFailure } from "#transport/transport-failure";
import { Chance } from "./chance.ts";
import type { EventLoop } from "./event-loop.ts";
import { healthy, textBytesOf, treat, type Fate, type Treatment } from "./fault-modes.ts";
import { longestAskedMs, type Episode, type WorldPlan } from "./world-plan.ts";

/** One request as a provider sees it. */
export interface UpstreamTrack {
  readonly serial: number;
  readonly node: number;
  /** The caller's number, from its prompt. */
  readonly call: number;
  readonly provider: string;
  readonly model: string;
  readonly sentAtMs: number;
  /** `healthy`, or what goes wrong. */
  readonly mode: string;
  readonly fate: Fate;
  /** Of the text it says if it is let. */
  readonly textBytes: number;
  /** A piece of content has been handed over. */
  contentSent: boolean;
  /** Everything that the treatment says has been handed over. */
  complete: boolean;
  overAtMs: number | undefined;
  open: boolean;
}

export interface UpstreamWatcher {
  sent(track: UpstreamTrack, request: UpstreamRequest): void;
  over(track: UpstreamTrack): void;
}

/** Nobody's answer is larger: the most that one event hands over. */
export const mostAtOnceBytes = 21_000;

/** All the providers of a world: what they say comes from the simulated providers' own voices, byte for byte. */
export class SimulatedUpstream {
  readonly #plan: WorldPlan;
  readonly #loop: EventLoop;
  readonly #watcher: UpstreamWatcher;
  readonly #respond: Respond;
  readonly #chance: Chance;
  /** By target and mode. */
  readonly #met = new Map<string, number>();
  #treatment: Treatment | undefined;
  #episodes: readonly Episode[];
  serial = 0;

  constructor(plan: WorldPlan, loop: EventLoop, watcher: UpstreamWatcher) {
    this.#plan = plan;
    this.#loop = loop;
    this.#watcher = watcher;
    this.#episodes = plan.episodes;
    this.#chance = new Chance(plan.seed).fork("upstream");
    const rules = {
      lenient: false,
      allowFields: new Set<string>(),
      keys: undefined,
      issuer: new Issuer("world"),
      alternatingRoles: false,
      habits: {},
      models: undefined,
    };
    const behaviour = () => (this.#treatment?.kind === "answer" ? this.#treatment.behaviour : {});
    this.#respond = new Respond(rules, new RuleBook([{ behaviour }]));
  }

  /** Every fault is over, for requests that come from now on. */
  heal(): void {
    this.#episodes = [];
  }

  /** The upstream port of one node. */
  portOf(node: number): SendUpstream {
    return (request, handler) => {
      const body = Buffer.concat(request.body ?? []);
      const chance = this.#chance.fork(`request ${this.serial}`);
      const track = this.#track(node, request, body.toString("utf8"));
      const { treatment } = this.#decide(track, body.includes('"stream":true'), chance);
      Object.assign(track, { mode: treatment.mode, fate: treatment.fate, textBytes: textBytesOf(treatment) });
      this.#watcher.sent(track, request);
      const conversation = new Conversation({ loop: this.#loop, handler, track, chance, watcher: this.#watcher });
      if (treatment.kind === "socket") conversation.breakOff(treatment.code, treatment.afterMs);
      else conversation.play(this.#performance(request, body, treatment));
      return conversation;
    };
  }

  #track(node: number, { origin }: UpstreamRequest, body: string): UpstreamTrack {
    const provider = /^http:\/\/(\w+)\.sim/.exec(origin)?.[1] ?? origin;
    const calls = [...body.matchAll(/\bcall number (\d+)/g)];
    return {
      serial: this.serial++,
      node,
      call: Number(calls.at(-1)?.[1] ?? -1),
      provider,
      model: /"model":\s*"([^"]+)"/.exec(body)?.[1] ?? "",
      sentAtMs: this.#loop.nowMs(),
      mode: "",
      fate: "other",
      textBytes: 0,
      contentSent: false,
      complete: false,
      overAtMs: undefined,
      open: true,
    };
  }

  #decide(
    { serial, provider, model }: UpstreamTrack,
    streamed: boolean,
    chance: Chance,
  ): { readonly treatment: Treatment & { readonly mode: string; readonly fate: Fate } } {
    const nowMs = this.#loop.nowMs();
    const { firstContentMs, betweenMs } = this.#plan.latency;
    const request = { serial, streamed, nth: 0, firstContentMs, betweenMs, longestAskedMs, chance };
    for (const each of this.#episodes) {
      const here = each.provider === provider && (each.model ?? model) === model;
      if (!here || nowMs < each.fromMs || nowMs >= each.untilMs || !chance.happens(each.share)) continue;
      const key = `${provider}/${model} ${each.mode}`;
      const nth = this.#met.get(key) ?? 0;
      this.#met.set(key, nth + 1);
      const treatment = treat(each.mode, { ...request, nth });
      return { treatment: { fate: "other", ...treatment, mode: each.mode } };
    }
    return { treatment: { fate: "clean", ...healthy(request), mode: "healthy" } };
  }

  #performance(request: UpstreamRequest, body: Buffer, treatment: Treatment): Performance {
    this.#treatment = treatment;
    const { method, path, headers } = request;
    const arrival = { sequence: this.serial, connection: 0, method, path, headers, body, startedAtMs: 0 };
    const reply = this.#respond.to(arrival, { tooLarge: false, createdAtS: Math.floor(this.#loop.wallMs() / 1000) });
    this.#treatment = undefined;
    return reply.performance;
  }
}

interface Parts {
  readonly loop: EventLoop;
  readonly handler: UpstreamHandler;
  readonly track: UpstreamTrack;
  readonly chance: Chance;
  readonly watcher: UpstreamWatcher;
}

/** One request and its answer on a wire that takes its time, splits what it likes and waits while it is paused. */
class Conversation implements UpstreamFlow {
  readonly #parts: Parts;
  #steps: Iterator<Step> | undefined;
  #head: Performance["head"] | undefined;
  #headSeen = false;
  #paused = false;
  /** What to go on with once it is resumed. */
  #waiting: (() => void) | undefined;
  #tail = "";

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  breakOff(code: string, afterMs: number): void {
    this.#parts.loop.timer(afterMs, () => this.#end(code));
  }

  play({ head, steps }: Performance): void {
    this.#head = head;
    this.#steps = steps[Symbol.iterator]();
    this.#soon(1);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const then = this.#waiting;
    this.#waiting = undefined;
    if (then !== undefined) this.#parts.loop.timer(0, then);
  }

  cancel(): void {
    const { track, watcher } = this.#parts;
    if (!track.open) return;
    track.open = false;
    watcher.over(track);
  }

  #soon(mostMs: number): void {
    const { loop, chance } = this.#parts;
    loop.timer(chance.next() * mostMs, () => this.#go());
  }

  #go(): void {
    const { track, loop, chance } = this.#parts;
    while (track.open) {
      if (this.#paused) {
        this.#waiting = () => this.#go();
        return;
      }
      const next = this.#steps?.next();
      if (next === undefined || next.done === true) return;
      const step = next.value;
      switch (step.kind) {
        case "wait":
          loop.timer(step.ms, () => this.#go());
          return;
        case "hold":
          this.#hold(step);
          return;
        case "head":
          this.#sendHead();
          break;
        case "end":
          this.#end(step.how === "clean" ? undefined : step.how === "rst" ? "ECONNRESET" : "UND_ERR_SOCKET");
          return;
        case "send":
          this.#send(step.bytes);
          break;
      }
      // What leaves in one breath comes in one, or not.
      if (chance.happens(0.25)) {
        this.#soon(2);
        return;
      }
    }
  }

  #sendHead(): void {
    const flat: Record<string, string> = {};
    for (const [name, value] of Object.entries(this.#head?.headers ?? {})) {
      flat[name.toLowerCase()] = typeof value === "string" ? value : value.join(", ");
    }
    this.#headSeen = true;
    this.#parts.handler.onHead(this.#head?.status ?? 0, flat);
  }

  #send(bytes: Buffer): void {
    const { handler, chance, track } = this.#parts;
    const seen = this.#tail + bytes.toString("latin1");
    track.contentSent ||= seen.includes(`[${track.serial}.0/`);
    this.#tail = seen.slice(-40);
    const at = chance.happens(0.15) ? chance.whole(0, bytes.length) : bytes.length;
    for (const piece of [bytes.subarray(0, at), bytes.subarray(at)]) {
      if (piece.length > 0 && track.open) handler.onBytes(Buffer.from(piece));
    }
  }

  #hold({ ping, pingEveryMs, forMs }: Extract<Step, { kind: "hold" }>): void {
    const { loop, track, handler } = this.#parts;
    if (forMs !== undefined) {
      loop.timer(forMs, () => this.#go());
      return;
    }
    if (pingEveryMs === undefined || ping.length === 0) return;
    const again = (): void => {
      if (!track.open) return;
      if (!this.#paused) handler.onBytes(Buffer.from(ping));
      loop.timer(pingEveryMs, again);
    };
    loop.timer(pingEveryMs, again);
  }

  /** The transport's end: clean, or with the code of a socket's error. */
  #end(code: string | undefined): void {
    const { track, handler, watcher } = this.#parts;
    if (!track.open) return;
    track.open = false;
    track.complete = true;
    if (code === undefined) handler.onEnd();
    else {
      const error = Object.assign(new Error("simulated"), { code });
      handler.onFail(transportFailure(error, { headSeen: this.#headSeen, connectMs: 2_000 }));
    }
    watcher.over(track);
  }
}
