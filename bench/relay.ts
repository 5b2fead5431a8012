// The least code that forwards: node:http in front, undici behind, back-pressure and aborts honoured, nothing else.
// With `parse` as third argument it also parses and serialises each request body, as most gateways do.
import { createServer } from "node:http";
import { Pool } from "undici";

const pool = new Pool(process.argv[2] ?? "", { connections: 16_384, pipelining: 1, allowH2: false });
const parses = process.argv[3] === "parse";

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (bytes: Buffer) => chunks.push(bytes));
  request.on("end", () => {
    const [only] = chunks;
    let body: Buffer | string = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
    if (parses) {
      const json = JSON.parse(body.toString("utf8"));
      json.model = "gpt-5.4";
      body = JSON.stringify(json);
    }
    let abort: (() => void) | undefined;
    response.on("close", () => {
      if (!response.writableFinished) abort?.();
    });
    pool.dispatch(
      {
        path: request.url ?? "/",
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer sk-bench" },
        body,
      },
      {
        onRequestStart(controller) {
          abort = () => controller.abort(new Error("client gone"));
        },
        onResponseStart(controller, status, headers) {
          response.writeHead(status, { "content-type": String(headers["content-type"]) });
          response.on("drain", () => controller.resume());
        },
        onResponseData(controller, bytes) {
          if (!response.write(bytes)) controller.pause();
        },
        onResponseEnd() {
          response.end();
        },
        onResponseError() {
          response.destroy();
        },
      },
    );
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(`ready ${typeof address === "object" && address !== null ? address.port : 0}`);
});
