import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { runCommand } from "../world/run-command.ts";
import type { CommandIo } from "#cli/command";
import { ask } from "#cli/commands/ask";

const hedgerow = (args: readonly string[], more: Partial<CommandIo> = {}) =>
  runCommand(args, [ask], { cwd: "/nonexistent", ...more });

describe("ask", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  type Seen = { headers: IncomingMessage["headers"]; body: Record<string, unknown> };

  async function gateway(answer: (response: ServerResponse) => void): Promise<{ url: string; seen: Seen[] }> {
    const seen: Seen[] = [];
    const started = createServer((request, response) => {
      let text = "";
      request.on("data", (piece: Buffer) => (text += piece.toString()));
      request.on("end", () => {
        seen.push({ headers: request.headers, body: JSON.parse(text) as Record<string, unknown> });
        answer(response);
      });
    });
    server = started;
    await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
    return { url: `http://127.0.0.1:${(started.address() as AddressInfo).port}`, seen };
  }

  const chunk = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
  const facts = {
    provider: "sim-b",
    model: "steady",
    decision: "recovered",
    attempts: [
      { target: "sim/flaky", outcome: "failed", failure: "upstream_failed", ms: 12 },
      { target: "sim-b/steady", outcome: "answered", ms: 80 },
    ],
    cost_usd: 0.0000012,
    warnings: ["seed was dropped"],
  };
  const streaming = (frames: readonly string[]) => (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(frames.join(""));
  };

  it("streams the answer, then says who answered, the attempts, the confidence and the cost", async () => {
    const last = `data: ${JSON.stringify({ choices: [], hedgerow: facts })}\n\n`;
    const { url, seen } = await gateway(streaming([": hi\n\n", chunk("Hel"), chunk("lo"), last, "data: [DONE]\n\n"]));
    const ran = await hedgerow(["ask", "say", "hello", "-m", "demo", "--min-confidence", "0.8"], {
      env: { HEDGEROW_URL: `${url}/v1/`, HEDGEROW_KEY: "canary-gateway-key" },
    });
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(
      /^Hello\n\nanswered by sim-b\/steady · 2 attempts \(sim\/flaky upstream_failed 12 ms, sim-b\/steady answered 80 ms\) · recovered · no confidence gate · 0\.0000012 USD · \d+ ms\n$/,
    );
    expect(ran.err).toBe("warning: seed was dropped\n");
    expect(seen[0]?.headers.authorization).toBe("Bearer canary-gateway-key");
    expect(seen[0]?.body).toMatchObject({
      model: "demo",
      stream: true,
      messages: [{ role: "user", content: "say hello" }],
      hedgerow: { metadata: true, min_confidence: 0.8 },
    });
  });

  it("takes a whole answer with --no-stream and reads what headers say", async () => {
    const { url, seen } = await gateway((response) => {
      response.writeHead(200, {
        "content-type": "application/json",
        "x-hedgerow-provider": "openai",
        "x-hedgerow-model": "gpt-5.4",
        "x-hedgerow-attempts": "1",
        "x-hedgerow-decision": "answered",
        "x-hedgerow-confidence": "0.91",
        "x-hedgerow-cost-usd": "0.0021",
      });
      response.end(JSON.stringify({ choices: [{ message: { content: "Hi\u001b[31m" } }] }));
    });
    const ran = await hedgerow(["ask", "x", "--no-stream", "--url", url], { isTty: true });
    expect(ran.out).toContain(
      "Hi�[31m\n\nanswered by openai/gpt-5.4 · 1 attempt · answered · confidence 0.91 · 0.0021 USD",
    );
    expect(seen[0]?.body).not.toHaveProperty("model");
    expect((await hedgerow(["ask", "x", "--no-stream", "-q", "--url", url])).out).toBe("Hi\u001b[31m\n");
  });

  it("prints code, message and attempts of a failure and exits with 1", async () => {
    const { url } = await gateway((response) => {
      response.writeHead(502, { "content-type": "application/json" });
      const metadata = {
        code: "upstream_error",
        request_id: "req_7",
        attempts: [{ target: "sim/flaky", failure: "upstream_failed", status: 500, ms: 3 }],
      };
      response.end(JSON.stringify({ error: { message: "All targets failed.", code: "upstream_error", metadata } }));
    });
    expect(await hedgerow(["ask", "x", "--url", url])).toEqual({
      code: 1,
      out: "",
      err:
        "hedgerow ask: upstream_error: All targets failed.\n" +
        "  attempt: sim/flaky upstream_failed 500 3 ms\n  request: req_7\n",
    });
  });

  it("tells an error inside a stream, and a stream that ends without its end", async () => {
    const error = `data: ${JSON.stringify({ error: { message: "cut", metadata: { code: "upstream_truncated" } } })}\n\n`;
    const told = await gateway(streaming([chunk("Hel"), error]));
    const ran = await hedgerow(["ask", "x", "--url", told.url]);
    expect(ran).toMatchObject({ code: 1, out: "Hel\n", err: "hedgerow ask: upstream_truncated: cut\n" });
    server?.close();
    const untold = await gateway(streaming([chunk("Hel")]));
    const cut = await hedgerow(["ask", "x", "--url", untold.url]);
    expect(cut).toMatchObject({ code: 1, err: expect.stringContaining("not whole") });
  });

  it("says where the gateway's key is taken from when it wants one", async () => {
    const { url } = await gateway((response) => {
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: "A key is needed.", code: "unauthenticated" } }));
    });
    expect((await hedgerow(["ask", "x", "--url", url])).err).toContain("set HEDGEROW_KEY");
  });

  it("says so where nothing listens", async () => {
    const { url } = await gateway(() => {});
    server?.close();
    const ran = await hedgerow(["ask", "x", "--url", url]);
    expect(ran).toMatchObject({
      code: 1,
      err: expect.stringContaining(`nothing listens at ${url}; start the gateway`),
    });
  });

  it.each([
    [["ask"], "the text to ask is missing"],
    [["ask", "x", "--min-confidence", "2"], "--min-confidence takes a number from 0 to 1"],
    [["ask", "x", "--url", "ftp://x"], "is not the address of a gateway"],
  ])("refuses %j", async (args, words) => {
    expect(await hedgerow(args)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
  });
});
