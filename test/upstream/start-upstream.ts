import type { AnswerScript, Behaviour } from "#simulation/behaviour";
import type { Match, Responder, Rule, Script } from "#simulation/script";
import { startSimulator } from "#simulation/server";
import type { Simulator, SimulatorOptions } from "#simulation/server";

export type Upstream = Simulator & AsyncDisposable;

/**
 * A simulated provider for a test: `await using upstream = await startUpstream(ok("hi"))`. Any model name is answered.
 * Given several behaviours, each request takes the next, and the last one stays.
 */
export async function startUpstream(
  script: Script | Behaviour | readonly Behaviour[] | Responder = {},
  options: Omit<SimulatorOptions, "script"> = {},
): Promise<Upstream> {
  const simulator = await startSimulator({ alternatingRoles: true, ...options, script: asScript(script) });
  return Object.assign(simulator, { [Symbol.asyncDispose]: () => simulator.close() });
}

function asScript(given: Script | Behaviour | readonly Behaviour[] | Responder): Script | Responder {
  if (typeof given === "function" || "rules" in given) return given;
  return isSequence(given) ? { rules: inTurn(...given) } : { rules: [{ behaviour: given }] };
}

function isSequence(given: Behaviour | readonly Behaviour[]): given is readonly Behaviour[] {
  return Array.isArray(given);
}

/** Rules that give each matching request the next behaviour; the last one stays. */
export function inTurn(...behaviours: readonly Behaviour[]): readonly Rule[] {
  return behaviours.map((behaviour, index) =>
    index === behaviours.length - 1 ? { behaviour } : { match: { times: 1 }, behaviour },
  );
}

/** One rule: `on({ model: "m1" }, fails(503))`. */
export function on(match: Match, behaviour: Behaviour | Responder): Rule {
  return { match, behaviour };
}

/** A good answer, with faults or delays where given. */
export function ok(text = "ok", more: Behaviour = {}): Behaviour {
  return { ...more, answer: { text, ...more.answer } };
}

/** A good answer in exactly these pieces. */
export function says(chunks: readonly string[], more: Behaviour = {}): Behaviour {
  return { ...more, answer: { chunks: [...chunks], ...more.answer } };
}

export function calls(name: string, args: Record<string, unknown> | string = {}, more: AnswerScript = {}): Behaviour {
  return { answer: { ...more, toolCalls: [{ name, arguments: args }] } };
}

/** An error status with a body in the dialect's own shape, unless `more` brings one. */
export function fails(status: number, more: Behaviour = {}): Behaviour {
  return { status, ...more };
}

/** A stream that breaks after so many pieces of `text`. */
export function cutAfter(
  afterChunk: number,
  how: "fin" | "rst" | "clean-end" = "fin",
  text = "one two three four",
): Behaviour {
  return { answer: { text }, cut: { afterChunk, how } };
}

/** An upstream that goes silent for good. */
export function stalls(after: NonNullable<Behaviour["stall"]>["after"], more: Behaviour = {}): Behaviour {
  return { answer: { text: "one two three four" }, ...more, stall: { after, ...more.stall } };
}
