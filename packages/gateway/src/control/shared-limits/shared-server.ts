import { createHash } from "node:crypto";
import type { Lent, Meter, Return, Want } from "#domain/account";
import type { Clock } from "#domain/ports";
import type { Answer, ScriptRunner } from "./connection.ts";
import type { Scripts } from "./scripts.ts";

/** How the server is to count a return: `used`, of a rate, was taken without asking at that second. */
export interface Told extends Return {
  readonly used?: true;
}

/** `unknown`: the node has to tell what it holds before it is lent anything. */
export type Borrowed = Lent | { readonly kind: "unknown" };

export interface SharedServerOptions {
  readonly runner: ScriptRunner;
  readonly scripts: Scripts;
  readonly prefix: string;
  /** A name that no other node has, and none had before. */
  readonly node: string;
  readonly workers: number;
  readonly clock: Pick<Clock, "wallMs">;
}

/** Without a sign of life for so long, what a node holds is free, ms. */
const leaseMs = 10_000;
/** Meters of one sign of life, so that a node with many of them holds nobody else up. */
const mostOfABeat = 500;
const longestReadableId = 200;

/** The steps of counting for all nodes, at the server. Every key is in one slot of a cluster, by its `{limits}`. */
export class SharedServer {
  readonly #options: SharedServerOptions;
  readonly #nodes: string;

  constructor(options: SharedServerOptions) {
    this.#options = options;
    this.#nodes = `${options.prefix}:{limits}:nodes`;
  }

  /** `onEnd` is called once: with what the answer says, also where it comes after we stopped waiting, or that none will come. */
  async borrow(wants: readonly Want[], onEnd: (borrowed: Borrowed, isLate: boolean) => void): Promise<Borrowed> {
    const { runner, scripts, node, workers } = this.#options;
    const answer = await runner.run({
      script: scripts.borrow,
      keys: [this.#nodes, ...wants.map(({ meter }) => this.#key(meter))],
      args: [
        node,
        String(workers),
        ...wants.flatMap(({ meter, need, like }) => [
          kindOf(meter),
          String(meter.limit),
          String(need),
          String(like),
          meter.soft === true ? "1" : "0",
        ]),
      ],
      onEnd: (ended, isLate) => onEnd(readBorrowed(wants, ended), isLate),
    });
    return readBorrowed(wants, answer);
  }

  /** Nobody waits for it; `onLost` is told where the server may not have heard it. */
  giveBack(told: readonly Told[], onLost: (why: string) => void): void {
    if (told.length === 0) return;
    void this.tell(told).then((answer) => answer.kind === "answered" || onLost(answer.why));
  }

  tell(told: readonly Told[]): Promise<Answer> {
    const { runner, scripts, node, clock } = this.#options;
    const wallMs = clock.wallMs();
    return runner.run({
      script: scripts.giveBack,
      keys: [this.#nodes, ...told.map(({ meter }) => this.#key(meter))],
      args: [
        node,
        ...told.flatMap(({ meter, back, spent, atS, used }) => [
          used === true ? "u" : kindOf(meter),
          String(back),
          String(spent),
          // From the end of that second: loans are made before they are used, so later is looked at first.
          atS === undefined ? "" : String(wallMs - atS * 1000 - 999),
        ]),
      ],
    });
  }

  /** Says that this node lives and what it holds, in all. How many nodes live; undefined where the server did not hear it. */
  async beat(held: readonly { readonly meter: Meter; readonly units: number }[]): Promise<number | undefined> {
    const { runner, scripts, node } = this.#options;
    const parts = [held.slice(0, mostOfABeat)];
    for (let at = mostOfABeat; at < held.length; at += mostOfABeat) parts.push(held.slice(at, at + mostOfABeat));
    const answers = await Promise.all(
      parts.map((part) =>
        runner.run({
          script: scripts.beat,
          keys: [this.#nodes, ...part.map(({ meter }) => this.#key(meter))],
          args: [node, String(leaseMs), ...part.map(({ units }) => String(units))],
        }),
      ),
    );
    const nodes = answers.map((answer) => (answer.kind === "answered" ? Number(answer.value) : Number.NaN));
    return nodes.every((count) => Number.isFinite(count)) ? Math.max(1, ...nodes) : undefined;
  }

  async leave(): Promise<void> {
    const { runner, scripts, node } = this.#options;
    await runner.run({ script: scripts.leave, keys: [this.#nodes], args: [node] });
  }

  #key(meter: Meter): string {
    // What end users are called is nobody's business there.
    const isPlain = !meter.account.startsWith("user:") && meter.id.length <= longestReadableId;
    const id = isPlain ? meter.id : `#${createHash("sha256").update(meter.id).digest("base64url")}`;
    return `${this.#options.prefix}:{limits}:${kindOf(meter)}:${id}`;
  }
}

function kindOf(meter: Meter): "r" | "s" {
  return meter.unit === "slots" ? "s" : "r";
}

/** An answer of another shape is no answer. */
function readBorrowed(wants: readonly Want[], answer: Answer): Borrowed {
  if (answer.kind !== "answered") return answer;
  const numbers = Array.isArray(answer.value) ? answer.value.map(Number) : [];
  const [first, index = 0, remaining = 0, resetMs = -1] = numbers;
  if (first === 2) return { kind: "unknown" };
  if (first === 1 && numbers.length === 1 + 2 * wants.length) {
    return { kind: "lent", amounts: numbers.slice(1, 1 + wants.length), left: numbers.slice(1 + wants.length) };
  }
  const meter = wants[index - 1]?.meter;
  if (first !== 0 || meter === undefined) return { kind: "unreachable", why: "its answer is not understood" };
  return { kind: "denied", meter, remaining, ...(resetMs < 0 ? {} : { resetMs }) };
}
