import { describe, expect, it } from "vitest";
import { startSimulator } from "#simulation/server";
import { sampleRoute } from "../world/sample-snapshot.ts";
import { providerAt, startGateway } from "../world/start-gateway.ts";

const words = "one two three four five six seven eight nine ten";

/** A client that leaves after the first piece of a stream. */
async function leave(url: string): Promise<void> {
  const leaving = new AbortController();
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    signal: leaving.signal,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "main",
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: "user", content: "Count." }],
    }),
  });
  await answer.body?.getReader().read();
  leaving.abort();
}

async function abandonedAt(onAbort: "drain" | undefined) {
  await using simulator = await disposable(
    startSimulator({ script: [{ behaviour: { answer: { text: words }, interChunkDelayMs: 30 } }] }),
  );
  const sim = { ...providerAt("sim", "openai-compatible", simulator.value.url), basePath: "/v1" };
  await using gateway = await startGateway(
    [{ ...sim, ...(onAbort === undefined ? {} : { onAbort }) }],
    [sampleRoute("main", ["sim/steady"])],
  );
  await leave(gateway.url);
  const [record] = await gateway.recorded(1);
  return { record, asked: simulator.value.log.entries[0], records: gateway.records.length };
}

async function disposable<T extends { close(): Promise<void> }>(
  opening: Promise<T>,
): Promise<AsyncDisposable & { readonly value: T }> {
  const value = await opening;
  return { value, [Symbol.asyncDispose]: () => value.close() };
}

describe("an answer whose client has left", () => {
  it("is cancelled, and what was asked and had come is paid for, as an estimate", async () => {
    const { record, records } = await abandonedAt(undefined);
    expect(record).toMatchObject({ decision: "aborted", attempts: [{ failure: "client_gone" }] });
    expect(record?.attempts[0]?.usage).toMatchObject({ estimated: true });
    expect(record?.attempts[0]?.usage?.inputUncached).toBeGreaterThan(0);
    expect(records).toBe(1);
  });

  it("is read to its end where its bill is to be known, and is one record all the same", async () => {
    const { record, records, asked } = await abandonedAt("drain");
    expect(record).toMatchObject({ decision: "aborted", attempts: [{ failure: "client_gone" }] });
    expect(record?.attempts[0]?.usage).toMatchObject({ estimated: false });
    expect(record?.attempts[0]?.usage?.output).toBeGreaterThanOrEqual(10);
    expect(records).toBe(1);
    expect(asked?.state).toBe("complete");
  });
});
