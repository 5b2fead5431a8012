import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { randomBytes } from "node:crypto";
import type { Clock } from "#domain/ports";
import { Issuer } from "./issuer.ts";
import { play } from "./player.ts";
import { RequestLog } from "./request-log.ts";
import { Respond, type Arrival, type ProviderRules } from "./respond.ts";
import {
  checkRules,
  dotted,
  RuleBook,
  type ConnectionPolicy,
  type Responder,
  type Rule,
  type Script,
} from "./script.ts";
import type { ChatHabits } from "./voice.ts";

export interface SimulatorOptions {
  /** A script, its rules alone, or a function that answers every request. Left out: the built-in assistant. */
  readonly script?: Script | readonly Rule[] | Responder;
  /** Default: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly clock?: Clock;
  readonly log?: RequestLog;
  /** Turns the checks of requests off. */
  readonly lenient?: boolean;
  /** Top-level body fields to let through the checks, beside those of the dialect. */
  readonly allowFields?: readonly string[];
  /** Accepted credentials; `ID:SECRET` for who signs requests as AWS does. Left out: any or none. */
  readonly keys?: readonly string[];
  /** Whose thoughts this provider accepts back: simulators with one issuer read each other's. Default: nobody else's. */
  readonly issuer?: string;
  /** Anthropic: refuse two turns of one role in a row, as some hosts do. The API itself joins them. */
  readonly alternatingRoles?: boolean;
  /** Rules of some OpenAI-compatible providers that OpenAI has not. */
  readonly habits?: ChatHabits;
  /** Larger requests get 413. Default 64 MiB. */
  readonly maxBodyBytes?: number;
}

export interface Simulator {
  /** `http://host:port`, no path. */
  readonly url: string;
  readonly port: number;
  readonly log: RequestLog;
  /** Connections open now, and accepted so far (resets on accept included). */
  readonly connections: { readonly open: number; readonly accepted: number };
  /** Changes what happens to new connections from now on; `refuse` also closes the listener. */
  setConnections(policy: ConnectionPolicy): Promise<void>;
  /** Resets every open connection: the death of a server. */
  resetConnections(): void;
  /** Cuts what still runs. */
  close(): Promise<void>;
}

const defaultMaxBodyBytes = 64 * 1024 * 1024;

/** Starts simulated providers that speak every upstream language on one port. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const script = scriptOf(options.script);
  const complaints = checkRules(script.rules);
  if (complaints.length > 0) {
    throw new TypeError(complaints.map(({ path, message }) => `${dotted(path)}: ${message}`).join("\n"));
  }
  const rules: ProviderRules = {
    lenient: options.lenient ?? false,
    allowFields: new Set(options.allowFields),
    keys: options.keys === undefined ? undefined : new Set(options.keys),
    issuer: new Issuer(options.issuer ?? randomBytes(16).toString("hex")),
    alternatingRoles: options.alternatingRoles ?? false,
    habits: options.habits ?? {},
    models: script.models,
  };
  const respond = new Respond(rules, new RuleBook(script.rules));
  const door = new Door(script.connections ?? "accept", options, respond);
  await door.open(options.port ?? 0);
  return door;
}

function scriptOf(given: SimulatorOptions["script"]): Script {
  if (given === undefined) return { rules: [] };
  if (typeof given === "function") return { rules: [{ behaviour: given }] };
  return isRules(given) ? { rules: given } : given;
}

function isRules(given: Script | readonly Rule[]): given is readonly Rule[] {
  return Array.isArray(given);
}

const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  timer(delayMs, then) {
    const timer = setTimeout(then, delayMs);
    return () => clearTimeout(timer);
  },
};

class Door implements Simulator {
  readonly log: RequestLog;
  readonly #options: SimulatorOptions;
  readonly #respond: Respond;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #numbers = new Map<Socket, number>();
  #policy: ConnectionPolicy;
  #accepted = 0;
  /** `{reset: n}` counts from here. */
  #resetFrom = 0;
  #port = 0;
  #sequence = 0;

  constructor(policy: ConnectionPolicy, options: SimulatorOptions, respond: Respond) {
    this.#policy = policy;
    this.#options = options;
    this.#respond = respond;
    this.log = options.log ?? new RequestLog();
    this.#clock = options.clock ?? systemClock;
    this.#server = createServer({ noDelay: true, keepAliveTimeout: 60_000, maxHeaderSize: 128 * 1024 });
    this.#server.on("connection", (socket: Socket) => this.#greet(socket));
    this.#server.on("request", (request, response) => void this.#serve(request, response));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  get url(): string {
    const host = this.#options.host ?? "127.0.0.1";
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get connections(): Simulator["connections"] {
    return { open: this.#numbers.size, accepted: this.#accepted };
  }

  /** Listens even where connections are to be refused, because only then the port is known to be ours. */
  async open(port: number): Promise<void> {
    await this.#listen(port);
    if (this.#policy === "refuse") await this.#stopListening();
  }

  async setConnections(policy: ConnectionPolicy): Promise<void> {
    this.#policy = policy;
    if (policy === "refuse") await this.#stopListening();
    else if (!this.#server.listening) await this.#listen(this.#port);
    if (typeof policy === "object") this.#resetFrom = this.#accepted;
  }

  resetConnections(): void {
    for (const socket of this.#numbers.keys()) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = this.#stopListening();
    for (const socket of this.#numbers.keys()) socket.destroy();
    await closed;
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, host: this.#options.host ?? "127.0.0.1" }, () => {
        this.#server.off("error", reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  /** Frees the port at once; connections that are open live on. */
  #stopListening(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    this.#server.close();
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  #greet(socket: Socket): void {
    this.#accepted += 1;
    this.#numbers.set(socket, this.#accepted);
    socket.once("close", () => this.#numbers.delete(socket));
    const policy = this.#policy;
    const counted = typeof policy === "object" && this.#accepted - this.#resetFrom <= policy.reset;
    if (policy === "reset" || counted) socket.resetAndDestroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAtMs = this.#clock.nowMs();
    const { body, tooLarge, gone } = await readBody(request, this.#options.maxBodyBytes ?? defaultMaxBodyBytes);
    this.#sequence += 1;
    const arrival: Arrival = {
      sequence: this.#sequence,
      connection: this.#numbers.get(request.socket) ?? 0,
      method: request.method ?? "GET",
      path: request.url ?? "/",
      headers: plainHeaders(request),
      body,
      startedAtMs,
    };
    if (gone) {
      const nowMs = this.#clock.nowMs();
      const ended = { state: "aborted", abortedAtMs: nowMs, endedAtMs: nowMs } as const;
      this.log.add({ ...arrival, streamed: false, bytesWritten: 0, ...ended });
      return;
    }
    const { entry, performance } = this.#respond.to(arrival, {
      tooLarge,
      createdAtS: Math.floor(this.#clock.wallMs() / 1000),
    });
    this.log.add(entry);
    await play(performance, { request, response, clock: this.#clock, log: this.log, entry });
  }
}

interface BodyRead {
  /** What came; empty where it was too large. */
  readonly body: Buffer;
  readonly tooLarge: boolean;
  /** The other side left before the body's end. */
  readonly gone: boolean;
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<BodyRead> {
  const chunks: Buffer[] = [];
  let length = 0;
  let gone = false;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    gone = true;
  }
  const tooLarge = length > maxBytes;
  return { body: tooLarge ? Buffer.alloc(0) : Buffer.concat(chunks), tooLarge, gone };
}

function plainHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) headers[name] = (values ?? []).join(", ");
  return headers;
}
