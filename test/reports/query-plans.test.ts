import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it, vi } from "vitest";
import { report } from "#cli/commands/report";
import { Store, storeFile } from "#control/store/sqlite";
import { dayWorld } from "./day-world.ts";

const { run, folder } = dayWorld([report]);
afterEach(() => vi.restoreAllMocks());

/** How SQLite answers what a report asks, a line for each table it goes through. */
async function plansOf(words: readonly string[]): Promise<readonly string[]> {
  const asked = [vi.spyOn(Store.prototype, "all"), vi.spyOn(Store.prototype, "get")].map((spy) => spy.mock.calls);
  const each = vi.spyOn(Store.prototype, "each").mock.calls;
  const ran = await run("report", ...words);
  expect([ran.code, ran.err]).toEqual([0, ""]);
  const statements = new Set([...asked.flat().map(([sql]) => sql), ...each.map(([, sql]) => sql)]);
  const database = new DatabaseSync(join(folder(), ".hedgerow", storeFile), { readOnly: true });
  const plans = [...statements].flatMap((sql) =>
    database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array.from(sql.matchAll(/\?/gu), () => 0)),
  );
  database.close();
  return plans.map(({ detail }) => String(detail));
}

/** Tables that have a row for each call; the newest calls are listed from an index's end. */
const long = /^SCAN (?:calls|attempts)\b(?! USING INDEX calls_by_time$)/u;

describe("a report", () => {
  it.each([
    "calls",
    "calls --since 6h",
    "calls --decision failed",
    "calls --provider xai",
    "calls --route default --since 6h",
    "spend",
    "spend --by team,model",
    "spend --by user",
    "spend --by day,route",
    "sla",
    "concentration",
    "confidence",
  ])("%s goes through no table of calls from end to end", async (words) => {
    const plans = await plansOf(words.split(" "));
    expect(plans.length).toBeGreaterThan(0);
    expect(plans.filter((line) => long.test(line))).toEqual([]);
  });

  it("would be seen if it did", async () => {
    const database = new DatabaseSync(":memory:");
    database.exec("CREATE TABLE calls (id TEXT, at_ms INTEGER)");
    const plan = database.prepare("EXPLAIN QUERY PLAN SELECT min(at_ms), max(at_ms) FROM calls").all();
    expect(plan.map(({ detail }) => String(detail)).filter((line) => long.test(line))).toHaveLength(1);
  });
});
