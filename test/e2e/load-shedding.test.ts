import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { GatewayKey, KeyPriority } from "#domain/gateway-key";
import { defaultLimits } from "#domain/snapshot";
import { startSimulator } from "#simulation/server";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

const secretOf = (priority: KeyPriority): string => `a-key-of-the-class-${priority}`;
const keyOf = (priority: KeyPriority): GatewayKey => ({
  name: priority,
  sha256: hash("sha256", secretOf(priority)),
  ...(priority === "normal" ? {} : { priority }),
});

describe("a worker with more calls than it can carry", { timeout: 120_000 }, () => {
  it("answers the high class while 200 connections ask, refuses low before normal, and tells operators all the while", async () => {
    const simulator = await startSimulator({
      script: [{ behaviour: { answer: { text: "one" }, firstContentDelayMs: 40 } }],
    });
    try {
      await using gateway = await startGateway(
        [providerAt("sim", "openai-compatible", simulator.url)],
        [sampleRoute("main", ["sim/steady"])],
        {
          keys: [keyOf("high"), keyOf("normal"), keyOf("low")],
          limits: { ...defaultLimits, maxConcurrentCalls: 20, maxLagMs: 600_000 },
        },
      );
      const seen = { high: [] as number[], normal: [] as number[], low: [] as number[] };
      const ask = async (priority: KeyPriority): Promise<void> => {
        const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${secretOf(priority)}` },
          body: JSON.stringify({ model: "main", messages: [{ role: "user", content: "x".repeat(20_000) }] }),
        });
        await answer.text();
        seen[priority].push(answer.status);
        if (answer.status === 503) expect(answer.headers.get("retry-after")).toBe("2");
      };
      const over = new AbortController();
      const hammer = async (priority: KeyPriority): Promise<void> => {
        // A burst each, then as long as the high class still asks.
        do {
          await ask(priority);
          // Two hundred that ask without a pause would measure the machine.
          await new Promise((resolve) => setTimeout(resolve, 100));
        } while (!over.signal.aborted);
      };
      const crowd = [
        ...Array.from({ length: 120 }, () => hammer("low")),
        ...Array.from({ length: 79 }, () => hammer("normal")),
      ];
      const high = async (): Promise<void> => {
        for (let call = 0; call < 20; call += 1) await ask("high");
        over.abort();
      };
      const operator = async (): Promise<void> => {
        for (const path of ["/livez", "/readyz", "/metrics"]) {
          expect((await fetch(`${gateway.url}${path}`)).status).toBe(200);
        }
      };
      await Promise.all([high(), operator(), ...crowd]);
      expect(seen.high).toEqual(Array.from({ length: 20 }, () => 200));
      const served = (statuses: readonly number[]): number => statuses.filter((each) => each === 200).length;
      expect(served(seen.normal)).toBeGreaterThan(0);
      expect(seen.low).toContain(503);
      expect(served(seen.normal) / seen.normal.length).toBeGreaterThan(served(seen.low) / seen.low.length);
      const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
      const refused = seen.low.length - served(seen.low);
      expect(metrics).toContain(`hedgerow_shed_calls_total{class="low",cause="calls"} ${refused}\n`);
      expect(metrics).not.toContain('class="high"');
    } finally {
      await simulator.close();
    }
  });
});
