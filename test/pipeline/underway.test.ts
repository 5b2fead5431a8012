import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BegunCall } from "#domain/begun-call";
import type { SendUpstream } from "#domain/ports";
import { lostRecord } from "#ledger/lost-record";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { chunk, completion, done, finishChunk, PipelineWorld } from "./pipeline-world.ts";

let world: PipelineWorld;
let begun: BegunCall[];

beforeEach(() => {
  world = new PipelineWorld([sampleProvider("a"), sampleProvider("b")], [sampleRoute("main", ["a/m", "b/m"])]);
  begun = [];
  Object.assign(world.plane.journal, { begin: (call: BegunCall) => void begun.push(call) });
});

afterEach(async () => {
  await world.advance(1_000);
  expect(world.clock.pending, "timers that outlive the calls").toBe(0);
});

describe("a call under way", () => {
  it("is told before each attempt is sent, with the attempts before it as they ended", async () => {
    const told: number[] = [];
    const send: SendUpstream = world.plane.send.bind(world.plane);
    const watched: SendUpstream = (...asked) => {
      told.push(begun.length);
      return send(...asked);
    };
    Object.assign(world.plane, { send: watched });
    const call = await world.chat({ hedgerow: { tags: ["batch"] }, user: "bob" });
    world.request(0).json({ error: { message: "no", type: "server_error" } }, 500);
    await world.settle();
    await world.advance(2_000);
    world.request(1).json(completion("hello"));
    await call.done;
    expect(told).toEqual([1, 2]);
    expect(begun).toMatchObject([
      { route: "main", caller: "anonymous", user: "bob", tags: ["batch"], attempts: [{ target: "a/m" }] },
      {
        attempts: [
          { target: "a/m", outcome: "failed", failure: "upstream_failed" },
          { target: "b/m", credential: "b#1" },
        ],
      },
    ]);
    expect(begun[1]?.id).toBe(world.records[0]?.id);
    expect(begun[1]?.attempts[1]).not.toHaveProperty("outcome");
  });

  it("says nothing of what was asked or answered", async () => {
    const call = await world.chat({ messages: [{ role: "user", content: "a secret of mine" }], stream: true });
    world
      .request(0)
      .head()
      .bytes(chunk("a secret of its own") + finishChunk + done)
      .end();
    await call.done;
    expect(begun).toHaveLength(1);
    expect(JSON.stringify(begun)).not.toContain("secret");
  });

  it("would be a record that says of the call what its own record says", async () => {
    const call = await world.chat({ user: "bob", hedgerow: { session: "s1", tags: ["x"] } });
    world.request(0).json(completion("hello"));
    await call.done;
    const [record] = world.records;
    const [only] = begun;
    if (record === undefined || only === undefined) throw new Error("no record");
    const lost = lostRecord(only);
    for (const name of [
      "version",
      "id",
      "snapshot",
      "caller",
      "user",
      "dialect",
      "operation",
      "route",
      "requestedModel",
      "streamed",
      "requestBytes",
      "tags",
      "session",
    ] as const) {
      expect(lost[name], name).toEqual(record[name]);
    }
    const [asked, ended] = [lost.attempts[0], record.attempts[0]];
    for (const name of ["target", "provider", "model", "credential"] as const) {
      expect(asked?.[name], name).toBe(ended?.[name]);
    }
  });

  it("that is refused before anybody is asked is none", async () => {
    const call = await world.chat({ model: "nobody/knows" });
    await call.done;
    expect(begun).toEqual([]);
    expect(world.records).toHaveLength(1);
  });
});
