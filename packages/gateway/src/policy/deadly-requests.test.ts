import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { Health, type Place } from "./health.ts";

const place: Place = { provider: "a", model: "m", credential: "a#1" };
const middle = 0.5;
const isReady = (health: Health, at: Place, nowMs: number): boolean => health.readiness(at, nowMs).kind === "ready";

describe("requests that kill connections", () => {
  const lost = failure("connection_lost", "reset");
  const b: Place = { provider: "b", model: "m", credential: "b#1" };
  const poison = (): string => "poison";
  const normal = (): string => "normal";

  it("blames a request that cost two providers the connection while nothing else failed there", () => {
    const health = new Health();
    health.begin(place, 0, poison).failed(lost, 0, middle);
    expect(health.dangerOf(poison, 0).killers).toEqual(["a"]);
    health.begin(b, 0, poison).failed(lost, 0, middle);
    expect(health.dangerOf(poison, 0).killers).toEqual(["a", "b"]);
    expect(health.dangerOf(normal, 0).killers).toEqual([]);
  });

  it("opens no breaker for such a request, however often it comes back", () => {
    const health = new Health();
    for (let nowMs = 0; nowMs < 50_000; nowMs += 1_000) {
      for (const at of [place, b]) {
        health.begin(at, nowMs, poison).failed(lost, nowMs, middle);
        health.begin(at, nowMs, normal).succeeded(nowMs);
      }
    }
    for (const at of [place, b]) for (let n = 0; n < 4; n += 1) health.failed(at, lost, 50_000);
    expect([isReady(health, place, 50_000), isReady(health, b, 50_000)]).toEqual([true, true]);
    expect(health.dangerOf(poison, 50_000)).toMatchObject({ proven: false });
  });

  it("has proof when both providers answered others since, and forgets it after a minute", () => {
    const health = new Health();
    for (const at of [place, b]) health.begin(at, 0, poison).failed(lost, 0, middle);
    expect(health.dangerOf(poison, 0).proven).toBe(false);
    for (const at of [place, b]) health.begin(at, 0, normal).succeeded(0);
    expect(health.dangerOf(poison, 59_999).proven).toBe(true);
    expect(health.dangerOf(poison, 60_000).killers).toEqual([]);
  });

  it("asks nobody for a fingerprint once all of it is a minute ago", () => {
    const health = new Health();
    health.begin(place, 0, poison).failed(lost, 0, middle);
    let asked = 0;
    const counted = (): string => `other ${(asked += 1)}`;
    health.dangerOf(counted, 59_999);
    expect(asked).toBe(1);
    health.dangerOf(counted, 60_000);
    health.begin(place, 60_000, counted).succeeded(60_000);
    expect(asked).toBe(1);
  });

  it("takes the blame back from a request where the provider loses the connections of others as well", () => {
    const health = new Health();
    health.begin(place, 0, poison).failed(lost, 0, middle);
    health.begin(place, 0, normal).failed(lost, 0, middle);
    health.begin(place, 0, poison).failed(lost, 0, middle);
    expect(health.dangerOf(poison, 0).killers).toEqual([]);
    for (let n = 0; n < 2; n += 1) health.begin(place, 0, poison).failed(lost, 0, middle);
    expect(isReady(health, place, 0)).toBe(false);
  });

  it("acquits a request that is answered in full", () => {
    const health = new Health();
    for (const at of [place, b]) health.begin(at, 0, poison).failed(lost, 0, middle);
    health.begin(place, 0, poison).succeeded(0);
    expect(health.dangerOf(poison, 0).killers).toEqual([]);
  });
});
