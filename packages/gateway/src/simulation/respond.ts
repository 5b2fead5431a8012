import type { Operation } from "#domain/call";
import { builtInModel, builtInModels } from "./assistant.ts";
import type { Behaviour } from "./behaviour.ts";
import { chatVoice } from "./chat-voice.ts";
import { messagesVoice } from "./messages-voice.ts";
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

interface Endpoint {
  readonly method: "GET" | "POST";
  readonly voice: Voice;
  /** Absent: the list of models. */
  readonly operation?: Operation;
  readonly model?: string;
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
    const stranger = this.#stranger(arrival.headers);
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
      ...voice.read(json),
      sequence,
      dialect: voice.dialect,
      operation: endpoint.operation,
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
      performance: perform(request, decided.behaviour, { voice, issuer: this.#rules.issuer, createdAtS }),
    };
  }

  /** If both headers come, Anthropic reads `x-api-key`. */
  #stranger(headers: Arrival["headers"]): RefusalWords | undefined {
    if (this.#rules.keys === undefined) return undefined;
    const bearer = /^Bearer (.+)$/i.exec(headers["authorization"] ?? "")?.[1];
    const key = headers["x-api-key"] ?? bearer;
    if (key !== undefined && this.#rules.keys.has(key)) return undefined;
    const message = key === undefined ? "No API key provided." : "Incorrect API key provided.";
    return { kind: "authentication", message };
  }

  #decide(request: ReceivedRequest): Decided {
    const scripted = this.#scripted(request);
    if (scripted !== undefined) return scripted;
    const model = builtInModel(request.model);
    if (model !== undefined) return { behaviour: request.operation === "generate" ? model.behaviour : {} };
    const listed = this.#rules.models?.includes(request.model) === true;
    if (listed || (request.operation === "count-tokens" && this.#book.knows(request.model))) return { behaviour: {} };
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

  #models({ voice, model }: Endpoint, arrival: Arrival): Reply {
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

function findEndpoint({ path, headers }: Arrival): Endpoint | undefined {
  const bare = path.split("?", 1)[0]?.replace(/^\/v1(?=\/)/, "") ?? "";
  if (bare === "/chat/completions") return { method: "POST", voice: chatVoice, operation: "generate" };
  if (bare === "/messages") return { method: "POST", voice: messagesVoice, operation: "generate" };
  if (bare === "/messages/count_tokens") return { method: "POST", voice: messagesVoice, operation: "count-tokens" };
  const listed = /^\/models(?:\/(?<model>.+))?$/.exec(bare);
  if (listed === null) return undefined;
  const model = listed.groups?.["model"];
  return { method: "GET", voice: voiceOf(headers), ...(model === undefined ? {} : { model: decoded(model) }) };
}

/** `/v1/models` is one path for several dialects; only Anthropic's clients send `anthropic-version`. */
function voiceOf(headers: Arrival["headers"]): Voice {
  return headers["anthropic-version"] === undefined ? chatVoice : messagesVoice;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function noSuchPath({ method, path }: Arrival): string {
  return (
    `Nothing here answers ${method} ${path}. The simulator has POST /v1/chat/completions, POST /v1/messages, ` +
    "POST /v1/messages/count_tokens, GET /v1/models and GET /v1/models/{id}."
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
