import { describe, expect, it } from "vitest";
import { compileMade } from "#control/config/configuration";
import type { ConfigDocument } from "#control/config/schema";
import { Secret } from "#domain/secret";
import type { Snapshot } from "#domain/snapshot";
import { describeChange } from "./describe-change.ts";

function compiled(document: ConfigDocument): Snapshot {
  const made = compileMade({ document, notices: [] }, { today: "2026-11-21" });
  if (made.kind === "refused") throw new Error(JSON.stringify(made.problems));
  return made.snapshot;
}

const before: ConfigDocument = {
  providers: { local: { kind: "openai-compatible", url: "http://127.0.0.1:1/v1", key: new Secret("sk-old") } },
  routes: { default: { targets: ["local/a"] }, old: { targets: ["local/a"] } },
};

describe("the description of a reload", () => {
  it("names what was added, removed and changed, with the fields", () => {
    const after: ConfigDocument = {
      providers: {
        local: { kind: "openai-compatible", url: "http://127.0.0.1:2/v1", key: new Secret("sk-old") },
        more: { kind: "openai-compatible", url: "http://127.0.0.1:3/v1" },
      },
      routes: { default: { targets: ["local/a", "more/b"] } },
      server: { limits: { maxConcurrentCalls: 7 } },
    };
    expect(describeChange(compiled(before), compiled(after))).toEqual([
      "provider local changed (origin)",
      "provider more added",
      "route default changed (targets)",
      "route old removed",
      "limit maxConcurrentCalls changed",
    ]);
  });

  it("says that a key was rotated, and neither key", () => {
    const { routes } = before;
    const local = { kind: "openai-compatible", url: "http://127.0.0.1:1/v1", key: new Secret("sk-new") };
    const words = describeChange(compiled(before), compiled({ providers: { local }, ...(routes ? { routes } : {}) }));
    expect(words).toEqual(["provider local changed (credentials)"]);
  });

  it("has nothing to say where nothing changed", () => {
    expect(describeChange(compiled(before), compiled(before))).toEqual([]);
  });
});
