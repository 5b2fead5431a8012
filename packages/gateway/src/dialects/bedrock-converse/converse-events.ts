import type { AnswerEvent, Finish } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { isObject, type JsonObject } from "#dialects/shape";
import { foreignName } from "./own-foreign.ts";
import { textOf } from "./seal-tag.ts";
import { finishOf } from "./stop-reasons.ts";
import { answerTool } from "./tool-names.ts";
import { usageOf } from "./usage-fields.ts";

export type ConverseStep =
  | { readonly kind: "events"; readonly events: readonly AnswerEvent[] }
  | { readonly kind: "failed"; readonly failure: Failure };

interface OpenBlock {
  /** The hub's number: the stream's own indexes may be used again by careless upstreams. */
  readonly block: number;
  /** `answer`: the answer given as the arguments of a tool of ours. */
  readonly kind: "text" | "reasoning" | "redacted" | "tool" | "answer" | "foreign";
  /** Whether a tool's arguments have begun. */
  argued: boolean;
  /** Pieces of a redacted thought, base64; it is one opaque whole. */
  readonly blobs: string[];
}

const nothing: ConverseStep = { kind: "events", events: [] };

/**
 * Events of one answer in the stream grammar of Converse (protocols.md §11), one JSON value at a time: only tools have a
 * start, texts and thoughts begin with their first piece. What breaks the grammar in a way that could lose or mix content
 * is a failure, not something to be skipped.
 */
export class ConverseEvents {
  readonly #open = new Map<number, OpenBlock>();
  #begun = false;
  #blocks = 0;
  #sawTool = false;
  #sawAnswerTool = false;
  #finish: Finish | undefined;
  /** What was used was said before the stop, or anything behind it. */
  #reported = false;

  /** A reason to stop was given. */
  get finished(): boolean {
    return this.#finish !== undefined;
  }

  /** What was used was reported, which is the last thing said of a finished answer. */
  get complete(): boolean {
    return this.finished && this.#reported;
  }

  accept(type: string, message: JsonObject): ConverseStep {
    switch (type) {
      case "contentBlockDelta":
        return this.#delta(message);
      case "messageStart":
        return this.#begun ? broken("a second messageStart inside one answer") : events(this.#begin());
      case "contentBlockStart":
        return this.#blockStart(message);
      case "contentBlockStop":
        return this.#blockStop(message);
      case "messageStop":
        return this.#messageStop(message);
      case "metadata":
        return this.#metadata(message);
      default:
        return events([{ kind: "foreign", what: foreignName(type), payload: message }]);
    }
  }

  #begin(): AnswerEvent[] {
    if (this.#begun) return [];
    this.#begun = true;
    return [{ kind: "start", id: "", model: "" }];
  }

  #blockStart(message: JsonObject): ConverseStep {
    const { contentBlockIndex: index, start } = message;
    if (typeof index !== "number") return broken("contentBlockStart without an index");
    if (this.finished) return broken("content behind messageStop");
    if (this.#open.has(index)) return broken(`content block ${index} began twice`);
    const [member, inside] = memberOf(start);
    // A start that says nothing: texts and thoughts begin with their first piece.
    if (member === undefined || member === "text" || member === "reasoningContent") return events(this.#begin());
    if (member !== "toolUse" || !isObject(inside) || inside["type"] === "server_tool_use") {
      this.#obtain(index, "foreign");
      return events([...this.#begin(), { kind: "foreign", what: foreignName(member), payload: start, content: true }]);
    }
    const { toolUseId: id, name } = inside;
    if (typeof id !== "string" || typeof name !== "string") return broken("a toolUse block without id or name");
    if (name === answerTool) {
      this.#sawAnswerTool = true;
      const { block } = this.#obtain(index, "answer");
      return events([...this.#begin(), { kind: "text-start", block }]);
    }
    this.#sawTool = true;
    const { block } = this.#obtain(index, "tool");
    return events([...this.#begin(), { kind: "tool-start", block, id, name }]);
  }

  #delta(message: JsonObject): ConverseStep {
    const { contentBlockIndex: index, delta } = message;
    if (typeof index !== "number") return broken("contentBlockDelta without an index");
    if (this.finished) return broken("content behind messageStop");
    const [member, inside] = memberOf(delta);
    if (this.#open.get(index)?.kind === "foreign") return nothing;
    switch (member) {
      case "text":
        if (typeof inside !== "string") return broken("a text delta without its text");
        return this.#piece(index, "text", (block) =>
          inside === "" ? [] : [{ kind: "text-delta", block, text: inside }],
        );
      case "toolUse":
        return this.#arguments(index, isObject(inside) ? inside["input"] : undefined);
      case "reasoningContent":
        return this.#thought(index, inside);
      case undefined:
        return events(this.#begin());
      default:
        return events([
          ...this.#begin(),
          { kind: "foreign", what: foreignName(member), payload: inside, content: true },
        ]);
    }
  }

  #arguments(index: number, input: unknown): ConverseStep {
    const open = this.#open.get(index);
    if (open === undefined || (open.kind !== "tool" && open.kind !== "answer") || typeof input !== "string") {
      return broken("a toolUse delta outside a tool's block, or one without its input");
    }
    if (input === "") return nothing;
    open.argued = true;
    const { block } = open;
    return events([
      open.kind === "tool" ? { kind: "tool-delta", block, json: input } : { kind: "text-delta", block, text: input },
    ]);
  }

  #thought(index: number, content: unknown): ConverseStep {
    const [member, inside] = memberOf(content);
    if (member === undefined) return events(this.#begin());
    if (typeof inside !== "string") return broken("a reasoningContent delta without its content");
    switch (member) {
      case "text":
        return this.#piece(index, "reasoning", (block) =>
          inside === "" ? [] : [{ kind: "reasoning-delta", block, text: inside }],
        );
      case "signature":
        return this.#piece(index, "reasoning", (block) =>
          inside === "" ? [] : [{ kind: "reasoning-signature", block, signature: inside }],
        );
      case "redactedContent":
        return this.#piece(index, "redacted", () => {
          this.#open.get(index)?.blobs.push(inside);
          return [];
        });
      default:
        return events([{ kind: "foreign", what: foreignName(`reasoningContent.${member}`), payload: inside }]);
    }
  }

  /**
   * A piece of a block that needs no start. Where another kind of such a block is open under the index it ends there:
   * some models think and speak under one.
   */
  #piece(
    index: number,
    kind: "text" | "reasoning" | "redacted",
    content: (block: number) => readonly AnswerEvent[],
  ): ConverseStep {
    const open = this.#open.get(index);
    if (open?.kind === "tool" || open?.kind === "answer") return broken(`a ${kind} delta in a tool's block`);
    const found = this.#begin();
    if (open !== undefined && open.kind !== kind) found.push(...this.#end(index, open));
    const known = this.#open.get(index);
    if (known !== undefined) return events([...found, ...content(known.block)]);
    const { block } = this.#obtain(index, kind);
    if (kind !== "redacted") found.push({ kind: kind === "text" ? "text-start" : "reasoning-start", block });
    return events([...found, ...content(block)]);
  }

  #obtain(index: number, kind: OpenBlock["kind"]): OpenBlock {
    const made: OpenBlock = { block: this.#blocks, kind, argued: false, blobs: [] };
    this.#blocks += 1;
    this.#open.set(index, made);
    return made;
  }

  #blockStop({ contentBlockIndex: index }: JsonObject): ConverseStep {
    const open = typeof index === "number" ? this.#open.get(index) : undefined;
    if (typeof index !== "number" || open === undefined) return nothing;
    return events(this.#end(index, open));
  }

  #end(index: number, open: OpenBlock): readonly AnswerEvent[] {
    this.#open.delete(index);
    return blockEnd(open);
  }

  #messageStop(message: JsonObject): ConverseStep {
    if (this.finished) return broken("a second messageStop inside one answer");
    const { stopReason, additionalModelResponseFields: fields } = message;
    this.#finish = this.#finishOf(stopReason, fields);
    const found = this.#begin();
    for (const [index, open] of this.#open) found.push(...this.#end(index, open));
    return events([...found, { kind: "finish", finish: this.#finish }]);
  }

  #finishOf(stopReason: unknown, fields: unknown): Finish {
    // Some servers complete an answer without ever saying why it stopped.
    if (typeof stopReason !== "string") return { reason: this.#sawTool ? "tools" : "stop" };
    const said = finishOf(stopReason, fields);
    const onlyAnswered = said.reason === "tools" && this.#sawAnswerTool && !this.#sawTool;
    return onlyAnswered ? { ...said, reason: "stop" } : said;
  }

  #metadata(message: JsonObject): ConverseStep {
    const found = this.#begin();
    const usage = usageOf(message);
    this.#reported ||= usage !== undefined || this.finished;
    if (usage !== undefined) found.push({ kind: "usage", usage });
    if (message["trace"] !== undefined) {
      found.push({ kind: "foreign", what: foreignName("trace"), payload: message["trace"] });
    }
    return events(found);
  }
}

function blockEnd({ kind, block, argued, blobs }: OpenBlock): readonly AnswerEvent[] {
  switch (kind) {
    case "text":
      return [{ kind: "text-end", block }];
    case "reasoning":
      return [{ kind: "reasoning-end", block }];
    case "redacted":
      return [
        { kind: "reasoning-start", block, redacted: textOf(joinedBlob(blobs)) },
        { kind: "reasoning-end", block },
      ];
    case "tool":
      // A call without arguments streams no JSON or the empty string; its arguments are the empty object.
      return argued
        ? [{ kind: "tool-end", block }]
        : [
            { kind: "tool-delta", block, json: "{}" },
            { kind: "tool-end", block },
          ];
    case "answer":
      return [{ kind: "text-end", block }];
    case "foreign":
      return [];
  }
}

/** Each piece is base64 of its own bytes. */
function joinedBlob(blobs: readonly string[]): string {
  const [only] = blobs;
  if (blobs.length === 1 && only !== undefined) return only;
  return Buffer.concat(blobs.map((blob) => Buffer.from(blob, "base64"))).toString("base64");
}

/** A union in this language is an object with one member; some answers have a `type` beside it (recorded). */
export function memberOf(union: unknown): readonly [name: string | undefined, value: unknown] {
  if (!isObject(union)) return [undefined, undefined];
  const name = Object.keys(union).find((key) => key !== "type");
  return name === undefined ? [undefined, undefined] : [name, union[name]];
}

function events(found: readonly AnswerEvent[]): ConverseStep {
  return { kind: "events", events: found };
}

function broken(what: string): ConverseStep {
  return { kind: "failed", failure: malformed(what) };
}

export function malformed(what: string): Failure {
  return failure("bad_upstream_response", `The provider's answer is malformed: ${what}.`);
}
