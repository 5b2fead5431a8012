import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchLoad } from "./watch-load.ts";

describe("the look at what a worker holds", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("keeps what it saw last while no file can be opened, and goes on when one can", () => {
    let bytes = 100;
    let descriptors = true;
    const watch = watchLoad(
      () => 1_000,
      () => {
        if (!descriptors) throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
        return bytes;
      },
    );
    bytes = 200;
    vi.advanceTimersByTime(100);
    expect(watch.memoryBytes).toBe(200);
    bytes = 300;
    descriptors = false;
    vi.advanceTimersByTime(300);
    expect(watch.memoryBytes).toBe(200);
    descriptors = true;
    vi.advanceTimersByTime(100);
    expect(watch.memoryBytes).toBe(300);
    watch.close();
  });
});
