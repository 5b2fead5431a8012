import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ok, startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { Place } from "./gateway-process.ts";

let place: Place;
let upstream: Upstream;
let hook: Server;
let told: string[];

beforeEach(async () => {
  place = new Place();
  upstream = await startUpstream(ok("Lisbon", { answer: { confidence: 0.5 } }));
  told = [];
  hook = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString("utf8")));
    request.on("end", () => {
      told.push((JSON.parse(text) as { readonly id: string }).id);
      response.end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await place.clear();
  await upstream.close();
  hook.closeAllConnections();
  hook.close();
});

function configuration(): string {
  const { port } = hook.address() as AddressInfo;
  return `
server: { port: 0, workers: 2 }
providers:
  a: { kind: openai-compatible, url: "${upstream.url}/v1", key: k }
routes:
  main:
    targets: [a/m]
    confidence:
      min: 0.85
      exhausted: review
      review: { deadline: 1h, webhook: { url: "http://127.0.0.1:${port}/hook" } }
`;
}

async function unsureCall(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "main", messages: [{ role: "user", content: "What is the capital?" }] }),
  });
  const { error } = (await response.json()) as {
    readonly error: { readonly metadata: { readonly review_id: string } };
  };
  expect(response.status).toBe(422);
  return error.metadata.review_id;
}

describe("a review from the call to the caller", { timeout: 180_000 }, () => {
  it("survives the death of the whole gateway, and is answered at the terminal", async () => {
    place.write(configuration());
    const first = place.start();
    const id = await unsureCall(await first.ready());
    const workers = place.workers();
    first.signal("SIGKILL");
    for (const { pid } of workers) process.kill(pid, "SIGKILL");
    await first.exited;

    const listed = await place.command(["review", "list"]);
    expect(listed.stdout).toMatch(
      new RegExp(`^${id} +in 60 min +open +0\\.\\d+ of 0\\.85, a/m +main +anonymous$`, "mu"),
    );
    const shown = await place.command(["review", "show", id]);
    expect(shown.stdout).toContain("user: What is the capital?");
    expect((await place.command(["review", "claim", id, "--by", "ann"])).stdout).toContain("claimed by ann");

    const url = await place.start().ready();
    const waiting = fetch(`${url}/v1/reviews/${id}?wait=30s`);
    const answered = await place.command(["review", "answer", id, "--accept", "a/m", "--by", "ann"]);
    expect(answered.stdout).toBe(`${id} is decided: accepted by ann\n`);
    expect(await (await waiting).json()).toMatchObject({
      status: "decided",
      decision: { kind: "accepted", reviewer: "ann" },
      answer: { choices: [{ message: { content: "Lisbon" } }], confidence: { decision: "doubted" } },
    });
    await vi.waitFor(() => expect(new Set(told)).toEqual(new Set([`${id}.created`, `${id}.decided`])), {
      timeout: 15_000,
      interval: 50,
    });
  });
});
