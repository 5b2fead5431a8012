import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileMade } from "#control/config/configuration";
import { simulatedDocument } from "#control/config/from-environment";
import { Secret } from "#domain/secret";
import type { Snapshot } from "#domain/snapshot";
import { sameSettings } from "./same-settings.ts";
import { openSnapshot, sealSnapshot, type SealedSnapshot } from "./sealed-snapshot.ts";

function throughThePipe(sealed: SealedSnapshot): SealedSnapshot {
  return JSON.parse(JSON.stringify(sealed)) as SealedSnapshot;
}

function snapshotWith(secret: string): Snapshot {
  const urls = { openaiUrl: "http://127.0.0.1:1/v1", anthropicUrl: "http://127.0.0.1:2/v1" };
  const made = compileMade(simulatedDocument(urls), { today: "2026-11-21" });
  if (made.kind === "refused") throw new Error("the simulated document must compile");
  const providers = new Map(
    [...made.snapshot.providers].map(([id, spec]) => [
      id,
      {
        ...spec,
        credentials: [{ id: `${id}#1`, secret: new Secret(secret) }],
        headers: [{ name: "x-team", value: new Secret(secret) }],
      },
    ]),
  );
  return { ...made.snapshot, providers };
}

describe("a sealed snapshot", () => {
  it("is the same snapshot after the pipe, maps and secrets included", () => {
    const snapshot = snapshotWith("sk-live-123");
    const opened = openSnapshot(throughThePipe(sealSnapshot(snapshot)));
    expect(sameSettings(opened, snapshot)).toBe(true);
    expect(opened.providers.get("sim")?.credentials[0]?.secret.reveal()).toBe("sk-live-123");
    expect(opened.providers).toBeInstanceOf(Map);
  });

  it("carries any text of a secret, a name or a notice", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary", minLength: 1 }), (secret, name) => {
        const snapshot = { ...snapshotWith(secret), aliases: new Map([[name, name]]), notices: [name] };
        // A lone surrogate is no text: JSON keeps it, so the comparison may be exact.
        expect(sameSettings(openSnapshot(throughThePipe(sealSnapshot(snapshot))), snapshot)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("is the only thing that shows a secret: printing a snapshot or an opened one does not", () => {
    const opened = openSnapshot(throughThePipe(sealSnapshot(snapshotWith("sk-live-123"))));
    const printed = [
      JSON.stringify([...opened.providers]),
      inspect(opened, { depth: 9 }),
      String(opened.providers.get("sim")?.credentials[0]?.secret),
    ];
    for (const text of printed) expect(text).not.toContain("sk-live-123");
  });

  it("throws rather than lose what JSON has no word for", () => {
    const lossy = [Number.NaN, Number.POSITIVE_INFINITY, new Date(), new Set(["a"]), () => 1, 1n];
    for (const value of lossy) {
      const snapshot = { ...snapshotWith("x"), notices: value as unknown as readonly string[] };
      expect(() => sealSnapshot(snapshot)).toThrow(/snapshot\.notices cannot be sent/);
    }
  });
});

describe("comparing settings", () => {
  it("sees a rotated key, an added field and another order, and nothing else", () => {
    expect(sameSettings(snapshotWith("a"), snapshotWith("a"))).toBe(true);
    expect(sameSettings(snapshotWith("a"), snapshotWith("b"))).toBe(false);
    expect(sameSettings({ a: 1 }, { a: 1, b: undefined })).toBe(true);
    expect(sameSettings({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(sameSettings([1, 2], [2, 1])).toBe(false);
    expect(sameSettings(new Secret("1"), "1")).toBe(false);
    expect(sameSettings([], {})).toBe(false);
  });
});
