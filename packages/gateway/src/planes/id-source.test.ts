import { describe, expect, it } from "vitest";
import { idSource } from "./id-source.ts";

describe("ids of calls", () => {
  it("are 24 hex digits, none twice, over many draws and one moment", () => {
    const next = idSource(() => 1_780_000_000_000);
    const ids = Array.from({ length: 5_000 }, () => next());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{24}$/u);
  });

  it("of later moments come after those of earlier ones, also years later", () => {
    let wallMs = 1_780_000_000_000;
    const next = idSource(() => wallMs);
    const ids = [16, 1_000, 86_400_000, 20 * 365 * 86_400_000].map((later) => {
      wallMs += later;
      return next();
    });
    expect(ids.toSorted()).toEqual(ids);
  });

  it("end in chance: each of the last 14 digits is any of the sixteen", () => {
    const next = idSource(() => 1_780_000_000_000);
    const ids = Array.from({ length: 2_000 }, () => next());
    for (let digit = 10; digit < 24; digit += 1) expect(new Set(ids.map((id) => id[digit])).size).toBe(16);
  });
});
