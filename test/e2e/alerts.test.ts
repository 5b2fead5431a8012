import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { eventually, Place } from "./gateway-process.ts";

const key = "an-inference-key-of-a-test-0001";
const secret = "a-secret-that-signs-alerts-0001";

let place: Place;
let simulator: Simulator;
let receiver: Server;
let status: number;
let heard: { readonly body: string; readonly signature: string | undefined }[];

beforeEach(async () => {
  place = new Place();
  [status, heard] = [200, []];
  simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one" } } }] });
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += String(piece)));
    request.on("end", () => {
      const signature = request.headers["x-hedgerow-signature"];
      heard.push({ body, signature: typeof signature === "string" ? signature : undefined });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

function write(): void {
  place.write(`
server: { port: 0, workers: 2 }
providers:
  sim: { kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000, models: { steady: { price: { input: 0, output: 0, request: 1usd } } } }
routes: { default: { targets: [sim/steady] } }
keys: { alice: { key: ${key}, budget: [{ limit: 4usd, period: day, alertAt: [50%, 100%] }, { limit: 3usd, period: month, soft: true, alertAt: [100%] }] } }
alerts: { webhook: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts", key: ${secret} }
`);
}

async function ask(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Count." }] }),
  });
  await answer.text();
  return answer.status;
}

const shares = (): readonly string[] =>
  heard.map(({ body }) => {
    const { period, share, soft } = JSON.parse(body) as Record<string, unknown>;
    return `${String(period)} ${String(share)} ${String(soft)}`;
  });

describe("alerts of budgets", { timeout: 120_000 }, () => {
  it("are posted and signed, once each, over a webhook that is down and a restart", async () => {
    write();
    const first = place.start();
    const url = await first.ready();
    expect([await ask(url), await ask(url)]).toEqual([200, 200]);
    await eventually(async () => expect(shares()).toEqual(["day 0.5 false"]));
    const [alert] = heard;
    expect(JSON.parse(alert?.body ?? "")).toMatchObject({
      kind: "budget",
      account: "key:alice",
      spent_usd: 2,
      limit_usd: 4,
    });
    expect(alert?.signature).toBe(
      `sha256=${createHmac("sha256", secret)
        .update(alert?.body ?? "")
        .digest("hex")}`,
    );

    status = 503;
    expect(await ask(url)).toBe(200);
    await eventually(async () => expect(shares().at(-1)).toBe("month 1 true"));
    expect(await first.stop()).toBe(0);
    status = 200;
    heard = [];
    const second = place.start();
    const again = await second.ready();
    await eventually(async () => expect(shares()).toEqual(["month 1 true"]));
    expect([await ask(again), await ask(again)]).toEqual([200, 402]);
    await eventually(async () => expect(shares()).toEqual(["month 1 true", "day 1 false"]));
  });
});
