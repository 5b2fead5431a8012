import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "#domain/failure";
import { openUpstream } from "./upstream.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

interface Peer {
  readonly origin: string;
  /** How many requests each connection has seen, in order of connection. */
  readonly requests: number[];
}

/** A provider on bare sockets: what it does with a request depends on its connection's number and how many came before. */
async function peer(onRequest: (socket: Socket, connection: number, before: number) => void): Promise<Peer> {
  const requests: number[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const connection = requests.length;
    requests.push(0);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => {
      const before = requests[connection] ?? 0;
      requests[connection] = before + 1;
      onRequest(socket, connection, before);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { origin: `http://127.0.0.1:${address.port}`, requests };
}

function client() {
  const upstream = openUpstream();
  open.push(() => void upstream.close());
  return async (origin: string): Promise<string> => {
    const endings: (Failure | "end")[] = [];
    let text = "";
    upstream.send(
      { origin, path: "/v1/x", method: "POST", headers: {}, body: [Buffer.from("{}")], connectMs: 1_000 },
      {
        onHead: () => {},
        onBytes: (bytes) => void (text += Buffer.from(bytes).toString("utf8")),
        onEnd: () => void endings.push("end"),
        onFail: (what) => void endings.push(what),
      },
    );
    await vi.waitUntil(() => endings.length > 0, { timeout: 10_000 });
    expect(endings.length).toBe(1);
    const [ending] = endings;
    return ending === "end" ? text : (ending?.kind ?? "");
  };
}

describe("a kept socket that has died", () => {
  it("costs nobody anything: the request goes out again on a new one", async () => {
    const there = await peer((socket, _connection, before) => {
      if (before === 0) socket.write(answer);
      else socket.resetAndDestroy();
    });
    const post = client();
    for (let n = 0; n < 20; n += 1) expect(await post(there.origin)).toBe("ok");
    expect(Math.max(...there.requests)).toBe(2);
  });

  it("is tried again once and no oftener", async () => {
    const there = await peer((socket, connection, before) => {
      if (connection === 0 && before === 0) socket.write(answer);
      else socket.resetAndDestroy();
    });
    const post = client();
    expect(await post(there.origin)).toBe("ok");
    expect(await post(there.origin)).toBe("connection_lost");
    expect(there.requests).toEqual([2, 1]);
  });

  it("is no excuse for a new socket, nor for an answer that had begun", async () => {
    const reset = await peer((socket) => socket.resetAndDestroy());
    const post = client();
    expect(await post(reset.origin)).toBe("connection_lost");
    expect(reset.requests).toEqual([1]);
    const begun = await peer((socket, _connection, before) => {
      if (before === 0) socket.write(answer);
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok", () => socket.resetAndDestroy());
    });
    expect(await post(begun.origin)).toBe("ok");
    expect(await post(begun.origin)).toBe("truncated_response");
    expect(begun.requests).toEqual([2]);
  });

  it("is not what a provider did that thought for a while before it dropped the connection", async () => {
    const there = await peer((socket, _connection, before) => {
      if (before === 0) socket.write(answer);
      else setTimeout(() => socket.resetAndDestroy(), 1_300);
    });
    const post = client();
    expect(await post(there.origin)).toBe("ok");
    expect(await post(there.origin)).toBe("connection_lost");
    expect(there.requests).toEqual([2]);
  });
});
