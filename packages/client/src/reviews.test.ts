import { type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ChatStream } from "./chat-stream.ts";
import { Aborted, InvalidRequest, ManualInterventionRequired, TimedOut, UpstreamFailed } from "./errors.ts";
import { Hedgerow } from "./hedgerow.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Answer = (response: ServerResponse, url: string, count: number) => void;

async function gateway(answer: Answer) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    asked.push(request.url ?? "");
    answer(response, request.url ?? "", asked.length);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { asked, server, port, hedgerow: new Hedgerow({ baseURL: `http://127.0.0.1:${port}`, maxRetries: 0 }) };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_1" }).end(JSON.stringify(body));
}

const id = "rev_000000000000000000000001";
const open = {
  id,
  object: "hedgerow.review",
  status: "open",
  created_at: "2026-11-26T06:00:00.000Z",
  deadline_at: "2026-11-27T06:00:00.000Z",
};
const completion = {
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "Lisbon" }, finish_reason: "stop" }],
};
const decided = {
  ...open,
  status: "decided",
  decision: { kind: "accepted", reviewer: "ann", target: "a/m", at: "2026-11-26T07:00:00.000Z" },
  answer: completion,
};
const messages = [{ role: "user", content: "?" }] as const;

describe("reviews", () => {
  it("gives a review as it is, and what the person gave", async () => {
    const { hedgerow, asked } = await gateway((response, _url, count) =>
      send(response, 200, count === 1 ? open : decided),
    );
    expect(await hedgerow.reviews.retrieve(id)).toEqual({ ...open, text: "" });
    const second = await hedgerow.reviews.retrieve(id);
    expect(second).toMatchObject({ status: "decided", text: "Lisbon", decision: { reviewer: "ann" } });
    expect(asked).toEqual([`/v1/reviews/${id}`, `/v1/reviews/${id}`]);
  });

  it("waits until it is decided, over refusals and restarts of the gateway", async () => {
    const { hedgerow, asked } = await gateway((response, _url, count) => {
      if (count === 1) send(response, 200, open);
      else if (count === 2) send(response, 503, { error: { metadata: { code: "draining", retryable: true } } });
      else if (count === 3) response.destroy();
      else send(response, 200, decided);
    });
    expect(await hedgerow.reviews.wait(id)).toMatchObject({ status: "decided", text: "Lisbon" });
    expect(asked).toHaveLength(4);
    expect(asked[0]).toBe(`/v1/reviews/${id}?wait=30000ms`);
  }, 20_000);

  it("does not ask without pause where the gateway does not wait", async () => {
    const { hedgerow, asked } = await gateway((response) => send(response, 200, open));
    const error: unknown = await hedgerow.reviews.wait(id, { timeoutMs: 2_500 }).catch((reason: unknown) => reason);
    expect(TimedOut.isInstance(error)).toBe(true);
    expect(asked.length).toBeLessThanOrEqual(4);
  });

  it("stops with its signal", async () => {
    const { hedgerow } = await gateway(() => {});
    const abort = new AbortController();
    const waiting = hedgerow.reviews.wait(id, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    const error: unknown = await waiting.catch((reason: unknown) => reason);
    expect(Aborted.isInstance(error)).toBe(true);
  });

  it("raises what waiting cannot cure", async () => {
    const { hedgerow } = await gateway((response, url) => {
      if (url.includes("other")) send(response, 200, { hello: 1 });
      else send(response, 404, { error: { message: "no", metadata: { code: "not_found" } } });
    });
    await expect(hedgerow.reviews.wait(id)).rejects.toBeInstanceOf(InvalidRequest);
    await expect(hedgerow.reviews.retrieve("other")).rejects.toBeInstanceOf(UpstreamFailed);
  });

  it("writes an id so that it leads nowhere else", async () => {
    const { hedgerow, asked } = await gateway((response) => send(response, 200, open));
    await hedgerow.reviews.retrieve("../models?x=1");
    expect(asked).toEqual(["/v1/reviews/..%2Fmodels%3Fx%3D1"]);
  });
});

describe("a call that nobody was sure of", () => {
  const metadata = {
    code: "low_confidence",
    review_id: id,
    best_answer: completion,
    attempts: [
      { target: "a/m", failure: "doubted", ms: 3, score: 0.41 },
      { target: "b/m", failure: "upstream_failed", ms: 3 },
      { target: "c/m", failure: "doubted", ms: 3, score: null },
    ],
  };

  async function raised(answer: Answer, more: { readonly stream?: boolean } = {}): Promise<ManualInterventionRequired> {
    const { hedgerow } = await gateway(answer);
    try {
      const reply = await hedgerow.chat.completions.create({ model: "main", messages, ...more });
      if (reply instanceof ChatStream) await reply.text();
    } catch (error) {
      if (ManualInterventionRequired.isInstance(error)) return error;
      throw error;
    }
    throw new Error("nothing was raised");
  }

  it("raises who was how sure, the best answer, and where a person decides", async () => {
    const error = await raised((response) => send(response, 422, { error: { message: "unsure", metadata } }));
    expect(error).toMatchObject({ code: "low_confidence", status: 422, reviewId: id, bestText: "Lisbon" });
    expect(error.bestAnswer).toEqual(completion);
    expect(error.scores).toEqual([
      { target: "a/m", score: 0.41 },
      { target: "c/m", score: null },
    ]);
  });

  it("raises the same where the gateway says only that a person was asked", async () => {
    const body = { id: "req_1", object: "hedgerow.review", status: "pending", review_id: id, url: `/v1/reviews/${id}` };
    const error = await raised((response) => send(response, 202, body));
    expect(error).toMatchObject({ status: 202, reviewId: id, requestId: "req_1", bestText: undefined, scores: [] });
  });

  it("raises the same from a stream that was held in vain", async () => {
    const error = await raised(
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(`: waiting\n\ndata: ${JSON.stringify({ error: { message: "unsure", metadata } })}\n\n`);
      },
      { stream: true },
    );
    expect(error).toMatchObject({ reviewId: id, bestText: "Lisbon" });
    expect(error.scores).toHaveLength(2);
  });
});
