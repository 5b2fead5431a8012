import type { ToolCallPart } from "#domain/request";
import { madeCallId } from "./call-ids.ts";
import type { PartialArguments } from "./partial-arguments.ts";

/** Where ids made for a caller's history begin; no answer's own id is this. */
const history = "turns";

interface OpenCall {
  readonly given: string | undefined;
  readonly name: string;
  readonly id: string;
}

/**
 * Ids for the calls of a history, most of which have none in this language. A call's place in the history makes its id,
 * so that it is the same in every later turn; results find their calls by id, else by name in the order of the calls.
 */
export class CallMatcher {
  /** The last call, while its arguments come in pieces (`streamFunctionCallArguments`). */
  unfinished: { readonly call: ToolCallPart; readonly pieces: PartialArguments } | undefined;
  readonly #taken = new Set<string>();
  #open: readonly OpenCall[] = [];
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
    this.#open = [...this.#open, { given: own, name, id }];
    return id;
  }

  /** The id of the call that a result answers; undefined where none waits for it. */
  answer(given: string | undefined, name: string): string | undefined {
    const byId = given === undefined || given === "" ? undefined : this.#open.find((call) => call.given === given);
    const found = byId ?? this.#open.find((call) => call.name === name);
    this.#open = this.#open.filter((call) => call !== found);
    return found?.id;
  }
}
