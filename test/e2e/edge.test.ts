import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { eventually, Place, readiness } from "./gateway-process.ts";

let place: Place;
let local: Simulator;

beforeEach(async () => {
  place = new Place();
  local = await startSimulator();
});

afterEach(async () => {
  await place.clear();
  await local.close();
});

/** No name under `.invalid` resolves anywhere (RFC 2606): a gateway without a network. */
const remote = (name: string): string =>
  `${name}: { kind: openai-compatible, url: "http://${name}.invalid/v1", operator: ${name}, key: sk-edge-000000000000 }`;

function configuration(collector: string, remotes = `${remote("far")}\n  ${remote("further")}`): string {
  return `
server: { port: 0, workers: 1 }
providers:
  ${remotes}
  local: { kind: openai-compatible, url: "${local.url}/v1", operator: ours }
routes:
  default: { targets: [far/large, further/large, { target: local/steady, when: last-resort }], timeouts: { connect: 1s } }
records: { forward: { url: "${collector}", key: sk-collector-00000000 } }
`;
}

async function ask(url: string): Promise<{ readonly ms: number; readonly headers: Headers; readonly status: number }> {
  const startedMs = performance.now();
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Is anybody there?" }] }),
  });
  await answer.text();
  return { ms: performance.now() - startedMs, headers: answer.headers, status: answer.status };
}

describe("A gateway without a network", { timeout: 180_000 }, () => {
  it("is ready, answers from its own model, keeps its records and forwards them when it can, once it is back", async () => {
    const posted = createServer();
    await new Promise<void>((resolve) => posted.listen(0, "127.0.0.1", resolve));
    const { port } = posted.address() as AddressInfo;
    await new Promise((resolve) => posted.close(resolve));
    place.write(configuration(`http://127.0.0.1:${port}/`));
    const gateway = place.start();
    const url = await gateway.ready();
    expect(await readiness(url)).toMatchObject({ status: 200, body: { state: "ready" } });

    const first = await ask(url);
    expect(first.status).toBe(200);
    expect(first.headers.get("x-hedgerow-decision")).toBe("degraded");
    expect(first.headers.get("x-hedgerow-provider")).toBe("local");
    // What is found out once is not found out again by the next.
    const next = await Promise.all([ask(url), ask(url), ask(url)]);
    expect(next.map(({ headers }) => headers.get("x-hedgerow-decision"))).toEqual(Array(3).fill("degraded"));
    expect(next.map(({ headers }) => headers.get("x-hedgerow-attempts"))).toEqual(Array(3).fill("1"));
    expect(await readiness(url)).toMatchObject({ status: 200, body: { state: "ready" } });
    const ids = [first, ...next].map(({ headers }) => headers.get("x-request-id"));
    await gateway.logged("records could not be forwarded");
    await eventually(async () =>
      expect(await (await fetch(`${url}/metrics`)).text()).toContain("hedgerow_forwarding_waiting_records 4\n"),
    );
    expect(await gateway.stop()).toBe(0);
    expect(place.calls().get(ids[0] ?? "")).toBe("degraded");

    const received: { readonly id: string; readonly decision: string }[] = [];
    const collector = createServer((request, response) => {
      let text = "";
      request.on("data", (piece: Buffer) => (text += piece.toString("utf8")));
      request.on("end", () => {
        expect(request.headers.authorization).toBe("Bearer sk-collector-00000000");
        for (const line of text.trim().split("\n")) received.push(JSON.parse(line) as (typeof received)[number]);
        response.end();
      });
    });
    await new Promise<void>((resolve) => collector.listen(port, "127.0.0.1", resolve));
    const again = place.start();
    await again.ready();
    await eventually(async () => expect(new Set(received.map(({ id }) => id))).toEqual(new Set(ids)));
    expect(received[0]).toMatchObject({ id: ids[0], decision: "degraded" });
    expect(await again.stop()).toBe(0);
    collector.close();
    expect(gateway.stderr + again.stderr).not.toContain("sk-collector-00000000");
  });
});
