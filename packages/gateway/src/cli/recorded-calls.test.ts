import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withRecordedCalls } from "./recorded-calls.ts";

it("says which journal files are missing from what it reads, and reads the rest", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hedgerow-recorded-"));
  // A file that can be opened and not read, whoever the tests run as.
  mkdirSync(join(folder, "journal", "w0-1-000001.jsonl"), { recursive: true });
  let err = "";
  const io = { stdout: () => {}, stderr: (text: string) => void (err += text), env: {}, isTty: false, cwd: folder };
  try {
    const code = await withRecordedCalls({ command: "report", folder, io: { ...io, stderrIsTty: false } }, () => 7);
    expect(code).toBe(7);
    expect(err).toMatch(/^hedgerow report: journal w0-1-000001\.jsonl cannot be read, .+ missing: .+\n$/u);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
