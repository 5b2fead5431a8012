import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { classifyReply } from "./classify-reply.ts";

const shared = process.env["HEDGEROW_SHARED"] ?? join(import.meta.dirname, "../../../../../shared");
const folder = join(shared, "fixtures/normalised");

interface Recording {
  readonly id: string;
  readonly response: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, unknown>>;
    readonly text?: string;
  };
}

/** What is known of the recorded errors by reading them. */
const expected: Readonly<Record<number, string>> = { 404: "model_unavailable" };

const present = existsSync(folder);
if (!present) console.log(`skipped: recorded errors, there is no ${folder} (set HEDGEROW_SHARED)`);

it.skipIf(!present)("classifies every recorded reply that was no success", () => {
  const failed = readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl.gz"))
    .flatMap((name) =>
      gunzipSync(readFileSync(join(folder, name)))
        .toString("utf8")
        .trim()
        .split("\n"),
    )
    .map((line) => JSON.parse(line) as Recording)
    .filter(({ response }) => response.status !== 200);
  expect(failed.length).toBeGreaterThan(0);
  for (const { id, response } of failed) {
    const failure = classifyReply({ status: response.status, headers: {}, body: response.text ?? "", wallMs: 0 });
    expect([id, failure.kind]).toEqual([id, expected[response.status]]);
    expect(failure.message).not.toMatch(/[{}]|https?:/);
  }
});
