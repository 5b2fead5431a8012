import type { CallAddress, ClientDialectId } from "#domain/call";
import type { JsonView } from "../json-view.ts";

/** A tool's result for a call by its id, as the client knows it. */
export interface Outcome {
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

/** How a client of one language keeps an answer in its conversation and goes on from it. */
export interface Keeper {
  readonly dialect: ClientDialectId;
  /** The first request: it has tools, and wants thoughts. */
  ask(tools: readonly string[], streamed: boolean): AskedFirst;
  /** The answer as the official SDK stores it: turns or items of the language. */
  keep(bytes: Buffer, streamed: boolean): Promise<readonly JsonView[]>;
  /** The second request's body: the first, the kept answer and the results of its tools. */
  goOn(first: JsonView, kept: readonly JsonView[], outcomes: readonly Outcome[]): Promise<JsonView>;
}

export interface AskedFirst {
  readonly body: JsonView;
  readonly address?: CallAddress;
}

export const emptySchema = { type: "object", properties: {} };
