import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { GatewayKey } from "#domain/gateway-key";
import { authenticate, isOpen } from "#pipeline/authenticate";
import { IssuedKeys } from "#pipeline/issued-keys";
import { sampleSnapshot } from "../world/sample-snapshot.ts";

const sha256 = (text: string): string => hash("sha256", text);
const keyNo = (number: number): GatewayKey => ({ name: `k${number}`, sha256: sha256(`secret-of-key-${number}`) });
const asked = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` }, query: new URLSearchParams() });
const snapshotWith = (keys: readonly GatewayKey[]) => sampleSnapshot([], [], { keys });

/** Microseconds of a processor for each of so many look-ups. */
function costUs(count: number): number {
  const door = { snapshot: snapshotWith(Array.from({ length: count }, (_, number) => keyNo(number))), wallMs: 0 };
  const look = (rounds: number): void => {
    for (let round = 0; round < rounds; round += 1) authenticate(asked(`secret-of-key-${round % count}`), door);
  };
  look(2_000);
  const before = process.cpuUsage();
  look(20_000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 20_000;
}

describe("a key among many", () => {
  it("is found, and a like one is not", () => {
    const door = { snapshot: snapshotWith(Array.from({ length: 10_000 }, (_, number) => keyNo(number))), wallMs: 0 };
    expect(authenticate(asked("secret-of-key-9999"), door)).toMatchObject({ kind: "known", key: { name: "k9999" } });
    expect(authenticate(asked("secret-of-key-10000"), door)).toMatchObject({
      kind: "refused",
      failure: { kind: "unauthenticated" },
    });
  });

  it("costs about the same among ten thousand as among ten", () => {
    const few = costUs(10);
    // Compared with each of them it would be some thousand microseconds.
    expect(costUs(10_000)).toBeLessThan(few * 10 + 50);
  });
});

describe("issued keys", () => {
  const issued = (more: object = {}) => ({ id: "key_1", name: "app", secrets: [{ sha256: sha256("new") }], ...more });

  function door(keys: IssuedKeys, wallMs = 0) {
    return { snapshot: snapshotWith([]), issued: keys, wallMs };
  }

  it("stand beside the configuration's, and end with the news of it", () => {
    const keys = new IssuedKeys();
    expect(isOpen(door(keys))).toBe(true);
    keys.apply({ keys: [issued()], gone: [], guards: true });
    expect(authenticate(asked("new"), door(keys))).toMatchObject({ key: { id: "key_1", name: "app" } });
    keys.apply({ keys: [], gone: ["key_1"], guards: true });
    expect(authenticate(asked("new"), door(keys))).toMatchObject({ kind: "refused" });
    // Nobody is let in for it that the last key was taken away.
    expect(isOpen(door(keys))).toBe(false);
  });

  it("have two secrets while one is rotated, each for its time", () => {
    const keys = new IssuedKeys();
    const secrets = [{ sha256: sha256("new") }, { sha256: sha256("old"), untilMs: 1_000 }];
    keys.apply({ keys: [issued({ secrets })], gone: [], guards: true });
    expect(authenticate(asked("old"), door(keys, 999))).toMatchObject({ kind: "known" });
    expect(authenticate(asked("old"), door(keys, 1_000))).toMatchObject({ kind: "refused" });
    expect(authenticate(asked("new"), door(keys, 1_000))).toMatchObject({ kind: "known" });
    // What is told of a key later holds alone.
    keys.apply({ keys: [issued()], gone: [], guards: true });
    expect(authenticate(asked("old"), door(keys, 0))).toMatchObject({ kind: "refused" });
  });

  it("end at their time, by the clock of each call", () => {
    const keys = new IssuedKeys();
    keys.apply({ keys: [issued({ expiresAtMs: 5_000 })], gone: [], guards: true });
    expect(authenticate(asked("new"), door(keys, 4_999))).toMatchObject({ kind: "known" });
    const late = authenticate(asked("new"), door(keys, 5_000));
    expect(late).toMatchObject({
      kind: "refused",
      failure: { kind: "unauthenticated", message: expect.stringContaining("expired") },
    });
  });

  it("are refused once their team is not configured any more, and are of its organisation as long as it is", () => {
    const keys = new IssuedKeys();
    keys.apply({ keys: [issued({ team: "web" })], gone: [], guards: true });
    expect(authenticate(asked("new"), door(keys))).toMatchObject({ failure: { kind: "forbidden" } });
    const teams = new Map([["web", { organisation: "acme" }]]);
    const placed = { ...door(keys), snapshot: { ...snapshotWith([]), teams, organisations: ["acme"] } };
    expect(authenticate(asked("new"), placed)).toMatchObject({ key: { team: "web", organisation: "acme" } });
    const moved = { ...placed, snapshot: { ...placed.snapshot, teams: new Map([["web", {}]]) } };
    expect(authenticate(asked("new"), moved)).not.toHaveProperty("key.organisation");
  });
});
