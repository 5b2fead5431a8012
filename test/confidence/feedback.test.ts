import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Label } from "#domain/confidence";
import { readFeedback } from "#pipeline/serve-feedback";
import { Hedgerow } from "@hedgerow/client";
import { feedback } from "#cli/commands/feedback";
import { sha256Hex } from "#control/config/fingerprint";
import { runCommand } from "../world/run-command.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";

const id = `req_${"0123456789ab".repeat(2)}`;

function keeping(kept: Label[], answer = true) {
  return {
    labels: {
      take(label: Label, then: (kept: boolean) => void) {
        kept.push(label);
        setImmediate(then, answer);
      },
    },
  };
}

async function post(
  gateway: TestGateway,
  body: unknown,
  more: { path?: string; headers?: Record<string, string> } = {},
) {
  const { path = "/v1/feedback", headers = {} } = more;
  const reply = await fetch(gateway.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: reply.status, headers: reply.headers, json: (await reply.json()) as Record<string, unknown> };
}

describe("POST /v1/feedback", () => {
  it.each(["/v1/feedback", "/feedback", "/openai/v1/feedback"])("keeps a verdict at %s", async (path) => {
    const kept: Label[] = [];
    await using gateway = await startGateway([], [], keeping(kept));
    const reply = await post(gateway, { id, correct: false, note: "wrong year" }, { path });
    expect(reply).toMatchObject({ status: 202, json: { object: "hedgerow.feedback", id, status: "kept" } });
    expect(reply.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{24}$/u);
    expect(kept).toEqual([
      {
        callId: id,
        correct: 0,
        source: "human",
        weight: 1,
        propensity: 1,
        caller: "anonymous",
        atMs: expect.any(Number),
        note: "wrong year",
      },
    ]);
    expect(gateway.records).toEqual([]);
  });

  it("is for those who have a key, and under that key's name", async () => {
    const kept: Label[] = [];
    const keys = [{ name: "alice", sha256: sha256Hex("a-long-secret-key-of-alice") }];
    await using gateway = await startGateway([], [], { keys, ...keeping(kept) });
    expect((await post(gateway, { id, correct: true })).status).toBe(401);
    expect(kept).toEqual([]);
    const headers = { authorization: "Bearer a-long-secret-key-of-alice" };
    expect(
      (await post(gateway, { id, score: 0.5, source: "verifier", weight: 0.3, target: "a/b" }, { headers })).status,
    ).toBe(202);
    expect(kept).toMatchObject([{ caller: "alice", correct: 0.5, source: "verifier", weight: 0.3, target: "a/b" }]);
  });

  it.each<[string, unknown, RegExp]>([
    ["no JSON", "{", /not a JSON object/u],
    ["a list", [], /not a JSON object/u],
    ["no id", { correct: true }, /x-request-id/u],
    ["another id", { id: "chatcmpl-1", correct: true }, /x-request-id/u],
    ["no verdict", { id }, /either `correct`/u],
    ["two verdicts", { id, correct: true, score: 1 }, /either `correct`/u],
    ["a verdict in words", { id, correct: "yes" }, /true or false/u],
    ["a score beyond 1", { id, score: 1.1 }, /0 to 1/u],
    ["a score in words", { id, score: "0.5" }, /0 to 1/u],
    ["a source of ours", { id, correct: true, source: "silver" }, /human, verifier/u],
    ["a weight beyond 1", { id, correct: true, weight: 2 }, /`weight`/u],
    ["a long note", { id, correct: true, note: "x".repeat(2001) }, /2000/u],
    ["a misspelt field", { id, corect: true }, /no field "corect"/u],
    ["a field named like a prototype's", `{"id":"${id}","correct":true,"__proto__":{"a":1}}`, /no field/u],
  ])("refuses %s in words", async (_title, body, why) => {
    const kept: Label[] = [];
    await using gateway = await startGateway([], [], keeping(kept));
    const reply = await post(gateway, body);
    expect(reply).toMatchObject({ status: 400, json: { error: { message: expect.stringMatching(why) as string } } });
    expect(kept).toEqual([]);
  });

  it("refuses bodies that no verdict needs, and other methods", async () => {
    await using gateway = await startGateway([], [], keeping([]));
    expect((await post(gateway, { id, correct: true, note: "x".repeat(70_000) })).status).toBe(413);
    const got = await fetch(`${gateway.url}/v1/feedback`);
    expect(got.status).toBe(405);
  });

  it("says so where a verdict could not be kept", async () => {
    await using full = await startGateway([], [], keeping([], false));
    expect(await post(full, { id, correct: true })).toMatchObject({ status: 503, json: { error: {} } });
    await using without = await startGateway([], []);
    expect(await post(without, { id, correct: true })).toMatchObject({ status: 503 });
  });

  it("never throws, whatever is sent", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const read = readFeedback(Buffer.from(text), { caller: "a", atMs: 0 });
        expect("kind" in read || read.callId.startsWith("req_")).toBe(true);
      }),
    );
  });

  it("is what the client library sends", async () => {
    const kept: Label[] = [];
    await using gateway = await startGateway([], [], keeping(kept));
    const hedgerow = new Hedgerow({ baseURL: gateway.url });
    expect(await hedgerow.feedback.create({ id, correct: true, source: "verifier" })).toMatchObject({ status: "kept" });
    expect(await hedgerow.feedback.create({ id, score: 0.75, weight: 0.5 })).toMatchObject({ id });
    expect(kept).toMatchObject([
      { correct: 1, source: "verifier" },
      { correct: 0.75, weight: 0.5 },
    ]);
    await expect(hedgerow.feedback.create({ id: "no", correct: true })).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  it("is what `hedgerow feedback` sends", async () => {
    const kept: Label[] = [];
    await using gateway = await startGateway([], [], keeping(kept));
    const run = (...args: string[]) =>
      runCommand(["feedback", ...args, "--url", gateway.url], [feedback], { cwd: "." });
    expect(await run(id, "--wrong", "--note", "not so")).toMatchObject({ code: 0, out: `Kept: ${id} was wrong.\n` });
    expect(kept).toMatchObject([{ callId: id, correct: 0, note: "not so", source: "human" }]);
    expect(await run("nothing", "--correct")).toMatchObject({ code: 1, err: expect.stringMatching(/x-request-id/u) });
    expect(await run(id)).toMatchObject({ code: 2 });
    expect(await run(id, "--wrong", "--correct")).toMatchObject({ code: 2 });
  });
});
