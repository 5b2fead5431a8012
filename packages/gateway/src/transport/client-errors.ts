import { STATUS_CODES, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** For the client to take the answer. */
const lingerMs = 1_000;

/** Answers by hand what Node's parser gave up on, and never inside another answer. */
export interface ClientErrors {
  /** An answer of this connection that may be on its way when the parser fails. */
  watch(response: ServerResponse): void;
  handle(error: NodeJS.ErrnoException, socket: Duplex): void;
}

export function clientErrors(): ClientErrors {
  const open = new WeakMap<Duplex, Set<ServerResponse>>();
  return {
    watch(response) {
      const { socket } = response;
      if (socket === null) return;
      const answers = open.get(socket) ?? new Set();
      open.set(socket, answers.add(response));
      response.once("close", () => answers.delete(response));
    },
    handle(error, socket) {
      const answers = [...(open.get(socket) ?? [])];
      // The request that could not be read on has been refused already, and its connection closes behind the refusal.
      if (answers.length > 0 && answers.every((each) => each.writableEnded)) return;
      const begun = answers.some((each) => each.headersSent);
      if (begun || !socket.writable) socket.destroy();
      else answerAndClose(socket, statusOf(error.code));
    },
  };
}

function statusOf(code: string | undefined): number {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
}

/**
 * A whole answer without a word, after which the connection ends, whatever the client does. The socket is nobody's but
 * ours here: an error of it that nobody hears would end the process.
 */
export function answerAndClose(socket: Duplex, status: number): void {
  socket.on("error", () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
