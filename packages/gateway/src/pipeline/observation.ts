import { isContent, type AnswerEvent, type Finish } from "#domain/answer";
import { failure, type Failure } from "#domain/failure";
import { emptyUsage, type Usage } from "#domain/usage";

/** What an attempt has shown so far, gathered from its events and nothing else. */
export class Observation {
  finish: Finish | undefined;
  usage: Usage | undefined;
  ended = false;
  failure: Failure | undefined;
  contentSeen = false;
  /** All events of an answer that came in one piece. */
  events: readonly AnswerEvent[] = [];
  /** Characters of content so far: a rough measure, and a sign of progress. */
  contentBytes = 0;
  readonly #relayed: boolean;

  /** `relayed`: the client gets the provider's bytes, and with them what the hub has no word for. */
  constructor(relayed: boolean) {
    this.#relayed = relayed;
  }

  /** True for the first event with content: the commit point. */
  see(event: AnswerEvent): boolean {
    switch (event.kind) {
      case "usage":
        this.usage = event.usage;
        return false;
      case "finish":
        this.finish = event.finish;
        return false;
      case "end":
        this.ended = true;
        return false;
      case "failed":
        this.failure ??= event.failure;
        return false;
      default:
        if (!isContent(event, this.#relayed)) return false;
        this.contentBytes += sizeOf(event);
        if (this.contentSeen) return false;
        this.contentSeen = true;
        return true;
    }
  }

  /** What the provider reported, or our own count, marked as such. Undefined where nothing came at all. */
  usageOrEstimate(requestBytes: number): Usage | undefined {
    if (this.usage !== undefined) return this.usage;
    // A token count is content without a word in it: it uses nothing.
    if (this.contentBytes === 0) return undefined;
    return {
      inputUncached: estimateTokens(requestBytes),
      cacheRead: 0,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: estimateTokens(this.contentBytes),
      reasoning: 0,
      estimated: true,
    };
  }

  /** Of an answer that was cancelled: what it was asked is paid for, even where nothing came. */
  usageOfCancelled(requestBytes: number): Usage {
    const { usage } = this;
    if (usage !== undefined) return usage;
    const output = estimateTokens(this.contentBytes);
    return { ...emptyUsage, inputUncached: estimateTokens(requestBytes), output, estimated: true };
  }

  /** Whole, and without a word in it. */
  get empty(): boolean {
    return this.ended && !this.contentSeen && this.finish?.reason !== "policy";
  }
}

/** Four bytes a token: the usual rule of thumb for English in current vocabularies, and only ever an estimate. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / 4);
}

function sizeOf(event: AnswerEvent): number {
  if (event.kind === "text-delta" || event.kind === "reasoning-delta") return event.text.length;
  // Content of no length (a tool's name, a signature) is progress all the same.
  return event.kind === "tool-delta" ? event.json.length : 1;
}

/** An answer that a decoder left without an ending is a truncated one. */
export function endingOf(seen: Observation): Failure | undefined {
  if (seen.failure !== undefined) return seen.failure;
  if (seen.ended) return undefined;
  return failure("truncated_response", "The provider's answer ended before it was complete.");
}
