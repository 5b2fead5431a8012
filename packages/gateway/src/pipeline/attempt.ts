import type { AnswerFrame, StreamDecoder } from "#dialects/dialect";
import { failure, type Failure } from "#domain/failure";
import type { Outcome } from "#domain/plan";
import type { UpstreamFlow, UpstreamHandler, UpstreamRequest } from "#domain/ports";
import { placeOf } from "#policy/health";
import type { Visit } from "#policy/visit";
import type { ProviderKind } from "#providers/provider";
import { rateLimitsOf } from "#providers/rate-limit-headers";
import { Abandoned, mayDrain } from "./abandoned.ts";
import type { AttemptInput, AttemptResult, EarlyVerdict } from "./attempt-input.ts";
import { resultOf, returnedHeaders, type Times } from "./attempt-result.ts";
import { CommitGate } from "./gate.ts";
import { maskOf } from "./mask.ts";
import { isStreamType, openDecoder } from "./open-decoder.ts";
import { outgoing, streamTypesOf } from "./outgoing.ts";
import { endingOf, Observation } from "./observation.ts";
import { Watchdog } from "./watchdog.ts";
import { insteadOfStream, maxErrorBytes, textOf, WholeBody } from "./whole-body.ts";

/** How long a complete stream's transport may take to end as well. */
const lingerMs = 1_000;

/** One try at one target: asks, reads, judges. Resolves exactly once; the client has its last byte later. */
export function attempt(input: AttemptInput): Promise<AttemptResult> {
  return new Promise((resolve) => new AttemptRun(input, resolve).start());
}

class AttemptRun implements UpstreamHandler {
  readonly #input: AttemptInput;
  readonly #resolve: (result: AttemptResult) => void;
  readonly #kind: ProviderKind;
  readonly #seen: Observation;
  readonly #gate: CommitGate;
  readonly #watchdog: Watchdog;
  readonly #startedAtMs: number;
  /** How it stands with the target's health; until it is sent there is nothing to tell. */
  #visit: Visit | undefined;
  #flow: UpstreamFlow | undefined;
  #decoder: StreamDecoder | undefined;
  #status: number | undefined;
  #headers: Readonly<Record<string, string>> = {};
  #firstByteAtMs: number | undefined;
  #firstContentAtMs: number | undefined;
  readonly #whole = new WholeBody();
  #abandoned: Abandoned | undefined;
  #over = false;
  /** The time of the latest read, asked for once however many frames it holds. */
  #nowMs = 0;
  #cancelLinger: (() => void) | undefined;
  #transportOver = false;

  constructor(input: AttemptInput, resolve: (result: AttemptResult) => void) {
    const { plane, limits, exchange } = input;
    this.#input = input;
    this.#seen = new Observation(input.lane.kind === "relay");
    this.#resolve = resolve;
    this.#kind = input.kind;
    this.#startedAtMs = plane.clock.nowMs();
    this.#watchdog = new Watchdog({
      clock: plane.clock,
      timeouts: input.timeouts,
      deadlineAtMs: input.deadlineAtMs,
      streamed: input.streamed,
      ...(input.shareMs === undefined ? {} : { shareMs: input.shareMs }),
      heartbeatMs: limits.heartbeatMs,
      onTimeout: (what) => this.#giveUp(what),
      onQuiet: () => this.#gate.heartbeat(),
    });
    this.#gate = new CommitGate({
      exchange,
      clock: plane.clock,
      stalledMs: limits.stalledClientMs,
      maxHeldBytes: input.watch?.holds === true ? limits.maxAnswerBytes : limits.maxHeldBytes,
      heartbeat: input.lane.heartbeat,
      onFull: () => {
        this.#watchdog.paused(plane.clock.nowMs());
        this.#flow?.pause();
      },
      onFree: () => {
        this.#watchdog.resumed(plane.clock.nowMs());
        this.#flow?.resume();
      },
      onWrote: () => this.#watchdog.wroteDownstream(this.#nowMs),
      onStalled: () => this.#fail(failure("client_gone", "The client took no byte for too long.")),
      guard: (work) => this.#guarded(work),
    });
  }

  start(): void {
    this.#guarded(() => this.#send());
  }

  #send(): void {
    const { plane, control, target, credentialId, operation, fingerprint } = this.#input;
    const place = placeOf({ provider: target.provider, model: target.model, credential: credentialId }, operation);
    this.#visit = plane.health.begin(place, this.#startedAtMs, fingerprint);
    control.listen((why) => this.#ended(why));
    this.#input.entrant?.onLost(() => this.#withdraw());
    if (this.#over) return;
    const request = outgoing(this.#input, this.#startedAtMs);
    if (request instanceof Promise) {
      // A token that has to be fetched first: the watchdog and the client may end the attempt meanwhile.
      request.then(
        (ready) => this.#guarded(() => this.#leaveAs(ready)),
        (bug: unknown) => this.#guarded(() => raise(bug)),
      );
    } else this.#leaveAs(request);
  }

  /** From outside: the client has left, or the gateway stops. What is billed to its end anyway is read to its end. */
  #ended(why: Failure): void {
    const { plane, spec } = this.#input;
    if (this.#flow === undefined || this.#abandoned !== undefined || !mayDrain(spec, why)) this.#fail(why);
    else {
      this.#abandoned = new Abandoned(plane.clock, why, () => this.#fail(why));
      this.#flow.resume();
    }
  }

  #leaveAs(request: UpstreamRequest | Failure): void {
    if (this.#over) return;
    if ("origin" in request) this.#flow = this.#input.plane.send(request, this);
    else this.#fail(request);
  }

  onHead(status: number, headers: Readonly<Record<string, string>>): void {
    const nowMs = this.#input.plane.clock.nowMs();
    this.#status = status;
    this.#headers = headers;
    this.#firstByteAtMs = nowMs;
    this.#input.plane.health.reach.heard(this.#input.target.provider);
    this.#watchdog.sawByte(nowMs);
    const limits = rateLimitsOf(headers, this.#input.plane.clock.wallMs());
    if (limits.length > 0) this.#visit?.learned(limits, nowMs);
    if (status !== 200 || !this.#input.streamed) return;
    if (!isStreamType(headers["content-type"], streamTypesOf(this.#input))) return;
    this.#decoder = openDecoder(this.#input, {
      classify: (complaint) => this.#classify(complaint),
      onFrame: (frame) => this.#onFrame(frame),
    });
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#guarded(() => {
      this.#nowMs = this.#input.plane.clock.nowMs();
      this.#watchdog.sawByte(this.#nowMs);
      if (this.#decoder === undefined) {
        this.#collect(bytes);
        return;
      }
      this.#decoder.push(bytes);
      this.#afterFrames();
    });
  }

  onEnd(): void {
    this.#transportEnded();
    if (!this.#over) this.#complete();
  }

  onFail(what: Failure): void {
    this.#transportEnded();
    this.#giveUp(what);
  }

  #transportEnded(): void {
    this.#transportOver = true;
    this.#cancelLinger?.();
  }

  /** A stream that lost its connection, or its voice, after its finish was seen is complete all the same. */
  #giveUp(what: Failure): void {
    if (this.#over) return;
    if (this.#decoder !== undefined && this.#seen.finish !== undefined) this.#complete();
    else this.#fail(what);
  }

  /** Nothing more comes: what there is is whole, or it is not. */
  #complete(): void {
    this.#guarded(() => {
      if (this.#decoder === undefined) {
        this.#judgeWhole();
        return;
      }
      this.#decoder.end();
      this.#afterFrames();
      const cut = endingOf(this.#seen);
      if (cut !== undefined) this.#fail(cut);
    });
  }

  /** These run inside callbacks of sockets and timers: a bug of ours may cost this call, and must cost no other. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (bug) {
      this.#input.plane.onBug(bug);
      this.#fail(failure("internal_error", "The gateway failed to read this answer."));
    }
  }

  #onFrame(frame: AnswerFrame): void {
    if (this.#over || this.#seen.ended || this.#seen.failure !== undefined) return;
    let commits = false;
    let content = false;
    let verdict: EarlyVerdict | undefined;
    for (const event of frame.events) {
      const before = this.#seen.contentBytes;
      if (this.#seen.see(event)) commits = true;
      content ||= this.#seen.contentBytes > before;
      verdict = this.#input.watch?.see(event, frame.raw.length) ?? verdict;
    }
    if (this.#seen.failure !== undefined) return;
    const rendered = this.#input.lane.renderFrame(frame);
    if (this.#seen.ended) {
      this.#gate.holdLast(rendered);
      return;
    }
    this.#gate.add(rendered, frame.raw.length);
    if (content) this.#watchdog.sawContent(this.#nowMs);
    if (commits && !this.#begins()) return;
    if (verdict === "doubt") this.#doubt();
    else if (verdict === "give" && !this.#gate.committed) this.#commit();
  }

  /** The first content. False where another attempt was first. */
  #begins(): boolean {
    if (!this.#claims()) return false;
    this.#firstContentAtMs = this.#input.plane.clock.nowMs();
    this.#visit?.content(this.#firstContentAtMs);
    if (this.#input.watch?.holds !== true) this.#commit();
    return true;
  }

  /** From here on the client sees this target's answer and no other. */
  #commit(): void {
    this.#gate.commit(this.#input.headers(returnedHeaders(this.#input, this.#headers)));
  }

  /** What has come is enough to know that it will not do: no more of it is waited, or paid, for. */
  #doubt(): void {
    if (this.#over || this.#gate.committed) return;
    this.#visit?.left();
    this.#settle({ kind: "doubted", usage: this.#seen.usageOfCancelled(this.#requestBytes) });
  }

  /** Whether this attempt's answer is the call's; where another was first, it is over. */
  #claims(): boolean {
    if (this.#input.entrant?.claim() !== false) return true;
    this.#withdraw();
    return false;
  }

  /** Another attempt was first. That is no fault: only the time that was waited says something of the target. */
  #withdraw(): void {
    if (this.#over) return;
    const { plane } = this.#input;
    this.#visit?.content(plane.clock.nowMs());
    this.#visit?.left();
    this.#settle({ kind: "outrun", usage: this.#seen.usageOfCancelled(this.#requestBytes) });
  }

  /** Once per piece the upstream sent: one write for all its frames. */
  #afterFrames(): void {
    if (this.#over) return;
    this.#gate.flushSoon();
    if (this.#seen.failure !== undefined) this.#fail(this.#seen.failure);
    else if (!this.#gate.committed && this.#input.watch?.refusal) this.#fail(this.#input.watch.refusal);
    else if (this.#seen.ended) this.#succeed();
    else if (this.#gate.overfull && this.#seen.contentSeen) this.#tooLarge();
    else if (this.#gate.overfull) {
      this.#fail(failure("bad_upstream_response", "The provider sent more than it may before any content."));
    }
  }

  #tooLarge(): void {
    const most = this.#input.limits.maxAnswerBytes;
    this.#fail(failure("bad_upstream_response", `The provider's answer is larger than ${most} bytes.`));
  }

  #collect(bytes: Uint8Array): void {
    const most = this.#status === 200 ? this.#input.limits.maxAnswerBytes : maxErrorBytes;
    if (this.#whole.add(bytes, most)) return;
    if (this.#status === 200) this.#tooLarge();
    else this.#judgeWhole();
  }

  #judgeWhole(): void {
    const body = this.#whole.take();
    const type = this.#headers["content-type"] ?? "";
    if (this.#status !== 200 || type.includes("text/html")) {
      this.#fail(this.#classify(textOf(body), this.#status === 200 ? 502 : this.#status));
      return;
    }
    if (this.#input.streamed) {
      this.#fail(insteadOfStream(body, (complaint) => this.#classify(complaint)));
      return;
    }
    const read = this.#input.readWhole(body, this.#seen, (complaint) => this.#classify(complaint));
    if (!(read instanceof Uint8Array)) {
      this.#fail(read);
      return;
    }
    this.#firstContentAtMs = this.#input.plane.clock.nowMs();
    this.#succeed(read);
  }

  #classify(complaint: unknown, status?: number): Failure {
    return this.#kind.classify({
      ...(status === undefined ? {} : { status }),
      headers: this.#headers,
      body: maskOf(this.#input.spec).complaint(complaint),
      wallMs: this.#input.plane.clock.wallMs(),
    });
  }

  #succeed(body?: Uint8Array): void {
    const { finish } = this.#seen;
    const usage = this.#seen.usageOrEstimate(this.#requestBytes);
    const empty = this.#seen.empty;
    if (!empty && !this.#claims()) return;
    if (empty) this.#visit?.left();
    else this.#visit?.succeeded(this.#input.plane.clock.nowMs());
    this.#settle(
      {
        kind: "answered",
        finish: finish ?? { reason: "stop" },
        ...(usage === undefined ? {} : { usage }),
        ...(empty ? { empty } : {}),
      },
      body,
    );
  }

  #fail(what: Failure): void {
    if (this.#over) return;
    const { plane } = this.#input;
    this.#visit?.failed(what, plane.clock.nowMs(), plane.random());
    plane.health.reach.failed(this.#input.target.provider, what.kind, plane.clock.nowMs());
    const isCancelled = what.kind === "client_gone" && this.#flow !== undefined;
    const usage = this.#seen[isCancelled ? "usageOfCancelled" : "usageOrEstimate"](this.#requestBytes);
    const kind = this.#gate.committed ? "broken" : "failed";
    this.#settle({ kind, failure: what, ...(usage === undefined ? {} : { usage }) });
  }

  #settle(ending: Outcome, body?: Uint8Array): void {
    if (this.#over) return;
    this.#over = true;
    this.#watchdog.stop();
    this.#gate.close();
    this.#input.control.listen(undefined);
    this.#leave(ending);
    const outcome = this.#abandoned?.outcome(ending, this.#gate.committed) ?? ending;
    this.#resolve(
      resultOf(this.#input, {
        ...this.#times,
        outcome,
        seen: this.#seen,
        gate: this.#gate,
        headers: this.#headers,
        body,
      }),
    );
  }

  get #times(): Times {
    return {
      startedAtMs: this.#startedAtMs,
      firstByteAtMs: this.#firstByteAtMs,
      firstContentAtMs: this.#firstContentAtMs,
      status: this.#status,
    };
  }

  /**
   * A complete answer's connection is worth keeping: its transport usually ends in the same breath, so it gets a
   * moment for that. Anything else is cut at once.
   */
  #leave(outcome: Outcome): void {
    const flow = this.#flow;
    if (this.#transportOver) return;
    if (outcome.kind !== "answered" || this.#decoder === undefined) {
      flow?.cancel();
      return;
    }
    // Its client may have stopped it, and stopped it cannot end.
    flow?.resume();
    this.#cancelLinger = this.#input.plane.clock.timer(lingerMs, () => flow?.cancel());
  }

  get #requestBytes(): number {
    return this.#input.lane.body.reduce((sum, piece) => sum + piece.length, 0);
  }
}

function raise(bug: unknown): never {
  throw bug;
}
