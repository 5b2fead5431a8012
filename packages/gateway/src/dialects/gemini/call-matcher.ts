import type { ToolCallPart } from "#domain/request";
import { madeCallId } from "./call-ids.ts";
import type { PartialArguments } from "./partial-arguments.ts";

/** Where ids made for a caller's history begin; no answer's own id is this. */
const history = "turns";

interface OpenCall {
  readonly id: string;
  answered: boolean;
}

/** Calls of one id or one name in their order; those before `next` are answered. */
interface Queue {
  readonly calls: OpenCall[];
  next: number;
}

/**
 * Ids for the calls of a history, most of which have none in this language. A call's place in the history makes its id,
 * so that it is the same in every later turn; results find their calls by id, else by name in the order of the calls.
 */
export class CallMatcher {
  /** The last call, while its arguments come in pieces (`streamFunctionCallArguments`). */
  unfinished: { readonly call: ToolCallPart; readonly pieces: PartialArguments } | undefined;
  readonly #taken = new Set<string>();
  readonly #byGiven = new Map<string, Queue>();
  readonly #byName = new Map<string, Queue>();
  #calls = 0;

  /** The hub's id of a call: its own where it has one that no other call has. */
  call(given: string | undefined, name: string): string {
    const own = given === undefined || given === "" ? undefined : given;
    let id = own;
    while (id === undefined || this.#taken.has(id)) {
      id = madeCallId(history, this.#calls);
      this.#calls += 1;
    }
    this.#taken.add(id);
    const call = { id, answered: false };
    if (own !== undefined) line(this.#byGiven, own, call);
    line(this.#byName, name, call);
    return id;
  }

  /** The id of the call that a result answers; undefined where none waits for it. */
  answer(given: string | undefined, name: string): string | undefined {
    const byId = given === undefined || given === "" ? undefined : firstOpen(this.#byGiven.get(given));
    const found = byId ?? firstOpen(this.#byName.get(name));
    if (found !== undefined) found.answered = true;
    return found?.id;
  }
}

function line(queues: Map<string, Queue>, key: string, call: OpenCall): void {
  const queue = queues.get(key);
  if (queue === undefined) queues.set(key, { calls: [call], next: 0 });
  else queue.calls.push(call);
}

function firstOpen(queue: Queue | undefined): OpenCall | undefined {
  while (queue?.calls[queue.next]?.answered === true) queue.next += 1;
  return queue?.calls[queue.next];
}
