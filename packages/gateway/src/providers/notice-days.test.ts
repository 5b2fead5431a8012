import { expect, it } from "vitest";
import { providerKinds } from "./kinds.ts";
import { alarmHorizonDays, noticeDays } from "./notice-days.ts";

it("knows the notice of nine kinds there are, and leaves time to act with every kind", () => {
  const counted = [...providerKinds.keys()].filter((kind) => noticeDays(kind) !== undefined);
  expect(counted).toHaveLength(9);
  for (const kind of providerKinds.keys()) {
    expect(alarmHorizonDays(kind)).toBeGreaterThanOrEqual(Math.max(14, noticeDays(kind) ?? 0));
  }
  expect(alarmHorizonDays("openai-compatible")).toBe(101);
});
