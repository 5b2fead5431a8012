import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { watch } from "#cli/commands/watch";
import { watchFindings, watchSnapshot, type WatchedModel } from "#control/reports/watch";
import { alarmHorizonDays, noticeDays } from "#providers/notice-days";
import { ConfigFolder } from "../world/config-folder.ts";
import { runCommand } from "../world/run-command.ts";
import { expectGolden } from "./golden-text.ts";

const env = { A: "key-a" };
const folder = new ConfigFolder(env);
afterAll(() => folder.remove());
afterEach(() => void vi.useRealTimers());

async function look(day: string, ...args: readonly string[]) {
  vi.useFakeTimers({ now: Date.parse(`${day}T12:00:00Z`), toFake: ["Date"] });
  return runCommand(["watch", ...args], [watch], { cwd: folder.path, env });
}

const configuration = (more: { readonly input: number; readonly context: number; readonly extra?: string }) => `
providers:
  ours: { kind: openai-compatible, url: http://127.0.0.1:1, models: {
    m: { context: ${more.context}, price: { input: ${more.input}, output: 4 } } } }
  claude: { kind: anthropic, key: \${A} }
routes:
  default: { targets: [ours/m, claude/claude-opus-4-1-20250805${more.extra ?? ""}] }
`;

describe("hedgerow watch", () => {
  it("has nothing to compare with at first, and then says what changed, alarms first", async () => {
    folder.read(configuration({ input: 1, context: 100_000, extra: ", ours/unheard-of" }));
    const first = await look("2026-05-01");
    expect(first.out).toContain("the first look");
    expect(first).toMatchObject({ code: 0, out: expect.stringContaining("Nothing changed.") });
    folder.read(configuration({ input: 1.5, context: 50_000 }));
    const second = await look("2026-07-10");
    expect([second.code, second.err]).toEqual([1, ""]);
    expectGolden("watch.txt", second.out);
    expect(second.out).toContain("input 1 → 1.5 USD/M (+50 %)");
    expect(second.out).toContain("100000 → 50000 tokens");
    expect(second.out).toContain("in 26 days (alarm from 60 days, usual notice 60)");
    // What was said of changes is said once; what stands against a model is said until somebody acts.
    const third = await look("2026-07-10");
    expect(third.out).not.toContain("USD/M");
    expect(third.out).toContain("shutdown near");
  });

  it("keeps the last look where it is told to, in a file for its owner alone", async () => {
    const path = join(folder.path, ".hedgerow", "watch.json");
    expect(existsSync(path)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const before = readFileSync(path, "utf8");
    await look("2026-08-10", "--keep");
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(await look("2026-08-10", "--csv", "--keep")).toMatchObject({
      out: expect.stringContaining(",CHANGE,KIND,"),
    });
    const json = JSON.parse((await look("2026-08-10", "--json")).out) as { before: string; findings: unknown[] };
    expect(json.before).toBe("2026-07-10T12:00:00.000Z");
    writeFileSync(path, '{"format":2}');
    const broken = await look("2026-08-10");
    expect([broken.code, broken.err]).toEqual([1, expect.stringContaining("is not read: it is of an unknown format")]);
  });
});

describe("findings", () => {
  const price = { input: 1e9, output: 2e9 };
  const model = (more: Partial<WatchedModel>): WatchedModel => ({
    kind: "openai",
    model: "m",
    targets: ["openai/m"],
    facts: { price, contextTokens: 1000, lifecycle: "active" },
    ...more,
  });
  const before = watchSnapshot([model({})], "2026-11-20T00:00:00.000Z");
  const found = (now: readonly WatchedModel[], today = "2026-11-21") =>
    watchFindings(now, before, today).map(({ alarm, change }) => [alarm, change]);

  it("are none where nothing changed", () => expect(found([model({})])).toEqual([]));

  it.each<[string, Partial<WatchedModel>, readonly (readonly [boolean, string])[]]>([
    [
      "a dearer model",
      { facts: { price: { ...price, output: 3e9 }, contextTokens: 1000, lifecycle: "active" } },
      [[true, "price"]],
    ],
    [
      "a cheaper one",
      { facts: { price: { ...price, output: 1e9 }, contextTokens: 1000, lifecycle: "active" } },
      [[false, "price"]],
    ],
    [
      "a price nobody knows any more",
      { facts: { contextTokens: 1000, lifecycle: "active" } },
      [
        [true, "price"],
        [true, "price"],
      ],
    ],
    ["a larger window", { facts: { price, contextTokens: 2000, lifecycle: "active" } }, [[false, "context"]]],
    ["a model that is gone", { facts: undefined } as unknown as Partial<WatchedModel>, [[true, "delisted"]]],
    [
      "a dearer model that nobody uses",
      { targets: [], facts: { price: { input: 9e9, output: 2e9 }, contextTokens: 1000, lifecycle: "active" } },
      [[false, "price"]],
    ],
    [
      "a retired model",
      { facts: { price, contextTokens: 1000, lifecycle: "retired" } },
      [
        [true, "retired"],
        [false, "lifecycle"],
      ],
    ],
  ])("tell of %s", (_what, more, expected) => {
    const { facts, ...rest } = model(more);
    expect(found([facts === undefined ? rest : { ...rest, facts }])).toEqual(expected);
  });

  it("alarm of a shutdown from the day on which less than the vendor's usual notice is left", () => {
    const facts = { price, contextTokens: 1000, lifecycle: "active", retiresOn: "2027-06-01" };
    const near = (kind: string, today: string) =>
      watchFindings([model({ kind, facts })], undefined, today).some(({ change }) => change === "shutdown near");
    for (const kind of ["openai", "anthropic", "gemini", "xai", "openai-compatible"]) {
      const horizonMs = alarmHorizonDays(kind) * 86_400_000;
      const at = (ms: number) => new Date(Date.parse("2027-06-01") - ms).toISOString().slice(0, 10);
      expect(near(kind, at(horizonMs)), kind).toBe(true);
      expect(near(kind, at(horizonMs + 86_400_000)), kind).toBe(false);
    }
    // Medians over 415 notices: OpenAI 177 days, Anthropic 60, Google AI 32; one day is too short to act in.
    expect(["openai", "anthropic", "gemini", "xai"].map(alarmHorizonDays)).toEqual([177, 60, 32, 14]);
    expect(noticeDays("openai-compatible")).toBeUndefined();
  });
});
