import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { report } from "#cli/commands/report";
import type { Reconciled } from "#control/reports/reconcile";
import { csvRecords, nanoOf, readExport } from "#control/reports/usage-export";
import { dayWorld } from "./day-world.ts";
import { recordedDay } from "./recorded-day.ts";

const { run, folder } = dayWorld([report]);

/** What a provider would export of the recorded day: what it was paid, by model. */
function exported(provider: string, more = 0n): string {
  const sums = new Map<string, bigint>();
  for (const { attempts } of recordedDay()) {
    for (const each of attempts.filter((one) => one.provider === provider)) {
      sums.set(each.model, (sums.get(each.model) ?? 0n) + BigInt(each.costNanoUsd ?? 0));
    }
  }
  const rows = [...sums].map(([model, nano]) => `2026-11-20,"${model}",${Number(nano + more) / 1e9}`);
  return `Date,Model,Cost_USD\r\n${rows.join("\r\n")}\r\n`;
}

async function made(text: string, ...args: readonly string[]): Promise<Reconciled & { readonly code: number }> {
  writeFileSync(join(folder(), "export.txt"), text);
  const ran = await run("report", "reconcile", "--file", "export.txt", ...args, "--json");
  expect(ran.err).toBe("");
  return { ...(JSON.parse(ran.out) as Reconciled), code: ran.code };
}

describe("hedgerow report reconcile", () => {
  it("agrees with a provider that counts the same, and says what differs from one that does not", async () => {
    const same = await made(exported("anthropic"), "--provider", "anthropic");
    expect(same).toMatchObject({ code: 0, rows: [{ day: "2026-11-20", model: "claude-sonnet-5", status: "same" }] });
    const dearer = await made(exported("anthropic", 1_000_000_000n), "--provider", "anthropic");
    expect(dearer).toMatchObject({ code: 1, rows: [{ status: "different" }] });
    expect(BigInt(dearer.theirsNanoUsd) - BigInt(dearer.oursNanoUsd)).toBeGreaterThan(999_000_000n);
    expect(
      (await made(exported("anthropic", 1_000_000_000n), "--provider", "anthropic", "--tolerance", "20%")).code,
    ).toBe(0);
  });

  it("names what only one side has", async () => {
    const text = "date,model,cost\n2026-11-20,a-model-nobody-asked,1.5\n2026-10-01,long-ago,9\n";
    const { rows, code } = await made(text, "--provider", "openai", "--month", "2026-11");
    expect(code).toBe(1);
    expect(rows.map(({ model, status }) => [model, status])).toEqual([
      ["a-model-nobody-asked", "only there"],
      ["gpt-5.4", "only here"],
    ]);
  });

  it("compares tokens where there is no money, and calls nothing the same whose price nobody knows", async () => {
    let [input, output] = [0, 0];
    for (const { provider, usage } of recordedDay().flatMap(({ attempts }) => attempts)) {
      if (provider !== "local") continue;
      input += (usage?.inputUncached ?? 0) + (usage?.cacheRead ?? 0);
      output += (usage?.output ?? 0) + (usage?.reasoning ?? 0);
    }
    const rows = [{ day: "2026-11-20", model: "qwen3", input_tokens: input, output_tokens: output }];
    expect(await made(JSON.stringify(rows), "--provider", "local")).toMatchObject({ code: 0 });
    const priced = [{ ...rows[0], cost: "0" }];
    expect(await made(JSON.stringify(priced), "--provider", "local")).toMatchObject({ code: 1 });
  });

  it("prints a table, and refuses what it cannot read with the row and what to do", async () => {
    writeFileSync(join(folder(), "export.txt"), exported("anthropic"));
    const ran = await run("report", "reconcile", "--provider", "anthropic", "--file", "export.txt");
    expect(ran.out).toMatch(/2026-11-20 +claude-sonnet-5 +7\.587688 +7\.587688 .* same/u);
    expect(ran.out).toContain("they agree");
    for (const [text, words] of [
      ["date,model,cost\n2026-11-20,m,1\nyesterday,m,1\n", "row 2: it has no date"],
      ["date,model,cost\n2026-11-20,m,lots\n", 'row 1: its cost "lots"'],
      ["date,model\n2026-11-20,m\n", "--columns cost=NAME"],
      ['date,"model\n', "a quoted field has no end"],
      ["{ not json", "it is no JSON"],
      ["", "it is empty"],
    ] as const) {
      writeFileSync(join(folder(), "export.txt"), text);
      const refused = await run("report", "reconcile", "--provider", "p", "--file", "export.txt");
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(words)]);
    }
    expect((await run("report", "reconcile", "--provider", "p")).code).toBe(2);
    expect((await run("report", "reconcile", "--provider", "p", "--file", "none.csv")).err).toContain("no such file");
  });
});

describe("an export", () => {
  it("is read as OpenAI and Anthropic give it", () => {
    const openai = {
      object: "page",
      data: [
        {
          object: "bucket",
          start_time: Date.UTC(2026, 10, 20) / 1000,
          results: [
            { object: "organization.costs.result", amount: { value: 0.06, currency: "usd" }, line_item: "gpt-5.4" },
          ],
        },
      ],
    };
    expect(readExport(JSON.stringify(openai))).toEqual({
      kind: "read",
      rows: [{ day: "2026-11-20", model: "gpt-5.4", costNanoUsd: 60_000_000n }],
    });
    const anthropic = {
      data: [
        {
          starting_at: "2026-11-20T00:00:00Z",
          results: [{ currency: "USD", amount: "123.78912", model: "claude-sonnet-5" }],
        },
      ],
    };
    expect(readExport(JSON.stringify(anthropic))).toEqual({
      kind: "read",
      rows: [{ day: "2026-11-20", model: "claude-sonnet-5", costNanoUsd: 1_237_891_200n }],
    });
    expect(readExport('[{"when":"2026-11-20","model":"m","usd":2}]', { date: "when", cost: "usd" })).toMatchObject({
      rows: [{ costNanoUsd: 2_000_000_000n }],
    });
  });

  it("of any cells is read as it was written", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", "1", ",", '"', "\n", "\r", " ", "é") });
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 }), (rows) => {
        const text = rows
          .map((row) => `${row.map((each) => `"${each.replaceAll('"', '""')}"`).join(",")}\r\n`)
          .join("");
        expect(csvRecords(text)).toEqual(rows);
      }),
    );
  });

  it("has its money to the nano-dollar", () => {
    expect(
      ["1", "0.000000001", "$12.5", "-3.25", "1.5e-3", "9007199254.740993001", "1e3"].map((text) => nanoOf(text)),
    ).toEqual([
      1_000_000_000n,
      1n,
      12_500_000_000n,
      -3_250_000_000n,
      1_500_000n,
      9_007_199_254_740_993_001n,
      1_000_000_000_000n,
    ]);
    expect(["", "x", "1,5", "0x10", "1e999"].map((text) => nanoOf(text))).toEqual(Array.from({ length: 5 }));
  });
});
