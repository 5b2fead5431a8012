import type { Reporter, TestModule } from "vitest/node";

/** Ends a test run with one plain line that any tool can read: `tests: 12 passed, 0 failed, 3 skipped`. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
      // A file that did not even load has no tests to count, and must not look like success.
      if (module.state() === "failed" && module.errors().length > 0) counts.failed += 1;
    }
    const { passed, failed, skipped } = counts;
    process.stdout.write(`\ntests: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}
