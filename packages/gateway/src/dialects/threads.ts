import type { Failure } from "#domain/failure";
import type { Memory } from "#domain/ports";
import type { FieldScan } from "#wire/json-splice";

/**
 * How callers of a language go on from an answer by naming it instead of repeating it, and what they may ask of what was
 * kept. Providers need not know of it: a call leaves the gateway whole.
 */
export interface Threads {
  /** Read from the scanned top level. */
  read(body: Uint8Array, scan: FieldScan): ThreadWish | Failure;
  /** Everything said before this call, in order, as the language's own items; a failure where it is not known here. */
  earlier(wish: ThreadWish, drawer: Drawer): Earlier | Failure;
  /** Edits by which a call says whole what it said by reference; raw JSON, undefined removes. */
  wholeEdits(body: Uint8Array, scan: FieldScan, earlier: Earlier): ReadonlyMap<string, string | undefined>;
  /** A relayed answer, whole or a piece of its stream, with what its call had named and was then said whole. */
  name(answer: Uint8Array, wish: ThreadWish): Uint8Array;
  /** Keeps an answer as the caller gets it (a whole one, or a stream's last frames). False where that failed. */
  keep(answered: Answered, drawer: Drawer): boolean;
  /** Answers what is asked of kept things: reading, listing, deleting. */
  serve(request: StoredRequest, drawer: Drawer): StoredReply;
}

export interface ThreadWish {
  /** The answer that this call goes on from. */
  readonly previous?: string;
  /** The conversation it is part of. */
  readonly conversation?: string;
  /** Single items of earlier answers that it names in place of repeating them. */
  readonly references?: readonly string[];
  /** Its own answer is to be kept. */
  readonly store: boolean;
}

export interface Earlier {
  readonly items: readonly unknown[];
  /** What the references name, by id. */
  readonly referenced?: ReadonlyMap<string, unknown>;
  /** The provider that holds the same thread itself, where one does. */
  readonly heldBy?: string;
}

export interface Answered {
  readonly body: Uint8Array;
  readonly scan: FieldScan;
  readonly wish: ThreadWish;
  readonly answer: Uint8Array;
  /** The provider whose own bytes the caller got: it has kept the answer too. */
  readonly heldBy?: string;
}

/** What one caller has in the memory. */
export interface Drawer {
  readonly memory: Memory;
  readonly owner: string;
  readonly newId: () => string;
  /** Seconds since 1970. */
  readonly nowS: number;
  /** What is read together may not be longer than this. */
  readonly maxLength: number;
}

export interface StoredRequest {
  readonly method: string;
  /** Decoded pieces of the path behind the version: `["responses", "resp_1", "input_items"]`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Parsed; undefined where there was none. */
  readonly body: unknown;
}

export type StoredReply =
  | { readonly kind: "found"; readonly json: unknown }
  | { readonly kind: "refused"; readonly failure: Failure };
