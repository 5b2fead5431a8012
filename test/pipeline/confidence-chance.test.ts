import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConfidenceRule } from "#domain/confidence";
import { finish, gatedWorld, reviewsInto, stream, told, whole } from "./gated-world.ts";
import { done, type PipelineWorld, type SentRequest } from "./pipeline-world.ts";

/** What a provider does with one request. */
const habit = fc.record({
  how: fc.constantFrom("answers", "answers", "answers", "answers", "fails", "cut", "silent", "refuses"),
  logprob: fc.constantFrom(-0.000_01, -0.000_01, -0.000_1, -0.01, -0.7, -4, undefined),
  words: fc.integer({ min: 1, max: 40 }),
  /** Virtual milliseconds before it says anything. */
  afterMs: fc.constantFrom(0, 10, 500, 20_000),
});
type Habit = typeof habit extends fc.Arbitrary<infer Value> ? Value : never;

const rules: fc.Arbitrary<Partial<ConfidenceRule>> = fc.record({
  min: fc.constantFrom(0, 0.4, 0.85, 0.95),
  mode: fc.constantFrom("per_answer" as const, "pool" as const),
  estimator: fc.constantFrom(
    "auto" as const,
    "auto" as const,
    "logprobs" as const,
    "agreement" as const,
    "judge" as const,
  ),
  uncalibrated: fc.constantFrom(
    "conservative" as const,
    "conservative" as const,
    "observe" as const,
    "strict" as const,
  ),
  exhausted: fc.constantFrom("best" as const, "review" as const, "refuse" as const),
  stream: fc.constantFrom("hold" as const, "hold" as const, "prefix" as const, "annotate" as const),
  shadow: fc.constantFrom(0, 1),
});
const helpers: fc.Arbitrary<Partial<ConfidenceRule>> = fc.record(
  { second: fc.constant("c/m"), judge: fc.constant("j/m"), hedgeBelow: fc.constantFrom(0.3, 0.9) },
  { requiredKeys: [] },
);
const scene = fc.record({
  rule: fc.tuple(rules, helpers).map(([rule, others]) => Object.assign(rule, others)),
  streamed: fc.boolean(),
  bounded: fc.boolean(),
  pending: fc.boolean(),
  leavesMs: fc.constantFrom(null, null, null, null, null, null, 0, 5, 400, 16_000),
  habits: fc.array(habit, { minLength: 3, maxLength: 12 }),
  hedged: fc.boolean(),
});
type Scene = typeof scene extends fc.Arbitrary<infer Value> ? Value : never;

const nameOf = (sent: SentRequest): string => String(sent.request.headers["authorization"]).slice("Bearer sk-".length);
/** Each answer says whose it is, so that none can be taken for another's. */
const wordsOf = (sent: SentRequest, { words }: Habit): readonly string[] =>
  Array.from({ length: words }, (_, at) => `${nameOf(sent)}${at} `);

function act(sent: SentRequest, streamed: boolean, how: Habit): void {
  if (how.how === "silent") return;
  if (how.how === "fails") return sent.json({ error: { message: "down" } }, 500);
  if (how.how === "refuses") return sent.json({ error: { message: "logprobs are not enabled here" } }, 400);
  const words = wordsOf(sent, how);
  if (!streamed || nameOf(sent) === "j") {
    if (how.how === "cut")
      return sent.head(200, { "content-type": "application/json" }).bytes("{").fail("connection_lost");
    return sent.json(whole(words.join(""), how.logprob));
  }
  if (how.how === "answers" && how.logprob !== undefined) {
    return stream(
      sent,
      words.map((word) => [word, how.logprob ?? 0]),
    );
  }
  sent.head();
  for (const word of words)
    sent.bytes(told(word, -0.5).replace(/"logprobs":\{.*?\},"finish/, '"logprobs":null,"finish'));
  if (how.how === "cut") sent.fail("connection_lost");
  else sent.bytes(finish + done).end();
}

/** Lets every provider do what it does, until the call is served. */
async function play(world: PipelineWorld, { streamed, habits }: Scene, served: Promise<void>): Promise<void> {
  let isServed = false;
  void served.then(() => (isServed = true));
  let answered = 0;
  for (let round = 0; round < 200; round += 1) {
    while (answered < world.sent.length) {
      const sent = world.request(answered);
      const how = habits[answered % habits.length];
      answered += 1;
      if (how !== undefined) world.clock.timer(how.afterMs, () => act(sent, streamed, how));
    }
    await world.advance(round < 50 ? 100 : 5_000);
    if (isServed && answered === world.sent.length && world.live.count === 0) return;
  }
  throw new Error("the call never ends");
}

async function run(given: Scene): Promise<void> {
  const world = gatedWorld({
    rule: given.rule,
    targets: ["a/m", "b/m", "c/m"],
    route: {
      timeouts: { totalMs: 60_000, firstByteMs: 10_000, firstTokenMs: 10_000, idleMs: 10_000 },
      ...(given.hedged ? { hedge: { share: 1, sideEffects: true, afterMs: 200 } } : {}),
    },
    plane: reviewsInto([]),
  });
  for (let n = 0; n < 50; n += 1) world.plane.retryBudgets.of("main").deposit(world.clock.nowMs());
  const { exchange, done: served } = await world.chat({
    ...(given.streamed ? { stream: true } : {}),
    ...(given.bounded ? { max_tokens: 50 } : {}),
    ...(given.pending ? { hedgerow: { confidence: { pending: true } } } : {}),
  });
  if (given.leavesMs !== null) world.clock.timer(given.leavesMs, () => exchange.ended || exchange.leave());
  await play(world, given, served);

  expect(world.bugs).toEqual([]);
  const [record, ...shadows] = world.records;
  if (record === undefined) throw new Error("no record");
  expect(shadows.every(({ decision }) => decision === "shadow")).toBe(true);
  const isSure = ["answered", "escalated", "recovered"].includes(record.decision);
  expect(shadows.length).toBeLessThanOrEqual(isSure ? 1 : 0);
  // Nobody is left asking.
  expect(exchange.ended || exchange.destroyed || exchange.gone).toBe(true);
  const asked = world.sent.map(nameOf).toSorted();
  expect(world.records.flatMap(({ attempts }) => attempts.map(({ provider }) => provider)).toSorted()).toEqual(asked);
  // What the client has is one answer's, and where it is an answer, all of it.
  const said = new Set([...exchange.text.matchAll(/"content":"([abcj])\d/g)].map(([, who]) => who));
  const isAnswer = exchange.status === 200 && exchange.ended && record.code === undefined;
  if (exchange.status !== 422) expect(said.size).toBeLessThanOrEqual(1);
  if (record.decision === "refused") expect(given.streamed ? said.size : 0).toBe(0);
  if (!isAnswer) return;
  const given_ = record.attempts.filter(({ outcome, role }) => outcome === "answered" && role === undefined);
  expect(given_).toHaveLength(1);
  const judgement = given_[0]?.judgement;
  if (judgement === undefined) throw new Error("given without a judgement");
  // Below its threshold an answer is only given by a word that says so.
  const isBelow = judgement.score === null || judgement.score < judgement.threshold;
  if (isBelow && judgement.verdict !== "observed") expect(["doubted", "deadline"]).toContain(record.decision);
  if (judgement.verdict === "observed") expect(given.rule.uncalibrated).toBe("observe");
  if (record.decision === "doubted") expect(exchange.text).toContain('"low_confidence":true');
  expect(exchange.text).toContain(`"confidence_score":${JSON.stringify(judgement.score)}`);
}

describe("Whatever providers, clients and rules do", () => {
  it("one answer or one error, one record, nothing below its threshold without saying so, and nobody left asking", async () => {
    await fc.assert(fc.asyncProperty(scene, run), { numRuns: 150 });
  }, 120_000);
});
