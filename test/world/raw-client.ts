import { connect } from "node:net";

/** What came back on a socket, until the other side closed it or `waitMs` passed. */
export interface RawReply {
  /** Of the first answer; 0 where none came. */
  readonly status: number;
  readonly text: string;
  readonly closed: boolean;
  readonly tookMs: number;
}

export type Piece = string | Uint8Array | { readonly pauseMs: number };

export interface RawOptions {
  /** How long to wait for what is expected. Default 2,000. */
  readonly waitMs?: number;
  /** Answers expected on the connection. Default 1. */
  readonly answers?: number;
}

/**
 * Writes exactly these bytes on a connection of its own: for what no HTTP client would send. Done once the answers
 * are there whole, or, where one of them says so, once the connection is closed.
 */
export async function sendRaw(
  port: number,
  pieces: readonly Piece[] | string,
  options: RawOptions = {},
): Promise<RawReply> {
  const startedAtMs = performance.now();
  const socket = connect(port, "127.0.0.1");
  let text = "";
  let closed = false;
  const done = new Promise<void>((resolve) => {
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      if (wholeAnswers(text) >= (options.answers ?? 1) && !/^connection: close\r$/im.test(text)) resolve();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      closed = true;
      resolve();
    });
  });
  for (const piece of typeof pieces === "string" ? [pieces] : pieces) {
    if (closed) break;
    if (typeof piece === "object" && "pauseMs" in piece) await Promise.race([done, pause(piece.pauseMs)]);
    else socket.write(piece);
  }
  await Promise.race([done, pause(options.waitMs ?? 2_000)]);
  const tookMs = performance.now() - startedAtMs;
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text, closed, tookMs };
}

/** Answers that came with a length, and with all of it. */
function wholeAnswers(text: string): number {
  let count = 0;
  let at = 0;
  for (;;) {
    const bodyAt = text.indexOf("\r\n\r\n", at) + 4;
    if (bodyAt < 4) return count;
    const length = Number(/^content-length: (\d+)/im.exec(text.slice(at, bodyAt))?.[1] ?? Number.NaN);
    if (!(text.length >= bodyAt + length)) return count;
    at = bodyAt + length;
    count += 1;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
