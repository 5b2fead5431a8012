import type { IncomingMessage, ServerResponse } from "node:http";
import { gunzip } from "node:zlib";
import { failure } from "#domain/failure";
import type { BodyLimits, BodyRead, Exchange } from "#domain/ports";

interface Parts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: Readonly<Record<string, string>>;
  readonly target: string;
  /** Whether the connection is to end with this answer. */
  readonly closing: () => boolean;
  /** How long the client may take no byte once everything is written. */
  readonly stalledMs: number;
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** How much of a refused upload is still read, so that the client sees the answer before the cut. */
const lingerBytes = 64 * 1024;
/** A busy machine may take a second to look at a socket; what a client had not read by then it would lose to a reset. */
const lingerMs = 5_000;
/** A body may not inflate more than this. */
const maxRatio = 100;

/** Of nearly every call; nobody writes to a query. */
const noQuery = new URLSearchParams();

/** One request and its response as the pipeline sees it. */
export class HttpExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #closing: () => boolean;
  readonly #stalledMs: number;
  #status = 200;
  #fields: Headers = {};
  #gone = false;
  #uploadCut = false;
  #whenGone: (() => void) | undefined;
  #whenDrained: (() => void) | undefined;

  constructor(parts: Parts) {
    const mark = parts.target.indexOf("?");
    this.method = parts.request.method ?? "GET";
    this.path = mark === -1 ? parts.target : parts.target.slice(0, mark);
    this.query = mark === -1 ? noQuery : new URLSearchParams(parts.target.slice(mark + 1));
    this.headers = parts.headers;
    this.#request = parts.request;
    this.#response = parts.response;
    this.#closing = parts.closing;
    this.#stalledMs = parts.stalledMs;
    // A closed socket before the end of the answer means the client went; a FIN alone also closes it here, because
    // a half-close cannot be told from an abort in time to cancel the upstream.
    parts.response.on("close", () => {
      if (parts.response.writableFinished) return;
      this.#gone = true;
      this.#whenGone?.();
    });
    parts.response.on("drain", () => this.#whenDrained?.());
    parts.response.on("error", () => {});
    parts.request.on("error", () => {});
  }

  get gone(): boolean {
    return this.#gone;
  }

  onGone(then: () => void): void {
    this.#whenGone = then;
    if (this.#gone) then();
  }

  onDrain(then: () => void): void {
    this.#whenDrained = then;
  }

  async readBody(limits: BodyLimits): Promise<BodyRead> {
    const encoding = this.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
    if (encoding !== "identity" && encoding !== "gzip") {
      return refusal("invalid_request", `Send the body plain or as gzip; "${encoding.slice(0, 40)}" is not read.`);
    }
    if (this.#announcedBytes() > limits.maxBytes) return this.#tooLarge(limits.maxBytes);
    const read = await this.#collect(limits);
    if (read.kind !== "read" || encoding === "identity") return read;
    return inflateBody(read.bytes, limits.maxBytes);
  }

  #collect(limits: BodyLimits): Promise<BodyRead> {
    const request = this.#request;
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const settle = (read: BodyRead): void => {
        clearTimeout(timer);
        request.off("data", onData).off("end", onEnd).off("close", onClose);
        resolve(read);
      };
      const onIdle = (): void => {
        this.#cutUpload();
        settle(refusal("upload_timeout", `No byte of the body came for ${limits.idleMs} ms; send it again.`));
      };
      const timer = setTimeout(onIdle, limits.idleMs);
      const onData = (chunk: Buffer): void => {
        size += chunk.length;
        if (size > limits.maxBytes) {
          settle(this.#tooLarge(limits.maxBytes));
          return;
        }
        chunks.push(chunk);
        timer.refresh();
      };
      const onEnd = (): void => {
        const [only] = chunks;
        settle({ kind: "read", bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size) });
      };
      const onClose = (): void => settle({ kind: "gone" });
      request.on("data", onData).on("end", onEnd).on("close", onClose);
    });
  }

  #tooLarge(maxBytes: number): BodyRead {
    this.#cutUpload();
    return refusal("request_too_large", `The request body may have at most ${maxBytes} bytes.`);
  }

  /** The connection ends with this answer: what the client still has to say is not waited for. */
  #cutUpload(): void {
    if (this.#uploadCut) return;
    this.#uploadCut = true;
    const socket = this.#request.socket;
    let left = lingerBytes;
    this.#fields = { ...this.#fields, connection: "close" };
    this.#request.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) this.#request.pause();
    });
    this.#response.once("finish", () => setTimeout(() => socket.destroy(), lingerMs).unref());
  }

  /** Node would read a body that nobody wanted to its end; a small one costs less than a new connection. */
  #leavesMuchUnread(): boolean {
    if (this.#request.complete || this.#response.headersSent) return false;
    return this.headers["transfer-encoding"] !== undefined || this.#announcedBytes() > lingerBytes;
  }

  #announcedBytes(): number {
    return Number(this.headers["content-length"] ?? 0);
  }

  respond(status: number, headers: Headers): void {
    this.#status = status;
    this.#fields = { ...headers, ...this.#fields };
  }

  write(bytes: Uint8Array): boolean {
    if (this.#gone) return true;
    this.#head(undefined);
    return this.#response.write(bytes);
  }

  end(bytes?: Uint8Array): void {
    if (this.#gone) return;
    if (this.#leavesMuchUnread()) this.#cutUpload();
    this.#head(bytes?.length ?? 0);
    // Before the listener of Node's that sets the time for the next request.
    this.#response.prependOnceListener("finish", () => this.#request.socket.setTimeout(0));
    if (bytes === undefined) this.#response.end();
    else this.#response.end(bytes);
    // Nobody waits for the client any more: a socket that moves nothing for so long is destroyed by Node.
    if (!this.#response.writableFinished) this.#response.setTimeout(this.#stalledMs);
  }

  destroy(): void {
    this.#request.socket.destroy();
  }

  /** A length is named only when the first bytes are also the last. */
  #head(length: number | undefined): void {
    if (this.#response.headersSent) return;
    const fields: Record<string, string | number | readonly string[]> = { ...this.#fields };
    if (length !== undefined) fields["content-length"] = length;
    if (this.#closing()) fields["connection"] = "close";
    this.#response.writeHead(this.#status, fields as Record<string, string | number | string[]>);
  }
}

function refusal(kind: "invalid_request" | "upload_timeout" | "request_too_large", message: string): BodyRead {
  return { kind: "refused", failure: failure(kind, message) };
}

function inflateBody(bytes: Uint8Array, maxBytes: number): Promise<BodyRead> {
  const most = Math.min(maxBytes, Math.max(bytes.length * maxRatio, 64 * 1024));
  return new Promise((resolve) => {
    gunzip(bytes, { maxOutputLength: most }, (error, inflated) => {
      if (error === null) resolve({ kind: "read", bytes: inflated });
      else if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") {
        resolve(refusal("request_too_large", `The gzip body inflates beyond ${most} bytes.`));
      } else resolve(refusal("invalid_request", "The body is not the gzip its Content-Encoding says."));
    });
  });
}
