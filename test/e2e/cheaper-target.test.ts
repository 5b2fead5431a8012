import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { Place } from "./gateway-process.ts";

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one" } } }] });
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

const secret = "an-inference-key-of-a-test-0001";

/** A call to `dear` costs a dollar, one to `local` nothing, of `unpriced` nobody knows. */
function configuration(targets: string, { ofKey = "budget: 2usd/day", ofRoute = "" } = {}): string {
  const provider = `kind: openai-compatible, url: "${simulator.url}/v1", key: sk-e2e-000000000000`;
  return `
server: { port: 0, workers: 1 }
providers:
  dear: { ${provider}, models: { steady: { price: { input: 0, output: 0, request: 1usd } } } }
  unpriced: { ${provider} }
  local: { ${provider}, models: { small: { price: { input: 0, output: 0 } } } }
routes:
  default: { targets: [${targets}]${ofRoute} }
keys:
  alice: { key: ${secret}, ${ofKey} }
`;
}

async function ask(url: string, stream = false) {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify({ model: "default", stream, messages: [{ role: "user", content: "Count." }] }),
  });
  const text = await answer.text();
  const { headers, status } = answer;
  return { status, text, by: headers.get("x-hedgerow-provider"), decision: headers.get("x-hedgerow-decision") };
}

const cheaper = "{ target: local/small, when: budget-spent }";

describe("a route that names a cheaper target", { timeout: 120_000 }, () => {
  it("asks it where the budget cannot pay the others, as often as it is asked for, streamed or not", async () => {
    place.write(configuration(`dear/steady, ${cheaper}`));
    const url = await place.start().ready();
    for (let call = 0; call < 2; call += 1) {
      expect(await ask(url)).toMatchObject({ status: 200, by: "dear", decision: "answered" });
    }
    for (let call = 0; call < 3; call += 1) {
      expect(await ask(url)).toMatchObject({ status: 200, by: "local", decision: "degraded" });
    }
    const streamed = await ask(url, true);
    expect(streamed).toMatchObject({ status: 200, by: "local", decision: "degraded" });
    expect(streamed.text).toContain("[DONE]");
  });

  it("asks it for the budget of the route, and where the others have no price", async () => {
    place.write(configuration(`dear/steady, ${cheaper}`, { ofKey: "priority: high", ofRoute: ", budget: 0.5usd/day" }));
    expect(await ask(await place.start().ready())).toMatchObject({ status: 200, by: "local", decision: "degraded" });
    const second = new Place();
    try {
      second.write(configuration(`unpriced/steady, ${cheaper}`));
      const url = await second.start().ready();
      expect(await ask(url)).toMatchObject({ status: 200, by: "local", decision: "degraded" });
    } finally {
      await second.clear();
    }
  });

  it("does not ask it for anything else, and without one the budget refuses", async () => {
    place.write(configuration("dear/steady"));
    const url = await place.start().ready();
    for (let call = 0; call < 2; call += 1) expect(await ask(url)).toMatchObject({ status: 200, by: "dear" });
    expect(await ask(url)).toMatchObject({ status: 402 });
    const second = new Place();
    try {
      // A cheaper target that costs as much is paid from the same budget.
      second.write(
        configuration("dear/steady, { target: dear/other, when: budget-spent }", { ofKey: "budget: 0.5usd/day" }),
      );
      expect(await ask(await second.start().ready())).toMatchObject({ status: 402 });
    } finally {
      await second.clear();
    }
  });
});
