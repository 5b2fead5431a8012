import { differing } from "./golden.ts";
import type { CellResult, Turn } from "./run-cell.ts";
import type { FailureResult } from "./run-failure.ts";

/** How a scenario went with one client over one provider, whole and streamed; what never was run is absent. */
export interface Outcomes<Result = CellResult | FailureResult> {
  readonly whole?: Result;
  readonly streamed: Result;
}

/** As a golden file holds it: of the stream only what differs from the whole answer. */
export function entryOf({ whole, streamed }: Outcomes): object {
  if (whole === undefined) return { streamed: plain(streamed) };
  if (JSON.stringify(whole) === JSON.stringify(streamed)) return { both: plain(whole) };
  if (whole.kind !== "answered" || streamed.kind !== "answered")
    return { whole: plain(whole), streamed: plain(streamed) };
  return {
    whole: whole.turns.map(frugal),
    streamed: streamed.turns.map((turn, index) => differences(whole.turns[index], turn)),
  };
}

function plain(result: CellResult | FailureResult): unknown {
  return result.kind === "answered" ? result.turns.map(frugal) : result;
}

/** Without what is empty. */
function frugal({ warnings, lost, ...turn }: Turn): object {
  return { ...turn, ...(warnings.length === 0 ? {} : { warnings }), ...(lost.length === 0 ? {} : { lost }) };
}

function differences(whole: Turn | undefined, streamed: Turn): object {
  const { sent, ...others } = differing(whole, streamed);
  const isText = typeof sent === "string" || typeof whole?.sent === "string";
  return sent === undefined ? others : { ...others, sent: isText ? sent : differing(whole?.sent, streamed.sent) };
}
