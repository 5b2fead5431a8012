import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchConfiguration } from "./configuration-watch.ts";

let folder: string;
let end = (): void => {};
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hedgerow-watch-"));
});

afterEach(() => {
  end();
  rmSync(folder, { recursive: true, force: true });
});

function watched(file: string): ReturnType<typeof vi.fn> {
  const onChange = vi.fn();
  end = watchConfiguration({ file, log, onChange, quietMs: 20 });
  return onChange;
}

describe("watching a configuration", () => {
  it("sees an edit once, however many writes it took", async () => {
    const file = join(folder, "hedgerow.yaml");
    writeFileSync(file, "a");
    const onChange = watched(file);
    for (const text of ["b", "bc", "bcd"]) writeFileSync(file, text);
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), { timeout: 10_000 });
    expect(onChange).toHaveBeenCalledOnce();
  });

  it("sees a file put in its place, and a link beside it that now points elsewhere", async () => {
    const file = join(folder, "hedgerow.yaml");
    writeFileSync(file, "a");
    const onChange = watched(file);
    writeFileSync(join(folder, "new"), "b");
    renameSync(join(folder, "new"), file);
    await vi.waitFor(() => expect(onChange).toHaveBeenCalledOnce(), { timeout: 10_000 });
    end();

    // The way Kubernetes mounts a ConfigMap: the file is a link through `..data`, which is replaced.
    mkdirSync(join(folder, "one"));
    mkdirSync(join(folder, "two"));
    writeFileSync(join(folder, "one", "linked.yaml"), "a");
    writeFileSync(join(folder, "two", "linked.yaml"), "b");
    symlinkSync("one", join(folder, "..data"));
    symlinkSync(join("..data", "linked.yaml"), join(folder, "linked.yaml"));
    const onSwap = watched(join(folder, "linked.yaml"));
    symlinkSync("two", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    await vi.waitFor(() => expect(onSwap).toHaveBeenCalledOnce(), { timeout: 10_000 });
  });

  it("does not call for the same content, other files, or a file that is gone", async () => {
    const file = join(folder, "hedgerow.yaml");
    writeFileSync(file, "a");
    const onChange = watched(file);
    writeFileSync(file, "a");
    writeFileSync(join(folder, "other"), "b");
    unlinkSync(file);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(onChange).not.toHaveBeenCalled();
  });

  it("says how to go on where a folder cannot be watched", () => {
    watched(join(folder, "missing", "hedgerow.yaml"));
    expect(log.warn).toHaveBeenCalledWith(expect.stringContaining("SIGHUP"), expect.anything());
  });
});
