import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ClientDialectId } from "#domain/call";
import { OddJson } from "./odd-json.ts";

/** A provider that keeps what it was sent and answers with odd bytes, in odd pieces. */
export interface Echo {
  readonly server: Server;
  readonly url: string;
  readonly received: Buffer[];
  answer: { readonly type: string; readonly bytes: Buffer; readonly odd: OddJson };
}

export async function startEcho(): Promise<Echo> {
  const received: Buffer[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      received.push(Buffer.concat(pieces));
      const { type, bytes, odd } = echo.answer;
      response.writeHead(200, { "content-type": type });
      for (const piece of oddPieces(bytes, odd)) response.write(piece);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const nothing = { type: "application/json", bytes: Buffer.alloc(0), odd: new OddJson(0) };
  const echo: Echo = { server, url: `http://127.0.0.1:${port}`, received, answer: nothing };
  return echo;
}

/** Cut at places of the generator's choice. */
export function* oddPieces(bytes: Buffer, odd: OddJson): Generator<Buffer> {
  const most = odd.pick([1, 7, 60, 400, 5000, 5000], 60);
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + odd.below(most);
    yield bytes.subarray(at, next);
    at = next;
  }
}

export interface AskedPath {
  readonly model: string;
  readonly streamed: boolean;
  /** Gemini's other framing. */
  readonly isArray: boolean;
}

/** Where clients of each language ask; `asked` is the model's name where the path says it. */
export const clientPaths: Readonly<Record<ClientDialectId, (asked: AskedPath) => string>> = {
  "openai-chat": () => "/v1/chat/completions",
  "openai-responses": () => "/v1/responses",
  "anthropic-messages": () => "/v1/messages",
  gemini: ({ model, streamed, isArray }) =>
    streamed
      ? `/v1beta/models/${model}:streamGenerateContent${isArray ? "" : "?alt=sse"}`
      : `/v1beta/models/${model}:generateContent`,
  "bedrock-converse": ({ model, streamed }) => `/model/${model}/converse${streamed ? "-stream" : ""}`,
};
