import { afterAll, describe, expect, it } from "vitest";
import { ConfigFolder } from "../world/config-folder.ts";

const folder = new ConfigFolder({ OPENAI_API_KEY: "canary-openai-0123456789" });
afterAll(() => folder.remove());

const written = (settings: string): string => `
providers:
  openai: { kind: openai, key: \${OPENAI_API_KEY} }
routes:
  default: { targets: [openai/gpt-5.4] }
payloads: { sample: 1, ${settings} }`;

const mebibyte = 1024 ** 2;

describe("what payloads may have of a disk", () => {
  it.each([
    ["maxTotal: 100GiB", 102_400 * mebibyte],
    ["maxTotal: 2MiB", 2 * mebibyte],
    ["maxBytes: 1B, maxTotal: 1MiB", mebibyte],
    ["maxBytes: 1MiB, maxTotal: 32MiB", 32 * mebibyte],
  ])("is as large as a disk, and as small as the newest needs: { %s }", (settings, maxTotalBytes) => {
    expect(folder.configured(written(settings)).snapshot.payloads).toMatchObject({ maxTotalBytes });
  });

  it.each([
    ["maxTotal: 2000GiB", "payloads.maxTotal: it can be at most 1024GiB"],
    ["maxTotal: 1MiB", "payloads.maxTotal: it is too small for what it must hold"],
    ["maxTotal: 1MiB", "write 2MiB or more"],
    ["maxBytes: 1MiB, maxTotal: 31MiB", "write 32MiB or more"],
    ["maxBytes: 1B, maxTotal: 1000KiB", "write 1MiB or more"],
  ])("is refused where it makes no sense: { %s }", (settings, complaint) => {
    expect(folder.problems(written(settings)).join("\n")).toContain(complaint);
  });
});
