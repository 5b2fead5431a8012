// The provider of the benchmark, in a process of its own: answers at once, as little work as possible. How it answers is set
// by GET /set?chunks=64&paceMs=20&faults=0.05 and so on, for relays forward no header of ours; GET /counts tells what it did.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { anthropic, openai, type Bodies } from "./upstream-bodies.ts";

const settings = {
  /** Of a stream. */
  chunks: 64,
  /** Between two of them; 0: as fast as they go. */
  paceMs: 0,
  /** 1: each paced chunk says when it left, in microseconds of the machine's own clock. */
  stamped: 0,
  /** Share of calls that fail: half 500, half a connection that is cut. Refusals for load are no faults: they close a door. */
  faults: 0,
};
const counts = { calls: 0, whole: 0, streams: 0, faults: 0, gone: 0 };

const asksForStream = /"stream": ?true/u;
/** Far enough into a body, from either end: gateways that write it anew change the order of its fields. */
const lookBytes = 400;

const server = createServer((request, response) => {
  if (request.method === "GET") {
    control(request, response);
    return;
  }
  let front: Buffer | undefined;
  let back: Buffer = Buffer.alloc(0);
  request.on("data", (bytes: Buffer) => {
    front ??= bytes.subarray(0, lookBytes);
    back = bytes.length < lookBytes ? Buffer.concat([back, bytes]).subarray(-lookBytes) : bytes.subarray(-lookBytes);
  });
  request.on("end", () => {
    counts.calls += 1;
    if (settings.faults > 0 && Math.random() < settings.faults) {
      fail(response);
      return;
    }
    const bodies = request.url?.endsWith("/messages") === true ? anthropic : openai;
    const streamed = asksForStream.test(`${front?.toString("latin1") ?? ""}\n${back.toString("latin1")}`);
    if (streamed) stream(response, bodies);
    else answer(response, bodies);
  });
});

function control(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://upstream");
  for (const name of Object.keys(settings) as (keyof typeof settings)[]) {
    if (pathname === "/set" && searchParams.has(name)) settings[name] = Number(searchParams.get(name));
  }
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ settings, counts }));
}

/** Each call has its own number, by which a ledger tells them apart. */
const numbered = (): Record<string, string> => ({ "x-request-id": `up-${counts.calls}` });

function answer(response: ServerResponse, { whole }: Bodies): void {
  counts.whole += 1;
  response.writeHead(200, { "content-type": "application/json", "content-length": whole.length, ...numbered() });
  response.end(whole);
}

function fail(response: ServerResponse): void {
  counts.faults += 1;
  if (Math.random() < 0.5) {
    response.socket?.destroy();
    return;
  }
  response.writeHead(500, { "content-type": "application/json", ...numbered() });
  response.end('{"error":{"message":"A fault of the benchmark.","type":"server_error"}}');
}

function stream(response: ServerResponse, bodies: Bodies): void {
  response.writeHead(200, { "content-type": "text/event-stream", ...numbered() });
  response.on("close", () => {
    if (response.writableFinished) counts.streams += 1;
    else counts.gone += 1;
  });
  if (bodies.opening.length > 0) response.write(bodies.opening);
  const { chunks, paceMs } = settings;
  if (paceMs === 0) send(response, bodies, chunks);
  else pace(response, bodies, chunks);
}

/** One write an event and eight a turn of the loop, so that a relay sees neither one big chunk nor only tiny ones. */
function send(response: ServerResponse, bodies: Bodies, left: number): void {
  if (response.destroyed) return;
  const now = Math.min(left, 8);
  for (let n = 0; n < now; n += 1) response.write(bodies.content);
  if (left > now) setImmediate(send, response, bodies, left - now);
  else response.end(bodies.ending);
}

function stamped(content: Buffer): string {
  return content.toString("latin1").replace("a few words", `@${process.hrtime.bigint() / 1000n}`);
}

function pace(response: ServerResponse, bodies: Bodies, left: number): void {
  if (response.destroyed) return;
  if (left === 0) {
    response.end(bodies.ending);
    return;
  }
  response.write(settings.stamped === 1 ? stamped(bodies.content) : bodies.content);
  // Timers of one length share one of the kernel's; each stream keeps its own phase, as providers' streams do.
  setTimeout(pace, settings.paceMs, response, bodies, left - 1);
}

server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", 4096, () => {
  const address = server.address();
  console.log(`ready ${typeof address === "object" && address !== null ? address.port : 0}`);
});
