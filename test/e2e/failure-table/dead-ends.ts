import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Worker } from "node:worker_threads";
import type { DeadEnd } from "./fault-row.ts";
import { untrustedCertificate } from "./untrusted-certificate.ts";

export type DeadEnds = Readonly<Record<DeadEnd, string>>;

/** Addresses at which nothing can be had, each in its own way. */
export async function openDeadEnds(): Promise<DeadEnds & AsyncDisposable> {
  const plain = await listening(createServer((socket) => void socket.on("error", () => {}).end("not TLS\r\n")));
  const untrusted = await listening(
    createTlsServer(untrustedCertificate, (socket) => void socket.on("error", () => {})),
  );
  const silent = await openSilent();
  return {
    unresolvable: "http://no-such-host.invalid",
    silent: `http://127.0.0.1:${silent.port}`,
    "no-tls": `https://127.0.0.1:${portOf(plain)}`,
    "untrusted-tls": `https://localhost:${portOf(untrusted)}`,
    async [Symbol.asyncDispose]() {
      await silent.close();
      plain.close();
      untrusted.close();
    },
  };
}

function listening(server: Server): Promise<Server> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Listens, then never accepts: with its queue full, the system leaves new connections without an answer. */
const never = `
  const { createServer } = require("node:net");
  const { parentPort } = require("node:worker_threads");
  const server = createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

async function openSilent(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const worker = new Worker(never, { eval: true });
  const port = await new Promise<number>((resolve) => worker.once("message", resolve));
  const queue: Socket[] = [];
  for (let filled = 0; filled < 8; filled += 1) {
    queue.push(connect(port, "127.0.0.1").on("error", () => {}));
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    port,
    async close() {
      for (const socket of queue) socket.destroy();
      await worker.terminate();
    },
  };
}
