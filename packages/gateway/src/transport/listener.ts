import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Server as NetServer, type AddressInfo } from "node:net";
import type { Exchange } from "#domain/ports";
import { answerAndClose, clientErrors } from "./client-errors.ts";
import { HttpExchange } from "./http-exchange.ts";
import { checkHead } from "./request-checks.ts";

export interface ListenerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Several processes share the port (Linux, BSD). */
  readonly reusePort: boolean;
  /** A listening handle the supervisor opened, where `reusePort` is not to be had. */
  readonly handle?: NetServer;
  readonly maxHeaderBytes: number;
  readonly headersTimeoutMs: number;
  /** A client that takes no byte of an answer's end for so long is let go. */
  readonly stalledClientMs: number;
  /** Open client sockets; more are closed at once. */
  readonly maxConnections: number;
  readonly onExchange: (exchange: Exchange) => void;
}

export interface Listener {
  readonly port: number;
  /**
   * No new connections; those that are open are told to close with their next answer, and closed after a moment
   * without a request. May be called again.
   */
  stopAccepting(): void;
  /** Resolves when the last connection is gone. */
  readonly closed: Promise<void>;
  /** Cuts what is left. */
  destroy(): void;
}

/** Whole time a client has to send a request, slow-trickled bodies included. */
const wholeRequestMs = 300_000;
const keepAliveMs = 65_000;
/** How long a connection may wait for its request after the listener has stopped. */
const idleGraceMs = 1_000;
/** Node sweeps for slow heads at this interval, so its own default of 30 s would triple a 10 s limit. */
const sweepMs = 2_000;

/** Starts the HTTP server of the data plane. Rejects where the address cannot be bound. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const errors = clientErrors();
  const server = createServer(
    {
      maxHeaderSize: options.maxHeaderBytes,
      headersTimeout: options.headersTimeoutMs,
      requestTimeout: wholeRequestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: sweepMs,
      requireHostHeader: true,
      insecureHTTPParser: false,
      noDelay: true,
    },
    (request, response) => {
      errors.watch(response);
      receive({ request, response, options, closing: () => stopping });
    },
  );
  let stopping = false;
  // Node drops headers beyond its own limit in silence; we count them ourselves and refuse.
  server.maxHeadersCount = 0;
  server.maxConnections = options.maxConnections;
  server.on("clientError", (error, socket) => errors.handle(error, socket));
  // Node lets go of a socket that asks for another protocol; we speak none.
  server.on("upgrade", (_request, socket) => answerAndClose(socket, 501));
  await bind(server, options);
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    closed,
    stopAccepting() {
      // http.Server's own close() also cuts connections that look idle, among them ones whose first request is
      // still on its way: a caller would lose a call that nobody refused.
      NetServer.prototype.close.call(server);
      if (stopping) server.closeIdleConnections();
      else setTimeout(() => server.closeIdleConnections(), idleGraceMs).unref();
      stopping = true;
    },
    destroy() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function bind(server: Server, options: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const ready = (): void => {
      server.removeListener("error", reject);
      resolve();
    };
    if (options.handle !== undefined) server.listen(options.handle, ready);
    else server.listen({ host: options.host, port: options.port, reusePort: options.reusePort, backlog: 1024 }, ready);
  });
}

interface Reception {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly options: ListenerOptions;
  readonly closing: () => boolean;
}

function receive({ request, response, options, closing }: Reception): void {
  const target = request.url ?? "";
  const checked = checkHead({
    method: request.method ?? "",
    target,
    httpVersion: request.httpVersion,
    rawHeaders: request.rawHeaders,
  });
  if (checked.kind === "refused") {
    const body = `${STATUS_CODES[checked.status]}: ${checked.why}.\n`;
    response.writeHead(checked.status, {
      "content-type": "text/plain; charset=utf-8",
      "content-length": Buffer.byteLength(body),
      connection: "close",
    });
    response.end(body);
    request.resume();
    return;
  }
  const { stalledClientMs: stalledMs } = options;
  options.onExchange(new HttpExchange({ request, response, headers: checked.headers, target, closing, stalledMs }));
}
