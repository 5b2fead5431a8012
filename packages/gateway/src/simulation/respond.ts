import { builtInModel, builtInModels } from "./assistant.ts";
import type { Behaviour } from "./behaviour.ts";
import { findStranger } from "./credentials.ts";
import { findEndpoint, voiceOf, type Endpoint } from "./find-endpoint.ts";
import { jsonPerformance, perform, refuse, type RefusalWords } from "./perform.ts";
import type { Performance } from "./player.ts";
import { object, type JsonObject, type ReceivedRequest } from "./received-request.ts";
import type { LoggedRequest } from "./request-log.ts";
import type { RuleBook } from "./script.ts";
import type { CheckRules, Voice } from "./voice.ts";

export interface ProviderRules extends CheckRules {
  readonly lenient: boolean;
  /** Undefined: any credential or none. */
  readonly keys: ReadonlySet<string> | undefined;
  /** Undefined: the built-in ones. */
  readonly models: readonly string[] | undefined;
}

/** A request as it came in. */
export type Arrival = Pick<
  LoggedRequest,
  "sequence" | "connection" | "method" | "path" | "headers" | "body" | "startedAtMs"
>;

export interface ArrivalFacts {
  /** The body was over the limit, and is not in the arrival. */
  readonly tooLarge: boolean;
  readonly createdAtS: number;
}

interface Reply {
  readonly entry: LoggedRequest;
  readonly performance: Performance;
}

/** Decides what leaves for a request: path, credentials, the dialect's rules, then the script or the assistant. */
export class Respond {
  readonly #rules: ProviderRules;
  readonly #book: RuleBook;

  constructor(rules: ProviderRules, book: RuleBook) {
    this.#rules = rules;
    this.#book = book;
  }

  to(arrival: Arrival, { tooLarge, createdAtS }: ArrivalFacts): Reply {
    const endpoint = findEndpoint(arrival);
    const voice = endpoint?.voice ?? voiceOf(arrival.headers);
    if (endpoint === undefined) return refused(arrival, voice, { kind: "not-found", message: noSuchPath(arrival) });
    if (endpoint.method !== arrival.method) {
      return refused(arrival, voice, { kind: "invalid-request", status: 405, message: noSuchPath(arrival) });
    }
    const stranger = this.#rules.keys === undefined ? undefined : findStranger(arrival, this.#rules.keys);
    if (stranger !== undefined) return refused(arrival, voice, stranger);
    if (endpoint.operation === undefined) return this.#models(endpoint, arrival);
    if (tooLarge) return refused(arrival, voice, { kind: "too-large" });
    const json = parseObject(arrival.body);
    if (json === undefined) {
      const message = "We could not parse the JSON body of your request.";
      return refused(arrival, voice, { kind: "invalid-request", message });
    }
    const { sequence, headers } = arrival;
    const request: ReceivedRequest = {
      ...voice.read(json, endpoint.address),
      sequence,
      dialect: voice.dialect,
      operation: endpoint.operation,
      address: endpoint.address,
      headers,
      json,
    };
    return this.#generate(request, arrival, { voice, createdAtS });
  }

  #generate(
    request: ReceivedRequest,
    arrival: Arrival,
    { voice, createdAtS }: { voice: Voice; createdAtS: number },
  ): Reply {
    const violation = this.#rules.lenient ? undefined : voice.check(request, this.#rules);
    const facts = { operation: request.operation, model: request.model, streamed: request.streamed };
    const decided: Decided =
      violation === undefined ? this.#decide(request) : { refusal: { kind: "invalid-request", ...violation } };
    if ("refusal" in decided) {
      const reply = refused(arrival, voice, decided.refusal);
      return { ...reply, entry: { ...reply.entry, ...facts } };
    }
    return {
      entry: { ...logEntry(arrival, voice), ...facts },
      performance: perform(request, decided.behaviour, { voice, createdAtS, ...this.#rules }),
    };
  }

  #decide(request: ReceivedRequest): Decided {
    const scripted = this.#scripted(request);
    if (scripted !== undefined) return scripted;
    const model = builtInModel(request.model);
    const says = request.operation === "generate" || request.operation === "complete";
    if (model !== undefined) return { behaviour: says ? model.behaviour : {} };
    const listed = this.#rules.models?.includes(request.model) === true;
    if (listed || (request.operation !== "generate" && this.#book.knows(request.model))) return { behaviour: {} };
    const names = builtInModels.map(({ name }) => name).join(", ");
    return {
      refusal: {
        kind: "not-found",
        message:
          `The model \`${request.model}\` does not exist here: no rule of a script matched the request, ` +
          `and the built-in models are ${names}.`,
      },
    };
  }

  /** A responder that throws is answered and logged, so that a test fails on what it threw and not on a silence. */
  #scripted(request: ReceivedRequest): Decided | undefined {
    try {
      const behaviour = this.#book.choose(request);
      return behaviour && { behaviour };
    } catch (error) {
      return { refusal: { kind: "server", message: `The script's function threw: ${String(error)}` } };
    }
  }

  #models({ voice, address: { model } }: Endpoint, arrival: Arrival): Reply {
    const names = this.#rules.models ?? builtInModels.map(({ name }) => name);
    if (model !== undefined && !names.includes(model)) {
      const message = `The model \`${model}\` does not exist here. There are: ${names.join(", ")}.`;
      return refused(arrival, voice, { kind: "not-found", message });
    }
    const body = model === undefined ? voice.modelList(names) : voice.modelCard(model);
    return { entry: logEntry(arrival, voice), performance: jsonPerformance(body, { status: 200, headers: {} }) };
  }
}

type Decided = { readonly behaviour: Behaviour } | { readonly refusal: RefusalWords };

function noSuchPath({ method, path }: Arrival): string {
  return (
    `Nothing here answers ${method} ${path}. The simulator has the paths of OpenAI, Anthropic, Gemini and Vertex, ` +
    "Bedrock, Cohere and Azure that docs/simulation.md lists, such as POST /v1/chat/completions, POST /v1/responses, " +
    "POST /v1/messages, POST /v1beta/models/{id}:generateContent, POST /model/{id}/converse and GET /v1/models."
  );
}

function parseObject(body: Buffer): JsonObject | undefined {
  try {
    return object(JSON.parse(body.toString("utf8")));
  } catch {
    return undefined;
  }
}

function refused(arrival: Arrival, voice: Voice, refusal: RefusalWords): Reply {
  return {
    entry: { ...logEntry(arrival, voice), refused: refusal.message ?? refusal.kind },
    performance: refuse(voice, refusal, arrival.sequence),
  };
}

function logEntry(arrival: Arrival, { dialect }: Voice): LoggedRequest {
  return { ...arrival, dialect, streamed: false, bytesWritten: 0, state: "running" };
}
