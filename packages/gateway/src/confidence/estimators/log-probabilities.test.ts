import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnswerView, TokenLogprob } from "#domain/confidence";
import { logOddsOfLogProbability, maxLogOdds } from "#confidence/log-odds";
import { shapeOf } from "#confidence/output-shape";
import { bestStillPossible } from "./early-stop.ts";
import { logprobSignal } from "./log-probabilities.ts";

type Pair = readonly [token: string, logprob: number];
const tokensOf = (pairs: readonly Pair[]): TokenLogprob[] => pairs.map(([token, logprob]) => ({ token, logprob }));
const view = (pairs: readonly Pair[], more: Partial<AnswerView> = {}): AnswerView => ({
  text: pairs.map(([token]) => token).join(""),
  refusal: "",
  toolCalls: [],
  tokens: tokensOf(pairs),
  ...more,
});
const call = (argumentsJson: string): AnswerView["toolCalls"] => [{ id: "c", name: "f", argumentsJson }];

describe("log-probabilities", () => {
  test("of long text are those of all tokens", () => {
    const signal = logprobSignal(
      view([
        ["One", -0.1],
        [" two", -0.5],
        [".", -0.3],
        ["\n", 0],
      ]),
      "long",
    );
    expect(signal).toEqual({
      logOdds: expect.closeTo(logOddsOfLogProbability(-0.9 / 4), 12) as number,
      lowest: -0.5,
      tenth: -0.5,
      tokens: 4,
    });
    const many = view(Array.from({ length: 40 }, (_, at): Pair => ["x", -at]));
    expect(logprobSignal(many, "long")).toMatchObject({ lowest: -20, tenth: -20, tokens: 40 });
    expect(logprobSignal(view(Array.from({ length: 20 }, (_, at): Pair => ["x", -at])), "long")?.tenth).toBe(-18);
  });

  test("of a label are the label's own, together", () => {
    const label = view([
      ["**", -3],
      ["pos", -0.2],
      ["itive", -0.1],
      ["**", -2],
      [".", -4],
    ]);
    expect(logprobSignal(label, "label")).toMatchObject({
      logOdds: logOddsOfLogProbability(-0.2 + -0.1),
      lowest: -0.2,
      tokens: 2,
    });
    expect(logprobSignal(view([[" B", -0.25]]), "label")).toMatchObject({
      logOdds: logOddsOfLogProbability(-0.25),
      tokens: 1,
    });
  });

  test("of JSON are those of values", () => {
    const json = view([
      ['{"', -9],
      ["city", -9],
      ['":', -9],
      [' "', -9],
      ["Bonn", -0.1],
      ['",', -9],
      [' "n":', -9],
      [" 4", -0.2],
      ["2", -0.3],
      ["}", -9],
    ]);
    expect(logprobSignal(json, "json")).toMatchObject({ lowest: -0.3, tokens: 3 });
    expect(
      logprobSignal(
        view([
          ["```json\n", -9],
          ["[", -9],
          ["true", -0.1],
          ["]\n```", -9],
        ]),
        "json",
      ),
    ).toMatchObject({ lowest: -0.1, tokens: 1 });
    // There is nothing but punctuation.
    expect(logprobSignal(view([["{}", -0.4]]), "json")).toMatchObject({ tokens: 1, lowest: -0.4 });
    expect(
      logprobSignal(
        view([
          ['{"a":', -9],
          ["[", -8],
          ["]", -0.4],
          ["}", -9],
        ]),
        "json",
      ),
    ).toMatchObject({ tokens: 1, lowest: -0.4 });
  });

  test("of a tool's call are its arguments', where the provider tells them", () => {
    const args: Pair[] = [
      ['{"', -9],
      ["city", -9],
      ['":"', -9],
      ["Bonn", -0.1],
      ['"}', -9],
    ];
    const spoken: Pair[] = [
      ["Let", -5],
      [" me", -5],
    ];
    expect(logprobSignal(view(args, { text: "", toolCalls: call('{"city":"Bonn"}') }), "tool")).toMatchObject({
      lowest: -0.1,
      tokens: 1,
    });
    expect(
      logprobSignal(view([...spoken, ...args], { text: "Let me", toolCalls: call('{"city":"Bonn"}') }), "tool"),
    ).toMatchObject({
      lowest: -0.1,
      tokens: 1,
    });
    // The text's alone say nothing of the call.
    expect(logprobSignal(view(spoken, { toolCalls: call('{"city":"Bonn"}') }), "tool")).toBeUndefined();
    // Written otherwise by the model than by the server.
    expect(logprobSignal(view(args, { text: "", toolCalls: call('{ "city": "Bonn" }') }), "tool")).toMatchObject({
      tokens: 1,
      lowest: -0.1,
    });
    expect(
      logprobSignal(
        view(
          [
            ["<call>", -1],
            ["f", -0.5],
          ],
          { text: "", toolCalls: call("") },
        ),
        "tool",
      ),
    ).toBeUndefined();
  });

  test("find the text among thoughts, ends of turns and marks of space", () => {
    const thought: Pair[] = [
      ["<think>", -8],
      ["hm", -8],
      ["</think>", -8],
      ["\n\n", -8],
    ];
    expect(logprobSignal(view([...thought, ["B", -0.1], ["<|eot|>", -8]], { text: "B" }), "label")).toMatchObject({
      lowest: -0.1,
      tokens: 1,
    });
    expect(
      logprobSignal(
        view(
          [
            ["▁New", -0.1],
            ["▁York", -0.2],
          ],
          { text: "New York" },
        ),
        "short",
      ),
    ).toMatchObject({ tokens: 2 });
    expect(logprobSignal(view([["ĠB", -0.1]], { text: "B" }), "label")).toMatchObject({ tokens: 1 });
  });

  test("fall back to all tokens, or to values, where tokens spell another text", () => {
    const odd: Pair[] = [
      ["na", -0.1],
      ["�", -0.2],
      ["ve", -0.3],
    ];
    expect(logprobSignal(view(odd, { text: "naïve" }), "short")).toMatchObject({ tokens: 3 });
    expect(
      logprobSignal(
        view(
          [
            ['{"a":', -9],
            ["�", -0.2],
            ["}", -9],
          ],
          { text: '{"a":1}' },
        ),
        "json",
      ),
    ).toMatchObject({ tokens: 1 });
    // Hardly anything of the text.
    expect(logprobSignal(view([["x", -0.1]], { text: "something else altogether" }), "short")).toBeUndefined();
  });

  test("are bounded where providers tell -9999 or nothing", () => {
    expect(
      logprobSignal(
        view([
          ["a", -9999],
          ["b", -Infinity],
          ["c", 1e-9],
        ]),
        "long",
      ),
    ).toMatchObject({ lowest: -20, tokens: 3 });
    const none = Number.NaN;
    expect(
      logprobSignal(
        view([
          ["a", none],
          ["b", -1],
        ]),
        "long",
      ),
    ).toMatchObject({ tokens: 1 });
    expect(
      logprobSignal(
        view([
          ["a", none],
          ["b", none],
          ["c", -1],
        ]),
        "long",
      ),
    ).toBeUndefined();
    expect(logprobSignal({ text: "x", refusal: "", toolCalls: [] }, "long")).toBeUndefined();
    expect(logprobSignal(view([], { text: "x" }), "label")).toBeUndefined();
  });

  test("have a margin where others are told", () => {
    const tokens: TokenLogprob[] = [
      {
        token: "A",
        logprob: -0.1,
        top: [
          { token: "A", logprob: -0.1 },
          { token: "B", logprob: -2.5 },
        ],
      },
      {
        token: "x",
        logprob: -1,
        top: [
          { token: "y", logprob: -0.5 },
          { token: "x", logprob: -1 },
        ],
      },
    ];
    expect(logprobSignal({ text: "Ax", refusal: "", toolCalls: [], tokens }, "long")?.margin).toBeCloseTo(
      (2.4 - 0.5) / 2,
      12,
    );
    const few: TokenLogprob[] = [...tokens.slice(0, 1), { token: "b", logprob: -1 }, { token: "c", logprob: -1 }];
    expect(logprobSignal({ text: "Abc", refusal: "", toolCalls: [], tokens: few }, "long")).not.toHaveProperty(
      "margin",
    );
  });

  test("are the same whatever the space in JSON", () => {
    const space = fc.constantFrom("", " ", "\n  ", "\t");
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.array(space, { minLength: 1 }), fc.nat(), (value, spaces, seed) => {
        fc.pre(typeof value === "object" && value !== null);
        let next = seed;
        const pairs = parts(JSON.stringify(value)).map((part) =>
          lexemes(part).map((piece): Pair => [piece, -((next += 7) % 17) / 10]),
        );
        const tight = pairs.flat();
        const loose = pairs.flatMap((pair, at): Pair[] => {
          const space = spaces[at % spaces.length] ?? "";
          const lead: Pair[] = space === "" ? [] : [[space, -15]];
          return lead.concat(pair);
        });
        expect(logprobSignal(view(loose), "json")?.tokens).toBe(logprobSignal(view(tight), "json")?.tokens);
        if (!/^(?:\{\}|\[\])$/u.test(JSON.stringify(value))) {
          expect(logprobSignal(view(loose), "json")).toEqual(logprobSignal(view(tight), "json"));
        }
      }),
    );
  });
});

describe("what is still possible", () => {
  test("is bounded by what was said, and by nothing while the length is open", () => {
    const doubtful = tokensOf([
      ["Some", -3],
      [" words", -3],
      [" more", -3],
    ]);
    expect(bestStillPossible(doubtful, undefined)).toBe(maxLogOdds);
    expect(bestStillPossible(doubtful, 3)).toBe(logOddsOfLogProbability(-3));
    expect(bestStillPossible(doubtful, 30)).toBe(logOddsOfLogProbability(-0.3));
    expect(bestStillPossible([], 30)).toBe(maxLogOdds);
    // The tokens are not the text's: thoughts, perhaps.
    expect(bestStillPossible(doubtful, 3, "Some")).toBe(maxLogOdds);
  });

  test("is never less than what an answer then gets", () => {
    const logprob = fc.double({ min: -6, max: 0, noNaN: true });
    const word = fc.constantFrom(
      "A",
      " B",
      "yes",
      " no",
      ".",
      " ",
      "\n",
      "**",
      "true",
      "1",
      "2",
      " word",
      "(",
      ")",
      ",",
      "tr",
      "ue",
      "the quick brown fox jumps over",
    );
    const json = fc.jsonValue({ maxDepth: 2 }).map((value) => lexemes(JSON.stringify(value, undefined, 1)));
    const answer = fc.oneof(
      fc.array(word, { minLength: 1, maxLength: 24 }),
      json.filter((all) => all.length > 0),
    );
    fc.assert(
      fc.property(answer, fc.infiniteStream(logprob), fc.tuple(fc.nat(), fc.boolean()), (words, odds, [cut, asked]) => {
        const pairs = words.map((token): Pair => [token, odds.next().value ?? 0]);
        const whole = view(pairs);
        const shape = shapeOf(whole, asked ? { output: { kind: "json" } } : {});
        fc.pre(!asked || isJson(whole.text));
        const signal = logprobSignal(whole, shape);
        fc.pre(signal !== undefined);
        const sofar = tokensOf(pairs.slice(0, cut % (pairs.length + 1)));
        expect(bestStillPossible(sofar, pairs.length)).toBeGreaterThanOrEqual((signal?.logOdds ?? 0) - 1e-9);
        expect(bestStillPossible(sofar, pairs.length + 9)).toBeGreaterThanOrEqual((signal?.logOdds ?? 0) - 1e-9);
      }),
      { numRuns: 2_000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Strings, words and marks: what space may stand between. */
function parts(json: string): string[] {
  return json.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/gsu) ?? [];
}

/** A JSON text in pieces as tokenisers cut it: brackets, quotes, words. */
function lexemes(json: string): string[] {
  return json.match(/\s+|[{}[\]:,"]|(?:\\.|[^{}[\]:,"\\\s]){1,3}/gsu) ?? [];
}
