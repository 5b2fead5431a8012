import type { UpstreamRequest } from "#domain/ports";
import type { CallRecord } from "#domain/record";
import { defaultTimeouts } from "#domain/snapshot";
import { nameOf, type CallTrack } from "./call-track.ts";
import { checkOutcome, type Ending } from "./check-outcome.ts";
import type { EventLoop } from "./event-loop.ts";
import type { HealthWatch } from "./health-watch.ts";
import type { History } from "./history.ts";
import { Broken } from "./invariant.ts";
import { completes } from "./read-answer.ts";
import { RetryWatch } from "./retry-watch.ts";
import { highWaterBytes } from "./simulated-client.ts";
import { mostAtOnceBytes, type UpstreamTrack, type UpstreamWatcher } from "./simulated-upstream.ts";

interface WatchParts {
  readonly loop: EventLoop;
  readonly history: History;
  readonly health: readonly HealthWatch[];
  /** Providers that never fail. */
  readonly steady: ReadonlySet<string>;
}

const cancelWithinMs = 50;
const graceMs = 1_000;
/** A complete stream's transport gets a second to end as well. */
const lingerMs = 1_010;

/** Sees everything that crosses the gateway's borders, and throws where it may not be so. */
export class Watch implements UpstreamWatcher {
  readonly #parts: WatchParts;
  readonly #retries = new RetryWatch();
  readonly #calls = new Map<number, CallTrack>();
  readonly #byId = new Map<string, CallTrack>();
  /** Calls in flight, and those whose upstream has yet to close. */
  readonly #live = new Set<CallTrack>();
  readonly endings: Partial<Record<Ending, number>> = {};
  /** Broken where there is nobody above to throw to. */
  broken: unknown;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  get openUpstreams(): number {
    return [...this.#live].reduce((sum, call) => sum + call.upstreams.filter(({ open }) => open).length, 0);
  }

  arrived(call: CallTrack): void {
    const { client } = call;
    this.#calls.set(call.number, call);
    this.#live.add(call);
    const { dialect, model, streamed } = client.plan;
    this.#note(`${nameOf(call)} ${dialect} ${streamed ? "stream" : "whole"} for ${model}`);
    client.watcher = { wrote: (bytes, last) => this.#wrote(call, bytes, last) };
  }

  named(call: CallTrack, id: string): void {
    this.#byId.set(id, call);
  }

  sent(track: UpstreamTrack, request: UpstreamRequest): void {
    this.#note(`call ${track.call} asks ${track.provider}/${track.model} as request ${track.serial}: ${track.mode}`);
    const call = this.#calls.get(track.call);
    if (call === undefined) throw new Broken("I3", `request ${track.serial} is nobody's`);
    const key = request.headers["authorization"] ?? request.headers["x-api-key"] ?? "";
    if (!key.includes(`sk-of-${track.provider}-`)) throw new Broken("secret", `${track.provider} was sent ${key}`);
    if (call.committedAtMs !== undefined) throw new Broken("commit", `${nameOf(call)} asks on after its first byte`);
    const before = call.upstreams.map(({ overAtMs = this.nowMs }) => overAtMs);
    call.upstreams.push(track);
    // A second one beside the first is decided on now, any other when the one before it ended.
    const chargedAtMs = before.length === 0 ? this.nowMs : Math.max(...before);
    this.#retries.sent(budgetOf(call), call, { chargedAtMs, nowMs: this.nowMs });
    this.#parts.health[track.node]?.sent(track);
  }

  over(track: UpstreamTrack): void {
    track.overAtMs = this.nowMs;
    this.#note(`request ${track.serial} is ${track.complete ? "over" : "cancelled"}`);
    this.#parts.health[track.node]?.over(track);
  }

  recorded(record: CallRecord): void {
    const call = this.#byId.get(record.id);
    if (call === undefined) throw new Broken("I6", `a record of ${record.id}, which never came`);
    call.records.push(record);
    this.#note(`call ${call.number} is recorded: ${record.decision} ${record.code ?? ""}`);
    if (call.records.length > 1) throw new Broken("I6", `${nameOf(call)} is recorded again`);
  }

  durable(record: CallRecord, kept: boolean): void {
    const call = this.#byId.get(record.id);
    if (call !== undefined) call.durable = kept;
    if (!kept) this.#note(`call ${call?.number} has no durable record`);
  }

  served(call: CallTrack): Ending {
    call.servedAtMs = this.nowMs;
    this.#retries.served(budgetOf(call), call, this.nowMs);
    const ending = checkOutcome(call, this.#parts.steady);
    this.endings[ending] = (this.endings[ending] ?? 0) + 1;
    this.#note(`${nameOf(call)} is over: ${ending} ${call.client.status}, ${call.client.receivedBytes} bytes`);
    return ending;
  }

  bug(error: unknown): void {
    this.broken ??= error instanceof Broken ? error : new Broken("bug", String((error as Error).stack ?? error));
  }

  /** A node that told its calls to end some time ago is about to stop. */
  checkStopped(node: number, toldAtMs: number): void {
    for (const call of this.#live) {
      if (call.node !== node || call.servedAtMs !== undefined || call.arrivedAtMs > toldAtMs) continue;
      this.bug(new Broken("I4", `${nameOf(call)} goes on although its node stops`));
    }
  }

  restarted(node: number): void {
    this.#retries.forget(node);
    this.#parts.health[node]?.forget(this.nowMs);
  }

  /** After every event: what time alone may break. */
  check(): void {
    if (this.broken !== undefined) throw this.broken;
    for (const call of this.#live) this.#checkCall(call);
  }

  /** Nothing is in flight, and nothing may be held. */
  checkQuiet(): void {
    for (const call of this.#live) {
      if (call.servedAtMs === undefined) throw new Broken("I4", `${nameOf(call)} never ended`);
    }
    const open = this.openUpstreams;
    if (open > 0) throw new Broken("I9", `${open} upstream requests are open`);
  }

  get nowMs(): number {
    return this.#parts.loop.nowMs();
  }

  #checkCall(call: CallTrack): void {
    const { client, upstreams, servedAtMs } = call;
    const { nowMs } = this;
    const open = upstreams.find((each) => each.open);
    if (client.goneAtMs !== undefined && open !== undefined && nowMs > client.goneAtMs + cancelWithinMs) {
      const lateMs = Math.round(nowMs - client.goneAtMs);
      throw new Broken("I5", `${nameOf(call)} left ${lateMs} ms ago, and request ${open.serial} is open`);
    }
    if (client.plan.streamed && !client.ended && client.bufferedBytes > mostWaiting(call)) {
      throw new Broken("I16", `${client.bufferedBytes} bytes wait for ${nameOf(call)}`);
    }
    if (servedAtMs === undefined) {
      const totalMs = call.snapshot.routes.get(client.plan.model)?.timeouts.totalMs ?? defaultTimeouts.totalMs;
      if (nowMs > call.arrivedAtMs + totalMs + graceMs) throw new Broken("I4", `${nameOf(call)} is not over`);
    } else if (open === undefined) this.#live.delete(call);
    else if (nowMs > servedAtMs + lingerMs) {
      throw new Broken("I9", `${nameOf(call)} is over, and request ${open.serial} is open`);
    }
  }

  #wrote(call: CallTrack, bytes: Buffer, last: boolean): void {
    const { client } = call;
    if (client.status !== 200) return;
    const isFirst = call.committedAtMs === undefined;
    call.committedAtMs ??= this.nowMs;
    if (isFirst) this.#note(`${nameOf(call)} gets its first bytes`);
    // What has no content in it leaves whole or not at all.
    if (isFirst && !last && !call.upstreams.some(({ contentSent }) => contentSent)) {
      throw new Broken("commit", `${nameOf(call)} got bytes before any content came`);
    }
    const finishes = client.plan.streamed ? completes(client.plan.dialect, bytes) : last;
    if (finishes && call.durable !== true) throw new Broken("I14", `${nameOf(call)} is complete before its record`);
  }

  #note(what: string): void {
    this.#parts.history.note(what);
  }
}

/** A route's at a node: the first that the caller names, else what it names. */
function budgetOf({ node, client, snapshot }: CallTrack): string {
  const names = [client.plan.model, ...client.plan.fallbacks];
  return `n${node} ${names.find((name) => snapshot.routes.has(name)) ?? client.plan.model}`;
}

/**
 * The socket's own mark, and what one read of the upstream brings. At its end Responses says the whole text again, in
 * each of four events (openai-node 7.57: `response.output_text.done` to `response.completed`).
 */
function mostWaiting({ client, upstreams }: CallTrack): number {
  const again = client.plan.dialect === "openai-responses" ? 4 : 0;
  return highWaterBytes + 2 * mostAtOnceBytes + again * Math.max(0, ...upstreams.map(({ textBytes }) => textBytes));
}
