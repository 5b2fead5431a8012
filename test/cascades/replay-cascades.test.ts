import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replay } from "#cli/commands/replay";
import { seededChance } from "#simulation/outages/seeded-chance";
import { runCommand } from "../world/run-command.ts";

/** Made up: who is right is a coin with the chance that its score says, so that scores are true from the start. */
function madeRows(count: number) {
  const chance = seededChance(7);
  return Array.from({ length: count }, (_, at) => {
    const p = 0.4 + 0.59 * chance();
    const weakIsRight = chance() < p;
    const strongIsRight = chance() < 0.95;
    const answer = (text: string, isRight: boolean, more: { conf: number; usd: number }) => ({
      answer: text,
      correct: Number(isRight),
      conf_log: Math.log(more.conf),
      cost_usd: more.usd,
      gen_cost_usd: more.usd,
      latency_ms: 1,
      tok_in: 100,
      tok_out: 1,
    });
    return {
      id: `made-${at}`,
      user: `Question ${at}: which of A, B, C and D is it?\n\nAnswer: `,
      signal: "mean_logprob",
      models: {
        "gpt-4o-mini": answer(weakIsRight ? "A" : "B", weakIsRight, { conf: p, usd: 101e-7 }),
        "gpt-4o": answer(strongIsRight ? "A" : "C", strongIsRight, { conf: 0.97, usd: 101e-6 }),
      },
    };
  });
}

const rows = madeRows(120);
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-cascades-"));
  mkdirSync(join(folder, "rational-llm-cascades"));
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  writeFileSync(join(folder, "rational-llm-cascades", "mmlu.jsonl"), lines);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Told {
  readonly cells: readonly {
    readonly model: string;
    readonly accuracy: number;
    readonly figures: Readonly<
      Record<string, { readonly ece: number; readonly accepted: number; readonly accuracy?: number }>
    >;
  }[];
  readonly cascades: readonly {
    readonly calls: number;
    readonly surprises: number;
    readonly rows: readonly {
      readonly policy: string;
      readonly figures: { readonly accuracy: number; readonly costShare: number; readonly kept: number };
    }[];
  }[];
}

describe("hedgerow replay cascades", () => {
  it("sends every stored answer through a gateway, whose verdicts are those of the calibrator alone", async () => {
    const ran = await runCommand(["replay", "cascades", "--data", folder, "--seeds", "2", "--json"], [replay], {
      cwd: folder,
    });
    expect(ran).toMatchObject({ code: 0, err: "" });
    const told = JSON.parse(ran.out) as Told;
    const rightOf = (model: "gpt-4o-mini" | "gpt-4o"): number =>
      rows.filter((row) => row.models[model].correct === 1).length / rows.length;
    expect(told.cells.map(({ model, accuracy }) => [model, accuracy])).toEqual([
      ["gpt-4o-mini", rightOf("gpt-4o-mini")],
      ["gpt-4o", rightOf("gpt-4o")],
    ]);
    // Raw scores are true here: of those at 0.85 and more some 92 % are right, and the rest is noise of 120 rows.
    const raw = told.cells[0]?.figures["raw"];
    const sure = rows.filter(({ models }) => models["gpt-4o-mini"].conf_log >= Math.log(0.85));
    expect(raw?.accepted).toBeGreaterThan((sure.length / rows.length) * 0.5);
    expect(raw?.ece).toBeLessThan(0.15);
    const [cascade] = told.cascades;
    expect(cascade).toMatchObject({ calls: 120, surprises: 0 });
    const by = new Map(cascade?.rows.map(({ policy, figures }) => [policy, figures]));
    // A tenth of the price for each, on every row.
    expect(by.get("always the weak model")?.costShare).toBeCloseTo(0.1, 9);
    expect(by.get("always the strong model")).toMatchObject({ costShare: 1, kept: 0 });
    const own = by.get("gateway, threshold from calibration data");
    // Every row pays the first, and those not kept the second, too: what records say must add up to that.
    expect(own?.costShare).toBeCloseTo(0.1 + (1 - (own?.kept ?? 0)), 6);
    const oracle = by.get("oracle")?.accuracy ?? 0;
    for (const { figures } of cascade?.rows ?? []) expect(figures.accuracy).toBeLessThanOrEqual(oracle);
  });

  it("prints tables and says of each promise whether it holds", async () => {
    const ran = await runCommand(["replay", "cascades", "--data", folder, "--seeds", "1"], [replay], { cwd: folder });
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^Cells: error of calibration/u);
    expect(ran.out).toMatch(/^gateway, threshold from calibration data +\d/mu);
    expect(ran.out).toMatch(/^(?:met {3}|MISSED) mmlu: .* of the strong model's accuracy/mu);
    expect(ran.out).toMatch(/^met {4}mmlu: verdicts over the wire that differ from the calibrator's alone: 0 of 60$/mu);
  });

  it("says what is missing", async () => {
    expect(await runCommand(["replay", "cascades"], [replay], { cwd: folder })).toMatchObject({ code: 2 });
    const none = await runCommand(["replay", "cascades", "--data", tmpdir()], [replay], { cwd: folder });
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining("holds neither") as string });
    const strange = await runCommand(["replay", "cascades", "--data", folder, "--tasks", "gsm9k"], [replay], {
      cwd: folder,
    });
    expect(strange.err).toContain("there is no task gsm9k there, only mmlu");
  });
});
