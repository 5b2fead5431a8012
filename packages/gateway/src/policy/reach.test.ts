import { describe, expect, it } from "vitest";
import { Reach } from "./reach.ts";

describe("Whether anything is heard of a provider", () => {
  it("is told by names that do not resolve and ports that do not answer, and by nothing else", () => {
    const reach = new Reach();
    for (const kind of ["unresolvable", "unreachable", "connect_timeout"] as const) {
      reach.failed(kind, kind, 0);
      expect(reach.isCutOff(kind, 29_999)).toBe(true);
      expect(reach.isCutOff(kind, 30_000)).toBe(false);
    }
    for (const kind of ["upstream_failed", "connection_lost", "first_byte_timeout", "tls_rejected"] as const) {
      reach.failed(kind, kind, 0);
      expect(reach.isCutOff(kind, 0)).toBe(false);
    }
  });

  it("is over with its first word", () => {
    const reach = new Reach();
    reach.failed("a", "unreachable", 0);
    reach.heard("a");
    expect(reach.isCutOff("a", 1)).toBe(false);
  });

  it("is looked into by one call in five seconds, at whoever was looked for longest ago", () => {
    const reach = new Reach();
    reach.failed("a", "unreachable", 0);
    reach.failed("b", "unreachable", 1_000);
    expect(reach.takeProbe(["a", "b"], 4_999)).toBeUndefined();
    expect(reach.takeProbe(["a", "b"], 5_000)).toBe("a");
    expect(reach.takeProbe(["a", "b"], 6_000)).toBeUndefined();
    reach.failed("a", "unreachable", 6_000);
    expect(reach.takeProbe(["a", "b"], 10_000)).toBe("b");
  });

  it("remembers no more than a bounded number of providers", () => {
    const reach = new Reach();
    for (let n = 0; n < 2_000; n += 1) reach.failed(`p${n}`, "unreachable", 0);
    expect(reach.isCutOff("p0", 1)).toBe(false);
    expect(reach.isCutOff("p1999", 1)).toBe(true);
  });
});
