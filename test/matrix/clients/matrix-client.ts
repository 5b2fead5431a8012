import type { ClientDialectId } from "#domain/call";
import type { FailureCode } from "#domain/failure";
import type { Intent, Json, ToolOutcome } from "../intent.ts";
import type { Meaning } from "../meaning.ts";

/** An answer's bytes as a client got them. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** What a client makes of a whole answer. */
export interface Reading {
  /** Breaches of the language's grammar, in words; empty for an answer its strictest client takes. */
  readonly faults: readonly string[];
  readonly meaning: Meaning;
  /** The answer as the official SDK stores it in the conversation: turns or items of the language. */
  readonly kept: readonly Json[];
}

/** An error, before a stream or inside one. */
export interface FailureReading {
  readonly faults: readonly string[];
  /** The gateway's stable code; undefined where the language has no place for it. */
  readonly code: string | undefined;
  /** The language's own word for the kind of error. */
  readonly word: string | undefined;
  readonly message: string;
}

/** A client of one language: how its real SDK asks, reads, keeps and goes on. */
export interface MatrixClient {
  /** For files and for tables. */
  readonly name: string;
  readonly title: string;
  readonly dialect: ClientDialectId;
  /** Where it asks for streams only: the language frames them in two ways, whole answers in one. */
  readonly streamsOnly?: true;
  readonly headers: Readonly<Record<string, string>>;
  path(streamed: boolean): string;
  /** The request's body. The model's name is `main`. */
  ask(intent: Intent, streamed: boolean): Json;
  /** The same conversation with the kept answer and its tools' results. */
  goOn(asked: Json, kept: readonly Json[], outcomes: readonly ToolOutcome[]): Json;
  read(reply: Reply, streamed: boolean): Reading;
  /** The kinds of a stream's messages, in order. */
  outline(body: Buffer): readonly string[];
  readFailure(reply: Reply): FailureReading;
  /** The failure a broken stream ends with; undefined where it ends otherwise. */
  readBrokenStream(body: Buffer): FailureReading | undefined;
  /** Endings the language does not tell apart, and what it says for them. */
  readonly endings: Partial<Readonly<Record<Meaning["ending"], Meaning["ending"]>>>;
  /** Statuses that stand for a failure in this language alone. */
  readonly statuses?: Readonly<Partial<Record<FailureCode, number>>>;
  /** Refusal words stand apart from the text. */
  readonly refusesApart?: true;
  /** Says which stop sequence was met. */
  readonly namesStopSequence?: true;
  /** Why it never sends some of the scenarios. */
  readonly cannotAsk: Readonly<Record<string, string>>;
}
