import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Connection } from "#control/shared-limits/connection";
import { sharedScripts } from "#control/shared-limits/scripts";
import { SharedServer } from "#control/shared-limits/shared-server";
import type { Meter, Return, Want } from "#domain/account";
import { Book } from "#ledger/book";
import { valkeyProgram, ValkeyServer } from "../servers/valkey.ts";
import { openConnection } from "./open-server.ts";

/** The server's time is whatever the test says. */
const scripts = sharedScripts("local nowMs = tonumber(redis.call('GET', 'test-now'))");
const nodes = ["n1", "n2", "n3"];
const meters: readonly Meter[] = [
  { id: "key:a rpm", account: "key:a", unit: "requests", limit: 40 },
  { id: "user:t/someone tpm", account: "user:t/someone", unit: "tokens", limit: 900 },
  { id: "team:t slots", account: "team:t", unit: "slots", limit: 12 },
  { id: "route:r rpm", account: "route:r", unit: "requests", limit: 1_000_000_000_000 },
];

const amounts = fc.record({ need: fc.integer({ min: 1, max: 60 }), like: fc.nat(120) });
const borrowing = fc.record({
  do: fc.constant("borrow" as const),
  node: fc.nat(2),
  wants: fc.uniqueArray(fc.tuple(fc.nat(3), amounts), { selector: ([index]) => index, minLength: 1, maxLength: 4 }),
});
const returning = fc.record({
  do: fc.constant("return" as const),
  node: fc.nat(2),
  meter: fc.nat(3),
  units: fc.integer({ min: 1, max: 80 }),
  how: fc.constantFrom("back" as const, "more" as const, "less" as const),
  agoS: fc.oneof(fc.nat(6), fc.nat(70)),
});
const waiting = fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 9_000 }) });
const steps = fc.array(
  fc.oneof({ weight: 6, arbitrary: borrowing }, { weight: 3, arbitrary: returning }, { weight: 3, arbitrary: waiting }),
  { minLength: 10, maxLength: 60 },
);

describe.skipIf(valkeyProgram() === undefined)("what is counted at a shared server", { timeout: 300_000 }, () => {
  let server: ValkeyServer;
  let connection: Connection;

  beforeAll(async () => {
    server = await ValkeyServer.start();
    connection = await openConnection(server.url, scripts);
  }, 90_000);

  afterAll(async () => {
    connection?.close();
    await server?.stop();
  });

  it("is what one book would count for all nodes, over any order of loans, returns and time", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (doing) => {
        run += 1;
        const world = await openWorld(`p${run}`);
        for (const step of doing) {
          if (step.do === "wait") await world.wait(step.ms);
          else if (step.do === "return") await world.giveBack(step);
          else
            await world.borrow(
              step.node,
              step.wants.map(([index, { need, like }]) => ({ meter: meters[index] as Meter, need, like })),
            );
        }
      }),
      { numRuns: 100 },
    );
  });

  /** The same steps at the server and in a book. */
  async function openWorld(prefix: string) {
    let nowMs = 1_700_000_000_000;
    const clock = { wallMs: () => nowMs };
    const book = new Book({ spentBefore: () => 0, holders: () => 2 * nodes.length });
    const held = nodes.map(() => new Map<Meter, number>());
    const servers = nodes.map(
      (node) => new SharedServer({ runner: connection, scripts, prefix, node, workers: 2, clock }),
    );
    const beat = async (): Promise<void> => {
      await server.command(`SET test-now ${nowMs}`);
      for (const [index, each] of servers.entries()) {
        const slots = [...(held[index] ?? [])].map(([meter, units]) => ({ meter, units }));
        await each.beat(slots);
      }
    };
    await beat();
    return {
      wait: async (ms: number) => {
        nowMs += ms;
        await beat();
      },
      borrow: async (node: number, wants: readonly Want[]) => {
        const lent = await servers[node]?.borrow(wants, () => {});
        expect(lent).toEqual(book.borrow(nodes[node] ?? "", wants, nowMs));
        if (lent?.kind !== "lent") return;
        for (const [index, { meter }] of wants.entries()) {
          if (meter.unit === "slots") change(held[node], meter, lent.amounts[index] ?? 0);
        }
      },
      giveBack: async (step: typeof returning extends fc.Arbitrary<infer Step> ? Step : never) => {
        const meter = meters[step.meter] as Meter;
        let returned: Return = { meter, back: step.units, spent: 0 };
        if (meter.unit === "slots") {
          returned = { meter, back: Math.min(step.units, held[step.node]?.get(meter) ?? 0), spent: 0 };
          change(held[step.node], meter, -returned.back);
        } else if (step.how !== "back") {
          const spent = step.how === "more" ? step.units : -step.units;
          returned = { meter, back: 0, spent, atS: Math.floor(nowMs / 1000) - step.agoS };
        }
        await servers[step.node]?.tell([returned]);
        book.giveBack(nodes[step.node] ?? "", [returned], nowMs);
      },
    };
  }
});

function change(held: Map<Meter, number> | undefined, meter: Meter, by: number): void {
  held?.set(meter, (held.get(meter) ?? 0) + by);
}
