import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EmbedAnswer, EmbedRequest } from "#domain/embedding";
import { plainChatQuirks } from "#domain/quirks";
import { emptyUsage } from "#domain/usage";
import { scanFields } from "#wire/json-splice";
import type { EncodeOptions, EncodeTarget } from "#dialects/dialect";
import { embedClient } from "./embed-client.ts";
import { embedUpstream } from "./embed-upstream.ts";
import { fitRelayed } from "./fit-relayed.ts";
import { unaryLosses } from "./unary-losses.ts";

const target: EncodeTarget = { model: "embed-3", issuer: "openai", quirks: plainChatQuirks, streamed: false };
const options: EncodeOptions = {
  fallbackId: "req_1",
  model: "embed-3",
  createdAtS: 0,
  includeUsage: true,
  issuer: "openai",
};

function decoded(body: object): EmbedRequest {
  const request = embedClient.decodeRequest(body);
  if (!("inputs" in request)) throw new Error(request.message);
  return request;
}

function sent(request: EmbedRequest, to: Partial<EncodeTarget> = {}): { body: unknown; warnings: readonly string[] } {
  const encoded = embedUpstream.encodeRequest(request, { ...target, ...to });
  if (encoded.kind !== "encoded") throw new Error(encoded.failure.message);
  return { body: JSON.parse(Buffer.from(encoded.body).toString()), warnings: encoded.warnings };
}

function written(answer: EmbedAnswer, request: EmbedRequest): unknown {
  return JSON.parse(Buffer.from(embedClient.encodeAnswer(answer, request, options)).toString());
}

describe("a caller's request for embeddings", () => {
  it("says all that the hub has a word for", () => {
    const body = {
      model: "main",
      input: "text",
      dimensions: 3,
      encoding_format: "base64",
      user: "u",
      input_type: "query",
    };
    expect(decoded(body)).toEqual({
      model: "main",
      inputs: ["text"],
      single: true,
      dimensions: 3,
      encoding: "base64",
      purpose: "query",
      user: "u",
      rest: {},
    });
  });

  it.each<[unknown, unknown]>([
    ["a", ["a"]],
    [
      ["a", "b"],
      ["a", "b"],
    ],
    [[1, 2], [[1, 2]]],
    [
      [[1, 2], [3]],
      [[1, 2], [3]],
    ],
    [
      ["a", [3]],
      ["a", [3]],
    ],
  ])("may hold texts, token numbers and lists of them: %j", (input, inputs) => {
    expect(decoded({ input })).toMatchObject({ inputs, single: input === "a", encoding: "float" });
  });

  it.each([
    [{}, "input"],
    [{ input: "" }, "input"],
    [{ input: [] }, "input"],
    [{ input: ["a", ""] }, "input[1]"],
    [{ input: [[]] }, "input[0]"],
    [{ input: [1, -2] }, "input"],
    [{ input: [1.5] }, "input"],
    [{ input: ["a", 2] }, "input[1]"],
    [{ input: "a", dimensions: 1.5 }, "dimensions"],
    [{ input: "a", encoding_format: "int8" }, "encoding_format"],
    [{ input: "a", user: 7 }, "user"],
    [{ input: "a", input_type: "poem" }, "input_type"],
  ])("is refused by name where its shape is wrong: %j", (body, param) => {
    expect(embedClient.decodeRequest(body)).toMatchObject({ kind: "invalid_request", param });
  });

  it("is read without a throw, whatever JSON comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const request = embedClient.decodeRequest(json);
        expect("inputs" in request || request.kind === "invalid_request").toBe(true);
      }),
    );
  });
});

describe("embeddings at an OpenAI-like provider", () => {
  it("are asked for in the provider's name, with the numbers left as the server likes them", () => {
    const { body, warnings } = sent(decoded({ model: "x", input: "a", encoding_format: "base64", dimensions: 2 }));
    expect(body).toEqual({ model: "embed-3", input: "a", dimensions: 2 });
    expect(warnings).toEqual([]);
    expect(sent(decoded({ input: [[1], [2]] })).body).toEqual({ model: "embed-3", input: [[1], [2]] });
  });

  it("lose what OpenAI has no word for, each with a warning that begins with its name", () => {
    const request = { ...decoded({ input: "a", purpose: "x" }), purpose: "query" as const, title: "T" };
    expect(sent(request).warnings).toEqual([
      `embed-purpose: ${unaryLosses["embed-purpose"]} (query)`,
      `embed-title: ${unaryLosses["embed-title"]}`,
      `unknown-field: ${unaryLosses["unknown-field"]} (purpose)`,
    ]);
  });

  it("do without the user's id where the server refuses it", () => {
    const quirks = { ...plainChatQuirks, refusedFields: ["user"] };
    expect(sent(decoded({ input: "a", user: "u" }), { quirks }).body).not.toHaveProperty("user");
    expect(sent(decoded({ input: "a", user: "u" })).body).toHaveProperty("user", "u");
  });

  it("are put in order by their index", () => {
    const data = [
      { index: 1, embedding: [2] },
      { index: 0, embedding: "AACAPw==" },
    ];
    const answer = embedUpstream.decodeAnswer({ data, model: "m", usage: { prompt_tokens: 4, total_tokens: 4 } });
    expect(answer).toEqual({
      vectors: [Float32Array.of(1), [2]],
      model: "m",
      usage: { ...emptyUsage, inputUncached: 4 },
    });
  });

  it.each([
    [[]],
    [{}],
    [{ data: {} }],
    [{ data: [7] }],
    [{ data: [{ embedding: [] }] }],
    [{ data: [{ embedding: ["x"] }] }],
    [{ data: [{ index: 1, embedding: [1] }] }],
    [
      {
        data: [
          { index: 0, embedding: [1] },
          { index: 0, embedding: [1] },
        ],
      },
    ],
  ])("are not read from %j", (body) => {
    expect(embedUpstream.decodeAnswer(body)).toMatchObject({ kind: "bad_upstream_response" });
  });
});

describe("embeddings as a caller gets them", () => {
  const answer: EmbedAnswer = {
    vectors: [[0.5], Float32Array.of(0.1)],
    usage: { ...emptyUsage, inputUncached: 3, cacheRead: 1 },
  };

  it("are numbers or packed, as asked, with the model that answered", () => {
    expect(written(answer, decoded({ input: ["a", "b"] }))).toEqual({
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [0.5] },
        { object: "embedding", index: 1, embedding: [0.1] },
      ],
      model: "embed-3",
      usage: { prompt_tokens: 4, total_tokens: 4 },
    });
    const packed = written(answer, decoded({ input: ["a", "b"], encoding_format: "base64" }));
    expect(packed).toMatchObject({ data: [{ embedding: "AAAAPw==" }, { embedding: "zczMPQ==" }] });
  });

  it("are not said to have used nothing where nobody counted", () => {
    expect(written({ vectors: [[1]] }, decoded({ input: "a" }))).not.toHaveProperty("usage");
  });

  it("mean the same after they were written and read again", () => {
    const vectors = fc.array(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(vectors, fc.constantFrom("float" as const, "base64" as const), (given, format) => {
        const request = decoded({ input: given.map(() => "a"), encoding_format: format });
        const read = embedUpstream.decodeAnswer(written({ vectors: given }, request));
        const numbers = "vectors" in read ? read.vectors.map((vector) => [...vector].map((x) => x + 0)) : [];
        expect(numbers).toEqual(given.map((vector) => vector.map((x) => x + 0)));
      }),
    );
  });
});

describe("a relayed answer", () => {
  function fitted(asked: object, answered: unknown): unknown {
    const body = Buffer.from(JSON.stringify(asked));
    const scan = scanFields(body, { maxDepth: 9 });
    if ("problem" in scan) throw new Error(scan.problem);
    const made = fitRelayed("embed", answered, { body, scan });
    return made instanceof Uint8Array ? JSON.parse(Buffer.from(made).toString()) : made;
  }

  it("keeps its bytes where it has the form that was asked for", () => {
    expect(fitted({ input: "a" }, { data: [{ embedding: [1] }] })).toBeUndefined();
    expect(fitted({ input: "a", encoding_format: "float" }, { data: [{ embedding: [1] }] })).toBeUndefined();
    expect(fitted({ input: "a", encoding_format: "base64" }, { data: [{ embedding: "AACAPw==" }] })).toBeUndefined();
  });

  it("is written in the form asked for where the server used the other, and keeps all else", () => {
    const list = {
      object: "list",
      usage: { prompt_tokens: 1 },
      data: [{ index: 0, object: "embedding", embedding: [1] }],
    };
    const packed = { ...list, data: [{ index: 0, object: "embedding", embedding: "AACAPw==" }] };
    expect(fitted({ encoding_format: "base64" }, list)).toEqual(packed);
    expect(fitted({ input: "a" }, packed)).toEqual(list);
  });

  it("keeps its bytes in a form that only its own server knows", () => {
    const bits = { data: [{ embedding: "//8=" }] };
    expect(fitted({ encoding_format: "base64_int8" }, bits)).toBeUndefined();
  });

  it.each([{}, { data: "x" }, { data: [{ embedding: {} }] }, { data: [7] }])("is none where it is %j", (answered) => {
    expect(fitted({ encoding_format: "base64" }, answered)).toMatchObject({ kind: "bad_upstream_response" });
  });

  it.each([
    ["a", 1],
    [["a", "b", "c"], 3],
    [[7, 8, 9], 1],
    [[[7, 8], [9]], 2],
  ])("must have a vector for each text: %j", (input, count) => {
    const answered = (length: number): object => ({ data: Array.from({ length }, () => ({ embedding: [1] })) });
    expect(fitted({ input }, answered(count))).toBeUndefined();
    for (const other of [count - 1, count + 1]) {
      expect(fitted({ input }, answered(other))).toMatchObject({ kind: "bad_upstream_response" });
    }
  });

  it("of a ranking or a moderation must have results", () => {
    const body = Buffer.from("{}");
    const scan = { fields: new Map(), repeated: [] } as unknown as Parameters<typeof fitRelayed>[2]["scan"];
    for (const operation of ["rerank", "moderate"] as const) {
      expect(fitRelayed(operation, { results: [] }, { body, scan })).toBeUndefined();
      expect(fitRelayed(operation, { hello: 1 }, { body, scan })).toMatchObject({ kind: "bad_upstream_response" });
    }
    const named = fitRelayed("rerank", { object: "list", data: [{ index: 0 }] }, { body, scan });
    expect(named instanceof Uint8Array && JSON.parse(Buffer.from(named).toString())).toMatchObject({
      results: [{ index: 0 }],
    });
    expect(fitRelayed("moderate", { data: [] }, { body, scan })).toMatchObject({ kind: "bad_upstream_response" });
  });
});
