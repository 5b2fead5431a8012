import type { ModelList } from "./chat-response.ts";
import { strangeReply, wholeText } from "./completions.ts";
import type { Connection } from "./connection.ts";
import { factsFromHeaders } from "./gateway-facts.ts";
import { isObject, parseJson } from "./json.ts";
import { Lifeline } from "./lifeline.ts";

/** What the gateway's key may ask for. */
export class Models {
  readonly #connection: Connection;
  readonly #timeoutMs: number | undefined;

  constructor(connection: Connection, timeoutMs: number | undefined) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  async list(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ModelList> {
    const lifeline = new Lifeline({ signal: options.signal, timeoutMs: this.#timeoutMs });
    try {
      const request = { method: "GET", path: "/models", accept: "application/json" } as const;
      const response = await this.#connection.send(request, lifeline);
      const facts = factsFromHeaders(response.headers);
      const body = parseJson(await wholeText(response, { facts, lifeline }));
      if (!isObject(body) || !Array.isArray(body["data"])) throw strangeReply(facts, "the reply is no list of models");
      return body as unknown as ModelList;
    } finally {
      lifeline.release();
    }
  }
}
