// The provider of the benchmark, in a process of its own: answers at once, as little work as possible.
import { createServer, type ServerResponse } from "node:http";

const answer = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1_760_000_000,
  model: "gpt-5.4",
  choices: [
    { index: 0, message: { role: "assistant", content: "x".repeat(700), refusal: null }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 200, completion_tokens: 180, total_tokens: 380 },
});

function chunk(delta: object, finish: string | null): string {
  const event = {
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: 1_760_000_000,
    model: "gpt-5.4",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
  };
  return `data: ${JSON.stringify(event)}\n\n`;
}

const content = Buffer.from(chunk({ content: " a few words of an answer" }, null));
const usage = { prompt_tokens: 200, completion_tokens: 180, total_tokens: 380 };
const ending = Buffer.from(
  `${chunk({}, "stop")}data: ${JSON.stringify({ id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1_760_000_000, model: "gpt-5.4", choices: [], usage })}\n\ndata: [DONE]\n\n`,
);

const asksForStream = /"stream": ?true/u;
/** Far enough into a body, from either end: gateways that write it anew change the order of its fields. */
const lookBytes = 400;

const server = createServer((request, response) => {
  let front: Buffer | undefined;
  let back: Buffer = Buffer.alloc(0);
  request.on("data", (bytes: Buffer) => {
    front ??= bytes.subarray(0, lookBytes);
    back = bytes.length < lookBytes ? Buffer.concat([back, bytes]).subarray(-lookBytes) : bytes.subarray(-lookBytes);
  });
  request.on("end", () => {
    const streamed = asksForStream.test(`${front?.toString("latin1") ?? ""}\n${back.toString("latin1")}`);
    if (!streamed) {
      response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
      response.end(answer);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    send(response, Number(request.headers["x-bench-chunks"] ?? process.env["BENCH_CHUNKS"] ?? 64));
  });
});

/** One write an event and eight a turn of the loop, so that a relay sees neither one big chunk nor only tiny ones. */
function send(response: ServerResponse, left: number): void {
  const now = Math.min(left, 8);
  for (let n = 0; n < now; n += 1) response.write(content);
  if (left > now) setImmediate(send, response, left - now);
  else response.end(ending);
}

// The number of chunks is set per round by GET /chunks/N: relays forward no header of ours.
server.on("request", (request) => {
  const set = /^\/chunks\/(\d+)$/.exec(request.url ?? "");
  if (set !== null) process.env["BENCH_CHUNKS"] = set[1];
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const address = server.address();
  console.log(`ready ${typeof address === "object" && address !== null ? address.port : 0}`);
});
