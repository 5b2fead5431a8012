import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { endAll, startHedgerow, startUpstream } from "../../bench/subjects.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-subjects-"));
  vi.stubEnv("TMPDIR", folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe("what a benchmark starts", { timeout: 60_000 }, () => {
  it("has a folder while it runs, and has ended without it when the benchmark goes on", async () => {
    const upstream = await startUpstream();
    const gateway = await startHedgerow(upstream, { fromSource: true });
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^hedgerow-bench-/u)]);
    await endAll([gateway, upstream]);
    expect([gateway, upstream].map(({ process: child }) => child.exitCode ?? child.signalCode)).not.toContain(null);
    expect(readdirSync(folder).filter((name) => name.startsWith("hedgerow"))).toEqual([]);
    // Once more, as whoever fails on the way does.
    await endAll([gateway, upstream]);
  });
});
