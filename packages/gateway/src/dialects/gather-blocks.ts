import type { AnswerEvent, Finish } from "#domain/answer";
import type { Usage } from "#domain/usage";
import { defined } from "./shape.ts";

export type WholeBlock =
  | { readonly kind: "text"; text: string }
  | { readonly kind: "reasoning"; text: string; signature: string; readonly redacted?: string }
  | { readonly kind: "tool"; readonly id: string; readonly name: string; json: string };

/** An answer as Anthropic's and Amazon's languages say it: blocks in the order of their first content. */
export interface GatheredBlocks {
  readonly head?: { readonly id: string; readonly model: string };
  readonly usage?: Usage;
  readonly finish?: Finish;
  /** Some of the text was a refusal. */
  readonly refused: boolean;
  readonly blocks: readonly WholeBlock[];
  /** What no block is for, by name. */
  readonly foreign: readonly string[];
}

/** The number refusal text goes under: it has none of its own. */
export const refusalBlock = -1;

/** One answer from all its events; undefined where they do not end in `end`. Blocks without content are left out. */
export function gatherBlocks(events: readonly AnswerEvent[]): GatheredBlocks | undefined {
  const gathering = new Gathering();
  for (const event of events) gathering.see(event);
  const { head, usage, finish, refused, ended, foreign, byNumber } = gathering;
  return ended ? defined({ head, usage, finish, refused, foreign, blocks: [...byNumber.values()] }) : undefined;
}

class Gathering {
  head?: { readonly id: string; readonly model: string };
  usage?: Usage;
  finish?: Finish;
  refused = false;
  ended = false;
  readonly foreign: string[] = [];
  readonly byNumber = new Map<number, WholeBlock>();

  see(event: AnswerEvent): void {
    switch (event.kind) {
      case "start":
        this.head = event;
        return;
      case "usage":
        this.usage = event.usage;
        return;
      case "finish":
        this.finish = event.finish;
        return;
      case "end":
        this.ended = true;
        return;
      case "foreign":
        this.foreign.push(event.what);
        return;
      case "refusal-delta":
        this.refused = true;
        this.#append(refusalBlock, event.text);
        return;
      case "text-delta":
        this.#append(event.block, event.text);
        return;
      default:
        this.#piece(event);
    }
  }

  #append(number: number, text: string): void {
    if (text === "") return;
    const known = this.byNumber.get(number);
    if (known?.kind === "text") known.text += text;
    else this.byNumber.set(number, { kind: "text", text });
  }

  #piece(event: AnswerEvent): void {
    switch (event.kind) {
      case "reasoning-start":
        if (event.redacted === undefined) return;
        this.byNumber.set(event.block, { kind: "reasoning", text: "", signature: "", redacted: event.redacted });
        return;
      case "reasoning-delta":
        if (event.text !== "") this.#thought(event.block).text += event.text;
        return;
      case "reasoning-signature":
        this.#thought(event.block).signature = event.signature;
        return;
      case "tool-start":
        this.byNumber.set(event.block, { kind: "tool", id: event.id, name: event.name, json: "" });
        return;
      case "tool-delta": {
        const known = this.byNumber.get(event.block);
        if (known?.kind === "tool") known.json += event.json;
        return;
      }
      default:
        return;
    }
  }

  #thought(number: number): Extract<WholeBlock, { kind: "reasoning" }> {
    const known = this.byNumber.get(number);
    if (known?.kind === "reasoning") return known;
    const made: WholeBlock = { kind: "reasoning", text: "", signature: "" };
    this.byNumber.set(number, made);
    return made;
  }
}
