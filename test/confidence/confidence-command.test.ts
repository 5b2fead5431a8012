import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { confidence } from "#cli/commands/confidence";
import { chooseCalibrator } from "#confidence/calibration-key";
import { calibrate } from "#confidence/calibrator";
import { readCalibrations } from "#control/config/calibrations";
import type { Evaluated } from "#control/confidence/evaluate";
import { runCommand } from "../world/run-command.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-own-"));
  mkdirSync(join(folder, "labels"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, lines: readonly unknown[]): void {
  writeFileSync(
    join(folder, "labels", name),
    lines.map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join("\n"),
  );
}

/** Claims of 0.5 to 0.99, of which 30 in a hundred fewer are right: spread evenly, without chance. */
const overconfident = (more: object, count = 300) =>
  Array.from({ length: count }, (_, at) => {
    const raw = 0.5 + (0.49 * ((at * 7) % 100)) / 99;
    return { model: "v/m", raw, correct: ((at * 61) % 100) / 100 < raw - 0.3, ...more };
  });

const run = (...args: readonly string[]) => runCommand(["confidence", ...args], [confidence], { cwd: folder });

describe("hedgerow confidence", () => {
  it("evaluates: raw scores beside what calibration makes of them, on answers it has not seen", async () => {
    write("a.jsonl", overconfident({ route: "support" }, 600));
    const ran = await run("evaluate", "--data", "labels", "--json", "--min", "0.6");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    const { rows } = JSON.parse(ran.out) as { rows: Evaluated[] };
    expect(rows).toHaveLength(1);
    const [{ raw, calibrated, learned, judged, scope }] = rows as [Evaluated];
    expect([learned, judged, scope]).toEqual([300, 300, "route=support|model=v/m|tier=0|shape=short|signals=logprobs"]);
    expect(raw.ece).toBeGreaterThan(0.25);
    expect(calibrated.ece).toBeLessThan(0.1);
    expect(raw.accuracy).toBeLessThan(0.6);
    expect(calibrated.accuracy).toBeGreaterThanOrEqual(0.55);
    expect((await run("evaluate", "--data", "labels", "--json", "--min", "0.6")).out).toBe(ran.out);
    const other = await run("evaluate", "--data", "labels", "--json", "--min", "0.6", "--seed", "2");
    expect(other.out).not.toBe(ran.out);
    expect((await run("evaluate", "--data", "labels")).out).toMatch(/CALIBRATED.*POOL/u);
  });

  it("fits: a file that the gateway reads, for routes and for models on every route", async () => {
    write("a.jsonl", overconfident({ route: "support" }));
    write("b.jsonl", ["", ...overconfident({ model: "v/other" })]);
    const ran = await run("fit", "--data", "labels", "--out", "made.json");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.out).toMatch(/5 calibrations from 600 answers|4 calibrations from 600 answers/u);
    const read = readCalibrations(join(folder, "made.json"));
    if (read.kind !== "read") throw new Error(read.kind === "broken" ? read.why : read.kind);
    const key = { tenant: "", tier: 0, shape: "short", signals: "logprobs" } as const;
    const own = chooseCalibrator(read.file, { ...key, route: "support", model: "v/m" }, 1);
    expect(own.level).toBe("own");
    expect(calibrate(own.calibrator, [Math.log(0.9 / 0.1)])).toBeCloseTo(0.6, 1);
    expect(chooseCalibrator(read.file, { ...key, route: "any", model: "v/other" }, 1).level).toBe("parent");

    const again = await run("fit", "--data", "labels", "--out", "made.json");
    expect([again.code, again.err]).toEqual([1, expect.stringMatching(/is there already/u)]);
    const few = await run("fit", "--data", "labels/a.jsonl", "--out", "one.json", "--json");
    expect(JSON.parse(few.out)).toMatchObject({ rows: 300 });
    expect(readFileSync(join(folder, "one.json"), "utf8")).not.toContain("v/other");
  });

  it.each<[string, unknown, RegExp]>([
    ["no JSON", "{", /a\.jsonl, line 2: it is not JSON/u],
    ["no verdict", { model: "a", raw: 0.5 }, /line 2: .*correct/u],
    ["no score", { model: "a", correct: true }, /line 2: say exactly one of/u],
    ["two scores", { model: "a", correct: true, raw: 0.5, logprob: -1 }, /line 2: say exactly one of/u],
    ["a probability for a logarithm", { model: "a", correct: 1, logprob: 0.5 }, /line 2: .*logprob/u],
    ["a field of another name", { model: "a", correct: 1, raw: 0.5, lable: 1 }, /line 2: .*lable/u],
  ])("says what is wrong with %s, and where", async (_title, line, why) => {
    write("a.jsonl", [{ model: "a", raw: 0.5, correct: true }, line]);
    const ran = await run("fit", "--data", "labels");
    expect([ran.code, ran.err]).toEqual([1, expect.stringMatching(why)]);
    expect(existsSync(join(folder, "calibration.json"))).toBe(false);
  });

  it("says what is missing", async () => {
    expect(await run("fit")).toMatchObject({ code: 2 });
    expect(await run("guess", "--data", "labels")).toMatchObject({ code: 2 });
    expect(await run("evaluate", "--data", "labels", "--min", "85")).toMatchObject({ code: 2 });
    expect(await run("evaluate", "--data", "nowhere")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no folder/u),
    });
    expect(await run("evaluate", "--data", "labels")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no line/u),
    });
  });
});
