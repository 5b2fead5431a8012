import type { AnswerEvent } from "#domain/answer";
import type { EncodeOptions } from "#dialects/dialect";
import { wellFormedInput } from "#dialects/tool-input";
import { madeCallId } from "./call-ids.ts";
import { entriesOf } from "./logprobs.ts";
import { answerWarning } from "./losses.ts";
import { foreignMark, isNativeIssuer, tagSeal } from "./seal-tag.ts";

/** A part of an answer. Pieces of one block are one part where the answer is whole. */
export interface WrittenPart {
  readonly block: number;
  readonly kind: "text" | "thought" | "call";
  readonly text: string;
  readonly signature?: string;
  /** The `functionCall` as JSON text, so that numbers keep their digits. */
  readonly call?: string;
  readonly logprobs?: readonly unknown[];
}

/** Refusal text has no block of its own. */
const refusalBlock = -1;

/** Arguments held until their call is whole, in characters: they are a few kilobytes. */
const maxHeldCharacters = 8 * 1024 * 1024;

interface OpenCall {
  readonly id: string;
  readonly name: string;
  json: string;
  signature?: string;
  closed: boolean;
}

interface OpenThought {
  readonly id?: string;
  signature?: string;
  /** It has words, or is sealed as a whole. */
  said: boolean;
  sealed: boolean;
}

export type PartsOptions = Pick<EncodeOptions, "issuer" | "fallbackId" | "request">;

const lineBreaks = /[\r\n]+/gu;

/**
 * An answer's content as parts, each with the event that makes it whole: text piece by piece, calls at their end and in
 * the order they began. Thoughts are there only where the caller asked for them (`includeThoughts`), as at Google:
 * callers without them take the first part for the answer.
 */
export class PartsWriter {
  readonly #options: PartsOptions;
  readonly #showsThoughts: boolean;
  readonly #onLoss: (warning: string) => void;
  readonly #calls = new Map<number, OpenCall>();
  readonly #thoughts = new Map<number, OpenThought>();
  readonly #signatures = new Map<number, string>();
  #heldCharacters = 0;
  #callCount = 0;
  /** Words of refusal were among the text. */
  refused = false;

  constructor(options: PartsOptions, onLoss: (warning: string) => void) {
    this.#options = options;
    this.#showsThoughts = options.request === undefined || options.request.reasoning?.display === "summarized";
    this.#onLoss = onLoss;
  }

  /** More is held back than any honest call has. */
  get overfull(): boolean {
    return this.#heldCharacters > maxHeldCharacters;
  }

  write(event: AnswerEvent): readonly WrittenPart[] {
    switch (event.kind) {
      case "text-delta":
        return this.#text(event);
      case "text-signature":
        this.#signatures.set(event.block, tagSeal(this.#options.issuer, { form: "signature", value: event.signature }));
        return [];
      case "text-end":
        return this.#textEnd(event.block);
      case "refusal-delta":
        this.refused = true;
        return event.text === "" ? [] : [{ block: refusalBlock, kind: "text", text: event.text }];
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-signature":
      case "reasoning-end":
        return this.#showsThoughts ? this.#thought(event) : [];
      case "tool-start":
        this.#calls.set(event.block, { id: this.#idOf(event.id), name: event.name, json: "", closed: false });
        this.#callCount += 1;
        return [];
      case "tool-delta":
      case "tool-signature":
      case "tool-end":
        return this.#call(event);
      case "foreign":
        this.#onLoss(answerWarning("foreign-event", event.what));
        return [];
      default:
        return [];
    }
  }

  /** What is still held when the answer is over. */
  close(): readonly WrittenPart[] {
    for (const call of this.#calls.values()) call.closed = true;
    return this.#finishedCalls();
  }

  #text({ block, text, logprobs }: Extract<AnswerEvent, { kind: "text-delta" }>): readonly WrittenPart[] {
    const entries = logprobs === undefined ? [] : entriesOf(logprobs);
    if (text === "" && entries.length === 0) return [];
    return [{ block, kind: "text", text, ...(entries.length === 0 ? {} : { logprobs: entries }) }];
  }

  #textEnd(block: number): readonly WrittenPart[] {
    const signature = this.#signatures.get(block);
    this.#signatures.delete(block);
    return signature === undefined ? [] : [{ block, kind: "text", text: "", signature }];
  }

  #thought(event: Extract<AnswerEvent, { kind: `reasoning-${string}` }>): readonly WrittenPart[] {
    const { block } = event;
    const { issuer } = this.#options;
    const thought = this.#thoughts.get(block);
    switch (event.kind) {
      case "reasoning-start": {
        const { redacted, id } = event;
        const named = id === undefined ? {} : { id };
        this.#thoughts.set(block, { ...named, said: redacted !== undefined, sealed: redacted !== undefined });
        if (redacted === undefined) return [];
        const signature = tagSeal(issuer, { form: "redacted", value: redacted, ...named });
        return [{ block, kind: "thought", text: "", signature }];
      }
      case "reasoning-delta":
        if (thought === undefined || thought.sealed || event.text === "") return [];
        thought.said = true;
        return [{ block, kind: "thought", text: event.text }];
      case "reasoning-signature":
        if (thought !== undefined) thought.signature = event.signature;
        return [];
      case "reasoning-end":
        this.#thoughts.delete(block);
        return thought === undefined || thought.sealed ? [] : this.#thoughtEnd(block, thought);
    }
  }

  /** A foreign thought is marked even where nothing seals it: its words are nothing Google could take back. */
  #thoughtEnd(block: number, { id, signature, said }: OpenThought): readonly WrittenPart[] {
    const { issuer } = this.#options;
    const sealed = signature === undefined || signature === "" ? undefined : signature;
    if (sealed !== undefined) {
      const named = id === undefined ? {} : { id };
      return [
        {
          block,
          kind: "thought",
          text: "",
          signature: tagSeal(issuer, { form: "signature", value: sealed, ...named }),
        },
      ];
    }
    return said && !isNativeIssuer(issuer)
      ? [{ block, kind: "thought", text: "", signature: foreignMark(issuer) }]
      : [];
  }

  #call(event: Extract<AnswerEvent, { kind: "tool-delta" | "tool-signature" | "tool-end" }>): readonly WrittenPart[] {
    const call = this.#calls.get(event.block);
    if (call === undefined) return [];
    if (event.kind === "tool-delta") {
      call.json += event.json;
      this.#heldCharacters += event.json.length;
      return [];
    }
    if (event.kind === "tool-signature") {
      call.signature = tagSeal(this.#options.issuer, { form: "signature", value: event.signature });
      return [];
    }
    call.closed = true;
    return this.#finishedCalls();
  }

  /** The calls at the front that are whole. */
  #finishedCalls(): readonly WrittenPart[] {
    const finished: WrittenPart[] = [];
    for (const [block, call] of this.#calls) {
      if (!call.closed) break;
      this.#calls.delete(block);
      this.#heldCharacters -= call.json.length;
      finished.push(this.#written(block, call));
    }
    return finished;
  }

  #written(block: number, { id, name, json, signature }: OpenCall): WrittenPart {
    const args = wellFormedInput(json);
    if (args.wrapped) this.#onLoss(answerWarning("answer-arguments", name));
    const head = JSON.stringify({ id, name }).slice(0, -1);
    const signed = signature ?? this.#markOfCall(id);
    return {
      block,
      kind: "call",
      text: "",
      // Between its tokens JSON may break lines, which would end an event of a stream.
      call: `${head},"args":${args.json.replaceAll(lineBreaks, " ")}}`,
      ...(signed === undefined ? {} : { signature: signed }),
    };
  }

  #firstCall: string | undefined;

  /** Google wants a step's first call signed: where another vendor made it, the relay must know to say so. */
  #markOfCall(id: string): string | undefined {
    this.#firstCall ??= id;
    const { issuer } = this.#options;
    return this.#firstCall === id && !isNativeIssuer(issuer) ? foreignMark(issuer) : undefined;
  }

  #idOf(id: string): string {
    return id === "" ? madeCallId(this.#options.fallbackId, this.#callCount) : id;
  }
}

/** Pieces of one block behind each other as one part. */
export function joinParts(parts: readonly WrittenPart[]): readonly WrittenPart[] {
  const whole: WrittenPart[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    const goesOn = last?.block === part.block && last.kind === part.kind && part.kind !== "call";
    if (!goesOn || last.signature !== undefined) whole.push(part);
    else {
      const logprobs = [...(last.logprobs ?? []), ...(part.logprobs ?? [])];
      whole[whole.length - 1] = {
        ...last,
        ...part,
        text: last.text + part.text,
        ...(logprobs.length === 0 ? {} : { logprobs }),
      };
    }
  }
  return whole;
}

export function partJson({ kind, text, call, signature }: WrittenPart): string {
  const signed = signature === undefined ? "" : `,"thoughtSignature":${JSON.stringify(signature)}`;
  if (kind === "call") return `{"functionCall":${call ?? "{}"}${signed}}`;
  return `{"text":${JSON.stringify(text)}${kind === "thought" ? ',"thought":true' : ""}${signed}}`;
}
