import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureTraits } from "#domain/failure";
import { generalRows } from "./classification.ts";
import { classifierWith, classifyReply } from "./classify-reply.ts";
import { findKind, providerKinds } from "./kinds.ts";
import { azureRows, bedrockRows, cohereRows, googleRows, mistralRows, zaiRows } from "./own-rows.ts";
import type { ClassificationRow } from "./classification.ts";
import type { FailedReply } from "./provider.ts";

interface Case {
  readonly what: string;
  readonly kind: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | object;
  readonly expect: string;
  readonly waitMs?: number;
}

/** 2025-11-21T12:00:00Z: the corpus' reset times count from here. */
const wallMs = 1_763_726_400_000;

const corpus: readonly Case[] = readFileSync(new URL("error-corpus.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Case);

function replyOf(one: Case): FailedReply {
  const inBand = one.status === undefined;
  return {
    headers: one.headers ?? {},
    body: typeof one.body === "string" || inBand ? one.body : JSON.stringify(one.body),
    wallMs,
    ...(inBand ? {} : { status: one.status }),
  };
}

describe("classifyReply", () => {
  it.each(corpus.map((one) => [one.what, one] as const))("knows what is meant by %s", (_what, one) => {
    const kind = findKind(one.kind);
    const failure = kind?.classify(replyOf(one));
    expect(failure?.kind).toBe(one.expect);
    expect(failure?.retryAfterMs).toBe(one.waitMs);
  });

  it("has a corpus of more than 200 complaints", () => {
    expect(corpus.length).toBeGreaterThan(200);
    expect(new Set(corpus.map(({ what }) => what)).size).toBe(corpus.length);
  });

  it("gives a failed transport status to the record, with the provider's own type and code", () => {
    const failure = classifyReply({
      status: 400,
      headers: {},
      body: '{"error":{"message":"No.","type":"invalid_request_error","code":"unsupported_value","param":"messages[2].content"}}',
      wallMs,
    });
    expect(failure).toEqual({
      kind: "upstream_rejected",
      message: "No.",
      param: "messages[2].content",
      upstream: { status: 400, type: "invalid_request_error", code: "unsupported_value" },
    });
  });

  it("says nothing of our account to callers", () => {
    const said = "Your team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd has no key sk-live-abcdefghijkl and owes 40 USD";
    for (const status of [401, 402, 403]) {
      const { message } = classifyReply({ status, headers: {}, body: JSON.stringify({ error: said }), wallMs });
      expect(message).not.toMatch(/16f2151a|sk-live|40 USD/);
    }
  });

  it("does not take a model without log-probabilities for one that the account may not have", () => {
    const message = "You are not allowed to request logprobs from this model";
    const body = JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } });
    expect(classifyReply({ status: 403, headers: {}, body, wallMs })).toMatchObject({
      kind: "upstream_rejected",
      message,
      upstream: { status: 403 },
    });
  });

  it("never forwards a page", () => {
    const { message } = classifyReply({ status: 502, headers: {}, body: "<html><body>secret</body></html>", wallMs });
    expect(message).not.toMatch(/[<>]|secret/);
  });

  it("survives a body that is nested to exhaust the stack", () => {
    for (const [open, close] of [
      ['{"message":', "}"],
      ['{"detail":', "}"],
      ['{"error":', "}"],
      ['{"metadata":{"raw":', "}}"],
      ["[", "]"],
    ] as const) {
      const body = `${open.repeat(20_000)}"x"${close.repeat(20_000)}`;
      expect(classifyReply({ status: 400, headers: {}, body, wallMs }).kind).toBe("upstream_rejected");
    }
  });

  it("tells no waiting time where waiting cannot cure it", () => {
    const headers = { "retry-after": "20" };
    const quota = classifyReply({ status: 402, headers, body: "", wallMs });
    expect(quota.retryAfterMs).toBeUndefined();
  });
});

/** What an unknown sender may answer: well-formed complaints, their parts in wrong places, and noise. */
const anyBody = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.stringify(value)),
  fc.object({
    key: fc.constantFrom("error", "code", "type", "message", "details", "metadata", "raw", "status"),
    maxDepth: 5,
  }),
  fc.constantFrom(...corpus.map(({ body }) => body)),
);

const anyReply = fc.record({
  status: fc.option(fc.oneof(fc.integer(), fc.integer({ min: 100, max: 600 }), fc.constant(Number.NaN)), {
    nil: undefined,
  }),
  headers: fc.dictionary(
    fc.constantFrom("retry-after", "content-type", "x-ratelimit-reset-tokens", "x-amzn-errortype"),
    fc.string(),
  ),
  body: anyBody,
  wallMs: fc.constant(wallMs),
});

describe("any reply", () => {
  it("gives exactly one failure with a message fit for people, and never throws", () => {
    fc.assert(
      fc.property(anyReply, fc.constantFrom(...providerKinds.values()), ({ status, ...reply }, kind) => {
        const failure = kind.classify(status === undefined ? reply : { ...reply, status });
        expect(Object.keys(failureTraits)).toContain(failure.kind);
        expect(failure.message.length).toBeGreaterThan(0);
        expect(failure.message.length).toBeLessThanOrEqual(500);
        expect(failure.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
        expect(failure.retryAfterMs ?? 0).toBeLessThanOrEqual(300_000);
      }),
      { numRuns: 2000 },
    );
  });
});

const ownRows: Readonly<Record<string, readonly ClassificationRow[]>> = {
  mistral: mistralRows,
  zai: zaiRows,
  cohere: cohereRows,
  azure: azureRows,
  bedrock: bedrockRows,
  google: googleRows,
};

/** Kinds that share rows. */
const rowsOf: Readonly<Record<string, string>> = {
  "azure-openai": "azure",
  "azure-foundry": "azure",
  gemini: "google",
  vertex: "google",
};

/** What the corpus comes out as under changed rows. */
function outcomes(
  general: readonly ClassificationRow[],
  own: Readonly<Record<string, readonly ClassificationRow[]>>,
): string {
  return corpus
    .map((one) => classifyReply(replyOf(one), [...(own[rowsOf[one.kind] ?? one.kind] ?? []), ...general]).kind)
    .join();
}

const without = <Item>(items: readonly Item[], index: number): readonly Item[] => items.toSpliced(index, 1);

function describeRow({ kind, words, message, statuses, forms, wordLike }: ClassificationRow): string {
  return [kind, words?.join(" "), message?.source, wordLike?.source, statuses?.join(" ").slice(0, 30), forms]
    .filter(Boolean)
    .join(" | ");
}

describe("each row of the classification", () => {
  const whole = outcomes(generalRows, ownRows);

  it("is what the kinds use", () => {
    expect(whole).toBe(corpus.map((one) => one.expect).join());
    expect(classifierWith(zaiRows)({ status: 429, headers: {}, body: { error: { code: "1113" } }, wallMs }).kind).toBe(
      "quota_exhausted",
    );
  });

  it("is needed by some case of the corpus", () => {
    const idle = generalRows.filter((_row, index) => outcomes(without(generalRows, index), ownRows) === whole);
    for (const [id, rows] of Object.entries(ownRows)) {
      rows.forEach((row, index) => {
        if (outcomes(generalRows, { ...ownRows, [id]: without(rows, index) }) === whole) idle.push(row);
      });
    }
    expect(idle.map(describeRow)).toEqual([]);
  });

  it("has no word that the corpus does not need", () => {
    const idle: string[] = [];
    generalRows.forEach((row, index) => {
      (row.words ?? []).forEach((word, at) => {
        const changed = { ...row, words: without(row.words ?? [], at) };
        if (outcomes(generalRows.with(index, changed), ownRows) === whole) idle.push(word);
      });
    });
    for (const [id, rows] of Object.entries(ownRows)) {
      rows.forEach((row, index) => {
        (row.words ?? []).forEach((word, at) => {
          const changed = rows.with(index, { ...row, words: without(row.words ?? [], at) });
          if (outcomes(generalRows, { ...ownRows, [id]: changed }) === whole) idle.push(`${id} ${word}`);
        });
      });
    }
    expect(idle).toEqual([]);
  });

  it("names where it is from", () => {
    for (const row of [...generalRows, ...Object.values(ownRows).flat()]) expect(row.from.length).toBeGreaterThan(2);
  });
});
