import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import type { Behaviour } from "#simulation/behaviour";
import { startSimulator } from "#simulation/server";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

const body = JSON.stringify({ model: "main", stream: true, messages: [{ role: "user", content: "Count to ten." }] });
const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;

interface Stage {
  readonly name: string;
  readonly behaviour: Behaviour;
  /** What is sent before the client leaves. */
  readonly sends: string;
  /** It leaves once the provider has the request, or once so much of the answer has come. */
  readonly leaves: "at once" | "asked" | "in the answer";
  readonly reachesProvider: boolean;
}

const slow: Behaviour = { answer: { text: "one two three four five six" }, interChunkDelayMs: 50 };
const stages: readonly Stage[] = [
  { name: "before its body", behaviour: slow, sends: head, leaves: "at once", reachesProvider: false },
  { name: "in its body", behaviour: slow, sends: head + body.slice(0, 20), leaves: "at once", reachesProvider: false },
  {
    name: "before the first byte",
    behaviour: { ...slow, delayMs: 20_000 },
    sends: head + body,
    leaves: "asked",
    reachesProvider: true,
  },
  {
    name: "before the first content",
    behaviour: { ...slow, firstContentDelayMs: 20_000 },
    sends: head + body,
    leaves: "asked",
    reachesProvider: true,
  },
  { name: "in the stream", behaviour: slow, sends: head + body, leaves: "in the answer", reachesProvider: true },
];

describe("a client whose socket closes", { timeout: 60_000 }, () => {
  it.each(stages)("$name: one record, and its provider is told to stop", async (stage) => {
    const simulator = await startSimulator({ script: [{ behaviour: stage.behaviour }] });
    try {
      const sim = { ...providerAt("sim", "openai-compatible", simulator.url), basePath: "/v1" };
      const allowances = new Map([["route:main", { concurrency: 1 }]] as const);
      await using gateway = await startGateway([sim], [sampleRoute("main", ["sim/steady"])], { allowances });
      const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
      socket.on("error", () => {});
      socket.write(stage.sends);
      if (stage.leaves === "asked") await simulator.log.until((entries) => entries.length === 1, 20_000);
      if (stage.leaves === "in the answer") await new Promise((resolve) => socket.once("data", resolve));
      if (stage.leaves === "at once") await new Promise((resolve) => socket.once("connect", resolve));
      socket.destroy();
      const [record] = await gateway.recorded(1);
      expect(record).toMatchObject({ decision: "aborted" });
      expect(record?.attempts).toHaveLength(stage.reachesProvider ? 1 : 0);
      if (stage.reachesProvider) {
        await simulator.log.until(([entry]) => entry?.state === "aborted", 20_000);
        expect(record?.attempts[0]?.usage).toMatchObject({ estimated: true });
      }
      // The one place among calls at once is free again: whoever comes next is let in.
      const next = new AbortController();
      const asked = simulator.log.entries.length;
      const answer = fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: next.signal,
      }).catch(() => undefined);
      await simulator.log.until((entries) => entries.length === asked + 1, 20_000);
      next.abort();
      await answer;
      expect(await gateway.recorded(2)).toHaveLength(2);
    } finally {
      await simulator.close();
    }
  });
});
