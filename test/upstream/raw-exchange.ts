import { connect } from "node:net";
import type { Simulator } from "#simulation/server";

export type Dialect = "chat" | "messages";

/** What came back, as bytes. */
export interface Received {
  readonly head: string;
  /** As it came on the wire, chunk framing included. */
  readonly wire: Buffer;
  /** Without chunk framing. */
  readonly body: Buffer;
  /** Pieces in which the socket gave the bytes. */
  readonly reads: number;
  readonly end: "fin" | "reset";
}

/** A small request of the dialect, by hand. */
export function requestBytes(dialect: Dialect, streamed: boolean): string {
  const body = JSON.stringify({
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    ...(dialect === "chat" ? {} : { max_tokens: 100 }),
    ...(streamed ? { stream: true } : {}),
    ...(streamed && dialect === "chat" ? { stream_options: { include_usage: true } } : {}),
  });
  const path = dialect === "chat" ? "/v1/chat/completions" : "/v1/messages";
  const version = dialect === "chat" ? "" : "anthropic-version: 2023-06-01\r\n";
  return `POST ${path} HTTP/1.1\r\nhost: x\r\n${version}connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Reads until the other side ends, byte by byte as they came. */
export function exchange(simulator: Simulator, dialect: Dialect, streamed = true): Promise<Received> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const finish = (end: Received["end"]): void => {
      const all = Buffer.concat(chunks);
      const split = all.indexOf("\r\n\r\n");
      const head = all.subarray(0, Math.max(split, 0)).toString("latin1");
      const wire = split < 0 ? all : all.subarray(split + 4);
      const body = /transfer-encoding: chunked/i.test(head) ? unchunked(wire) : wire;
      resolve({ head, wire, body, reads: chunks.length, end });
      socket.destroy();
    };
    const socket = connect(simulator.port, "127.0.0.1", () => socket.write(requestBytes(dialect, streamed)));
    socket.on("data", (bytes: Buffer) => chunks.push(bytes));
    socket.on("end", () => finish("fin"));
    socket.on("error", () => finish("reset"));
  });
}

function unchunked(wire: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = wire.indexOf("\r\n", at);
    const size = line < 0 ? 0 : Number.parseInt(wire.subarray(at, line).toString("latin1"), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(wire.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

/** The seconds of `created` may differ between two answers; their number of digits does not. */
export function masked(body: Buffer): Buffer {
  return Buffer.from(body.toString("latin1").replaceAll(/"created":\d{10}/g, '"created":0000000000'), "latin1");
}

/** The text a stream carries, in either dialect. */
export function textOf(body: Buffer): string {
  const pieces = body.toString("utf8").matchAll(/"(?:content|text)":"([^"]*)"/g);
  return Array.from(pieces, (piece) => piece[1]).join("");
}
