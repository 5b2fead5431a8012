import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { afterCommit, noFaults } from "./failure-table/after-commit.ts";
import { brokenBeforeCommit } from "./failure-table/broken-streams.ts";
import { openDeadEnds, type DeadEnds } from "./failure-table/dead-ends.ts";
import { errorReplies } from "./failure-table/error-replies.ts";
import type { FaultRow } from "./failure-table/fault-row.ts";
import { allFail, breaks, isNoFault, lanesOf, oneFails, type Lane } from "./failure-table/run-row.ts";

let deadEnds: DeadEnds & AsyncDisposable;

beforeAll(async () => {
  deadEnds = await openDeadEnds();
});

afterAll(() => deadEnds[Symbol.asyncDispose]());

const beforeCommit = [...errorReplies, ...brokenBeforeCommit];

function cases<Row extends FaultRow>(rows: readonly Row[]): readonly { row: Row; lane: Lane; title: string }[] {
  return rows.flatMap((row) =>
    lanesOf(row).map((lane) => ({
      row,
      lane,
      title: `${row.row}: ${row.name} (${lane.mode}, ${lane.client} over ${lane.upstream})`,
    })),
  );
}

describe.concurrent("before the first content", () => {
  it.each(cases(beforeCommit))("$title", async ({ row, lane }) => oneFails(row, lane, deadEnds));

  it.each(cases(beforeCommit.filter((row) => row.next !== "nobody")))(
    "$title, and every target fails so",
    ({ row, lane }) => allFail(row, lane, deadEnds),
  );
});

describe.concurrent("after the first content", () => {
  it.each(cases(afterCommit))("$title", ({ row, lane }) => breaks(row, lane, deadEnds));
});

describe.concurrent("no fault at all", () => {
  it.each(cases(noFaults))("$title", ({ row, lane }) => isNoFault(row, lane, deadEnds));
});

it("has a row once", () => {
  const names = [...beforeCommit, ...afterCommit, ...noFaults].map(({ row, name, phase }) => `${phase} ${row} ${name}`);
  expect(new Set(names).size).toBe(names.length);
});
