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
  // Lists, no sets: a set that many come to and leave from leaves a trail of outgrown tables behind, each holding the next and,
  // of those that were in it, all that they hold. Once one of them is old, all are, and every call costs its whole weight.
  const open = new WeakMap<Duplex, ServerResponse[]>();
  return {
    watch(response) {
      const { socket } = response;
      if (socket === null) return;
      const answers = open.get(socket) ?? [];
      if (answers.push(response) === 1) open.set(socket, answers);
      response.once("close", () => answers.splice(answers.indexOf(response), 1));
    },
    handle(error, socket) {
      const answers = open.get(socket) ?? [];
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
