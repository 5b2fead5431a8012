import type { HealthHint } from "#domain/health";
import { keyOf } from "#policy/health-entry";
import type { Log } from "./log.ts";

/**
 * Says what an operator has to know or do: what is out of use, what began to fail, and that it is back. Further openings
 * of what fails already, and waits that providers ask for, are to be seen in `hedgerow status`.
 */
export function logNews(hints: readonly HealthHint[], log: Log): void {
  for (const hint of hints) {
    const facts = { scope: keyOf(hint.scope), after: hint.cause };
    if (hint.closed) log.info("a provider answers again", { scope: facts.scope });
    else if (hint.dead && hint.coolForMs > 0) {
      log.error("out of use: look at the account or the configuration", {
        ...facts,
        nextTryInMs: Math.round(hint.coolForMs),
      });
    } else if (hint.opened === 1 && hint.openForMs > 0) {
      log.warn("failing, and not asked for a while", { ...facts, nextTryInMs: Math.round(hint.openForMs) });
    }
  }
}
