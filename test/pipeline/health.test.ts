import { describe, expect, it } from "vitest";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { chunk, completion, done, finishChunk, PipelineWorld } from "./pipeline-world.ts";

const providers = ["a", "b", "c"].map((name) => sampleProvider(name, { operator: name }));
const world = (targets: readonly string[] = ["a/m", "b/m", "c/m"]): PipelineWorld =>
  new PipelineWorld(providers, [sampleRoute("main", targets)]);
const placeAt = (provider: string) => ({ provider, model: "m", credential: `${provider}#1` });
const say = (content: string) => ({ messages: [{ role: "user", content }] });
const decisionOf = (headers: Readonly<Record<string, string | readonly string[]>>) => headers["x-hedgerow-decision"];

describe("calls in flight", () => {
  it("are counted when they are sent and given back at each ending, a client's leaving too", async () => {
    const here = world(["a/m"]);
    const inFlight = (): number => here.health.inFlight(placeAt("a"));
    const streamed = await here.chat({ stream: true });
    const left = await here.chat({ stream: true });
    const lost = await here.chat();
    expect(inFlight()).toBe(3);
    here.request(0).head().bytes(chunk("hi"));
    expect(inFlight()).toBe(3);
    left.exchange.leave();
    await left.done;
    expect(inFlight()).toBe(2);
    here
      .request(0)
      .bytes(finishChunk + done)
      .end();
    await streamed.done;
    here.request(2).json({ error: { message: "no", type: "invalid_request_error" } }, 400);
    await lost.done;
    expect(inFlight()).toBe(0);
    expect(here.bugs).toEqual([]);
  });
});

describe("what an answer's head says is left", () => {
  it("keeps the next call from an account that has nothing left, until the reset", async () => {
    const here = world(["a/m", "b/m"]);
    const first = await here.chat();
    const head = {
      "content-type": "application/json",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "2.5s",
    };
    here
      .request(0)
      .head(200, head)
      .bytes(JSON.stringify(completion("one")))
      .end();
    await first.done;
    const second = await here.chat();
    expect(here.request(1).request.headers["authorization"]).toBe("Bearer sk-b");
    here.request(1).json(completion("two"));
    await second.done;
    await here.advance(2_500);
    const third = await here.chat();
    expect(here.request(2).request.headers["authorization"]).toBe("Bearer sk-a");
    here.request(2).json(completion("three"));
    await third.done;
  });
});

describe("a request that kills connections", () => {
  it("is not sent to a third provider, opens no breaker, and later only goes where it was lost before", async () => {
    const here = world();
    const ordinary = async (): Promise<void> => {
      const served = await here.chat(say(`ordinary ${here.sent.length}`));
      here.request(here.sent.length - 1).json(completion("fine"));
      await served.done;
      expect(served.exchange.status).toBe(200);
    };
    const poisoned = await here.chat(say("poison"));
    here.request(0).fail("connection_lost");
    await here.settle();
    here.request(1).fail("connection_lost");
    await poisoned.done;
    expect(here.sent.length).toBe(2);
    expect(poisoned.exchange.status).toBe(502);
    expect(poisoned.exchange.fields["x-should-retry"]).toBe("false");
    await ordinary();
    for (let n = 0; n < 10; n += 1) {
      const sentBefore = here.sent.length;
      const again = await here.chat(say("poison"));
      here.request(sentBefore).fail("connection_lost");
      await again.done;
      expect(here.sent.length).toBe(sentBefore + 1);
      expect(here.request(sentBefore).request.headers["authorization"]).toBe("Bearer sk-a");
      expect(again.exchange.status).toBe(502);
    }
    await ordinary();
    for (const name of ["a", "b", "c"])
      expect(here.health.readiness(placeAt(name), here.clock.nowMs()).kind).toBe("ready");
  });

  it("is taken for nothing of the kind where its providers lose the connections of others as well", async () => {
    const here = world();
    for (let n = 0; n < 3; n += 1) {
      const served = await here.chat(say(`call ${n}`));
      let at = here.sent.length - 1;
      here.request(at).fail("connection_lost");
      await here.settle();
      at += 1;
      here.request(at).fail("connection_lost");
      await here.settle();
      // Only of the first can nobody know that it was not to blame.
      if (n > 0) here.request(at + 1).json(completion("from the third"));
      await served.done;
      // Others of the route fare better meanwhile.
      here.plane.retryBudgets.of("main").answered();
      expect(decisionOf(served.exchange.fields)).toBe(n === 0 ? "failed" : "recovered");
    }
  });
});
