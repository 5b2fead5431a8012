import { expect, it } from "vitest";
import { failure, type FailureKind } from "#domain/failure";
import { Health } from "#policy/health";
import { logNews } from "./health-log.ts";
import type { LogFields } from "./log.ts";

const place = { provider: "a", model: "m", credential: "a#1" };

function watched() {
  const health = new Health();
  const lines: string[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log = { info: write("info"), warn: write("warn"), error: write("error") };
  return {
    fail: (kind: FailureKind, nowMs: number): void => {
      health.begin(place, nowMs).failed(failure(kind, "x"), nowMs, 0.5);
      logNews(health.takeHints(nowMs), log);
    },
    succeed: (nowMs: number): void => {
      health.begin(place, nowMs).succeeded(nowMs);
      logNews(health.takeHints(nowMs), log);
    },
    lines,
  };
}

it("tells an operator of a refused key at once", () => {
  const { fail, lines } = watched();
  fail("credential_rejected", 0);
  expect(lines).toEqual([
    'error out of use: look at the account or the configuration {"scope":"credential a#1","after":"credential_rejected","nextTryInMs":600000}',
  ]);
});

it("tells when something begins to fail and when it is back, not each time it is tried, nor of waits", () => {
  const { fail, succeed, lines } = watched();
  fail("rate_limited", 0);
  for (let n = 0; n < 5; n += 1) fail("upstream_failed", 10_000);
  fail("upstream_failed", 11_000);
  succeed(13_000);
  succeed(13_001);
  expect(lines).toEqual([
    'warn failing, and not asked for a while {"scope":"model a/m","after":"upstream_failed","nextTryInMs":1000}',
    'info a provider answers again {"scope":"model a/m"}',
  ]);
});
