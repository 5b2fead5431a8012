import type { Readable } from "node:stream";
import { Client, Pool, type Dispatcher } from "undici";
import { failure } from "#domain/failure";
import type { SendUpstream, UpstreamFlow, UpstreamHandler, UpstreamRequest } from "#domain/ports";
import { RecentlyUsed } from "#domain/recently-used";
import { inflater, type Inflater } from "./inflate.ts";
import { transportFailure } from "./transport-failure.ts";

export interface UpstreamOptions {
  /** Sockets to one origin; more requests than that wait for a free one until their own deadline. */
  readonly maxConnections: number;
  /** Origins kept at once; the least recently used pool is closed when idle. */
  readonly maxOrigins: number;
  readonly maxHeaderBytes: number;
  /** A compressed answer may not grow beyond this. */
  readonly maxInflatedBytes: number;
}

export interface Upstream {
  readonly send: SendUpstream;
  /** Cuts what is left. */
  close(): Promise<void>;
}

const defaultUpstreamOptions: UpstreamOptions = {
  maxConnections: 1024,
  maxOrigins: 256,
  maxHeaderBytes: 64 * 1024,
  maxInflatedBytes: 64 * 1024 * 1024,
};

const idleSocketMs = 15_000;
/** A socket that turns out to be dead does so when it is written to; what is lost later may have been worked on. */
const staleWithinMs = 1_000;

/** Knows whether a request goes out on a socket that has carried one before. */
class CountingClient extends Client {
  #connected = false;

  constructor(origin: URL | string, options: Client.Options) {
    super(origin, options);
    this.on("connect", () => (this.#connected = true));
    this.on("disconnect", () => (this.#connected = false));
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof Flow) handler.isReused = this.#connected;
    return super.dispatch(options, handler);
  }
}

/** Opens pools of sockets by origin. All timing but `connect` is the caller's: undici's own timers are off. */
export function openUpstream(given: Partial<UpstreamOptions> = {}): Upstream {
  const options = { ...defaultUpstreamOptions, ...given };
  const pools = new RecentlyUsed<Pool>(options.maxOrigins, (pool) => void pool.close());
  const lone = new Set<Client>();

  function clientOptions(connectMs: number): Client.Options {
    return {
      pipelining: 1,
      // A refusing HTTP/2 peer can make a client spin (undici 5598), and streams gain nothing from it here.
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleSocketMs,
      maxHeaderSize: options.maxHeaderBytes,
      autoSelectFamily: true,
      connect: { timeout: connectMs },
    };
  }

  /** On a socket of its own: others of the pool may be as dead as the one it was lost on. False where there are too many. */
  function sendAlone(request: UpstreamRequest, flow: Flow): boolean {
    if (lone.size >= options.maxConnections) return false;
    const client = new Client(request.origin, clientOptions(request.connectMs));
    lone.add(client);
    client.dispatch(dispatchOptions(request), flow);
    void client.close().finally(() => lone.delete(client));
    return true;
  }

  function poolFor(origin: string, connectMs: number): Pool {
    const key = `${connectMs} ${origin}`;
    const known = pools.use(key);
    if (known !== undefined) return known;
    const pool = new Pool(origin, {
      ...clientOptions(connectMs),
      connections: options.maxConnections,
      factory: (at: URL, given: object) => new CountingClient(at, given),
    });
    pools.set(key, pool);
    return pool;
  }

  return {
    send(request, handler) {
      const flow = new Flow({
        request,
        handler,
        maxInflatedBytes: options.maxInflatedBytes,
        sendAgain: () => sendAlone(request, flow),
      });
      poolFor(request.origin, request.connectMs).dispatch(dispatchOptions(request), flow);
      return flow;
    },
    async close() {
      await Promise.all([...pools.values(), ...lone].map((each) => each.destroy()));
      pools.clear();
    },
  };
}

function dispatchOptions(request: UpstreamRequest): Dispatcher.DispatchOptions {
  return { path: request.path, method: request.method, ...bodyAndHeaders(request) };
}

/** Up to here one copy and one write are cheaper than several writes. */
const joinUpToBytes = 64 * 1024;

/** A large body goes out piece by piece under its joint length: joining it would copy what was only spliced. */
function bodyAndHeaders(request: UpstreamRequest): Pick<Dispatcher.DispatchOptions, "body" | "headers"> {
  const { body = [], headers } = request;
  const [only = null] = body;
  if (body.length <= 1) return { headers, body: only };
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  if (length <= joinUpToBytes) return { headers, body: Buffer.concat(body, length) };
  // undici's documentation of `dispatch` names iterables among bodies; its types leave them out.
  const pieces = body as unknown as Readable;
  return { headers: { ...headers, "content-length": String(length) }, body: pieces };
}

class Cancelled extends Error {}

interface FlowParts {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  readonly maxInflatedBytes: number;
  /** False where it cannot be sent again. */
  readonly sendAgain: () => boolean;
}

/** One request: undici's callbacks on one side, ours on the other. Silent after `cancel`, and after its one ending. */
class Flow implements UpstreamFlow, Dispatcher.DispatchHandler {
  readonly #request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  readonly #maxInflatedBytes: number;
  readonly #sendAgain: () => boolean;
  /** Its socket has carried a request before, and may have died since without anybody knowing. */
  isReused = false;
  #startedAtMs = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #inflater: Inflater | undefined;
  #headSeen = false;
  /** Of one read of the socket, so bounded by that. */
  #gathered: Buffer[] = [];
  #over = false;
  /** Stopped from outside, and stopped because the decompressor cannot follow. */
  #paused = false;
  #choked = false;

  constructor({ request, handler, maxInflatedBytes, sendAgain }: FlowParts) {
    this.#request = request;
    this.#handler = handler;
    this.#maxInflatedBytes = maxInflatedBytes;
    this.#sendAgain = sendAgain;
  }

  pause(): void {
    if (this.#over) return;
    this.#paused = true;
    this.#controller?.pause();
    this.#inflater?.pause();
  }

  resume(): void {
    if (this.#over) return;
    this.#paused = false;
    this.#inflater?.resume();
    if (!this.#choked) this.#controller?.resume();
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#inflater?.stop();
    this.#controller?.abort(new Cancelled("cancelled"));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#startedAtMs = performance.now();
    if (this.#over) controller.abort(new Cancelled("cancelled before it was sent"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Informational answers (100, 103) come before the one that counts.
    if (this.#over || status < 200) return;
    this.#controller = controller;
    this.#headSeen = true;
    const flat = flatten(headers);
    const encoding = flat["content-encoding"]?.trim().toLowerCase();
    if (encoding !== undefined && encoding !== "" && encoding !== "identity") {
      const opened = inflater(encoding, this.#maxInflatedBytes, {
        onBytes: (bytes) => this.#handler.onBytes(bytes),
        onEnd: () => this.#end(),
        onDrain: () => {
          this.#choked = false;
          if (!this.#paused) this.#controller?.resume();
        },
        onFail: (what) => this.#fail(what),
      });
      if (opened === undefined) {
        this.#fail(failure("bad_upstream_response", `The provider answered in an encoding we do not read.`));
        return;
      }
      this.#inflater = opened;
    }
    this.#handler.onHead(status, flat);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    if (this.#inflater === undefined) {
      this.#gather(chunk);
      return;
    }
    if (this.#inflater.push(chunk)) return;
    this.#choked = true;
    this.#controller?.pause();
  }

  /**
   * undici gives each piece of a chunked body by itself, and a provider makes one of each event. Those of one read of the
   * socket go on together, in the same turn of the loop: what they cost apart from their bytes is then paid once.
   */
  #gather(chunk: Buffer): void {
    if (this.#gathered.push(chunk) === 1) queueMicrotask(() => this.#handOver());
  }

  #handOver(): void {
    const [first] = this.#gathered;
    if (first === undefined) return;
    const bytes = this.#gathered.length === 1 ? first : Buffer.concat(this.#gathered);
    this.#gathered = [];
    if (!this.#over) this.#handler.onBytes(bytes);
  }

  onResponseEnd(): void {
    this.#handOver();
    if (this.#over) return;
    if (this.#inflater === undefined) this.#end();
    else this.#inflater.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#handOver();
    if (this.#over) return;
    const what = transportFailure(error, { headSeen: this.#headSeen, connectMs: this.#request.connectMs });
    if (what.kind === "connection_lost" && this.#isStale() && this.#sendAgain()) return;
    this.#fail(what);
  }

  /** Lost at once, on a socket that was kept, before a byte came: the provider had closed it while it lay idle. */
  #isStale(): boolean {
    if (!this.isReused || this.#headSeen) return false;
    this.isReused = false;
    return performance.now() - this.#startedAtMs < staleWithinMs;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onEnd();
  }

  #fail(what: Parameters<UpstreamHandler["onFail"]>[0]): void {
    if (this.#over) return;
    this.cancel();
    this.#handler.onFail(what);
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = Object.create(null);
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== undefined) flat[name.toLowerCase()] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}
