import { strangeReply, wholeText } from "./completions.ts";
import type { Connection } from "./connection.ts";
import { factsFromHeaders } from "./gateway-facts.ts";
import { isObject, parseJson } from "./json.ts";
import { Lifeline } from "./lifeline.ts";

/** What a caller found out of an answer: either `correct`, or a `score` from 0 to 1. */
export type FeedbackRequest = {
  /** The answer's `response.hedgerow.requestId`. */
  readonly id: string;
  /** Who found out: a person, or a check of the caller's own. A person, where it is not said. */
  readonly source?: "human" | "verifier" | undefined;
  /** How sure that is, 0 to 1; 1 where it is not said. */
  readonly weight?: number | undefined;
  /** Of an answer that was not given: who gave it, `provider/model`. */
  readonly target?: string | undefined;
  /** For people; at most 2,000 characters. */
  readonly note?: string | undefined;
  readonly signal?: AbortSignal | undefined;
} & (
  | { readonly correct: boolean; readonly score?: undefined }
  | { readonly score: number; readonly correct?: undefined }
);

export interface FeedbackKept {
  readonly object: "hedgerow.feedback";
  readonly id: string;
  readonly status: "kept";
}

/** Verdicts on answers, from which the gateway learns how much its confidence is worth. */
export class Feedback {
  readonly #connection: Connection;
  readonly #timeoutMs: number | undefined;

  constructor(connection: Connection, timeoutMs: number | undefined) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves once the verdict is on disk. Said again of the same answer, the later one counts. */
  async create({ signal, ...said }: FeedbackRequest): Promise<FeedbackKept> {
    const lifeline = new Lifeline({ signal, timeoutMs: this.#timeoutMs });
    try {
      const request = { method: "POST", path: "/feedback", accept: "application/json", body: () => said } as const;
      const response = await this.#connection.send(request, lifeline);
      const facts = factsFromHeaders(response.headers);
      const body = parseJson(await wholeText(response, { facts, lifeline }));
      if (!isObject(body) || body["status"] !== "kept") throw strangeReply(facts, "the reply does not say `kept`");
      return body as unknown as FeedbackKept;
    } finally {
      lifeline.release();
    }
  }
}
