import { afterEach, describe, expect, it } from "vitest";
import type { Lent, Meter, Want } from "#domain/account";
import type { BegunCall } from "#domain/begun-call";
import type { BodyRead } from "#domain/ports";
import type { CallRecord } from "#domain/record";
import { Book } from "#ledger/book";
import { Purse } from "#ledger/purse";
import { serveCall } from "#pipeline/serve-call";
import { UsualCost } from "#policy/usual-cost";
import { sampleProvider, sampleRoute, sampleTraits } from "../world/sample-snapshot.ts";
import { chunk, done, FakeExchange, finishChunk, PipelineWorld, type SentRequest } from "./pipeline-world.ts";

type Policy = "cancel" | "drain";

/** Nano-dollars a token. */
const [inputNano, outputNano] = [1_000, 4_000];
const price = {
  input: inputNano * 1e6,
  output: outputNano * 1e6,
  from: { source: "test", date: "2026-11-21" },
} as const;
const account = "route:main" as const;
const budgetNano = 1e9;
const maxTokens = 50;

const money: Meter = {
  id: "route:main usd/day",
  account,
  unit: "money",
  limit: budgetNano,
  period: "day",
  alertsAt: [],
};
const slots: Meter = { id: "route:main concurrency", account, unit: "slots", limit: 3 };
const tokens: Meter = { id: "route:main tpm", account, unit: "tokens", limit: 100_000 };

/** The request path with limits and a budget, without a socket, a disk or a second of real time. */
class BoundedWorld {
  readonly world: PipelineWorld;
  readonly book: Book;
  readonly begun: BegunCall[] = [];
  /** Where set, the lender does not answer before it resolves. */
  holdLender: Promise<void> | undefined;
  /** Where set, records wait here for the disk. */
  unwritten: (() => void)[] | undefined;

  constructor(policy: Policy) {
    const traits = { ...sampleTraits("m", 10_000), price };
    const provider = sampleProvider("a", {
      models: new Map([["m", traits]]),
      ...(policy === "drain" ? { onAbort: "drain" as const } : {}),
    });
    const budgets = [{ limitNanoUsd: budgetNano, period: "day" as const, alertsAt: [] }];
    const allowances = new Map([[account, { tpm: tokens.limit, concurrency: slots.limit, budgets }]]);
    const world = new PipelineWorld([provider], [sampleRoute("main", ["a/m"])], { allowances });
    const book = new Book({ spentBefore: () => 0, holders: () => 1 });
    this.world = world;
    this.book = book;
    const { clock } = world;
    const accounts = new Purse({
      clock,
      lender: {
        borrow: async (wants: readonly Want[]): Promise<Lent> => {
          await this.holdLender;
          return book.borrow("w1", wants, clock.wallMs());
        },
        giveBack: (returns) => book.giveBack("w1", returns, clock.wallMs()),
      },
    });
    const append = world.plane.journal.append.bind(world.plane.journal);
    Object.assign(world.plane, {
      accounts,
      usualCost: new UsualCost(),
      journal: {
        begin: (call: BegunCall) => void this.begun.push(call),
        append: (record: CallRecord, then: (error?: Error) => void) =>
          append(record, (error) => (this.unwritten === undefined ? then(error) : this.unwritten.push(then))),
      },
    });
  }

  ask(isStream: boolean, upload?: Promise<BodyRead>) {
    const body = {
      model: "main",
      max_tokens: maxTokens,
      messages: [{ role: "user", content: "Count to ten, please." }],
      ...(isStream ? { stream: true } : {}),
    };
    const exchange = new FakeExchange({ body, ...(upload === undefined ? {} : { upload }) });
    return { exchange, served: serveCall(exchange, this.world.plane) };
  }

  left(meter: Meter): number {
    return this.book.free(meter, this.world.clock.wallMs());
  }
}

const head = `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "m", choices: [{ index: 0, delta: { role: "assistant", content: "" } }] })}\n\n`;
const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const usageChunk = `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "m", choices: [], usage })}\n\n`;
const reportedNano = usage.prompt_tokens * inputNano + usage.completion_tokens * outputNano;
const wholeAnswer = {
  id: "c1",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "one two" }, finish_reason: "stop" }],
  usage,
};

interface Stage {
  readonly name: string;
  readonly streamed: boolean;
  /** What the provider has sent when the client leaves. */
  readonly before: (sent: SentRequest) => void;
  /** What it sends afterwards, where it is read to its end. */
  readonly after: (sent: SentRequest) => void;
}

const answerRest = (text: string) => (sent: SentRequest) => sent.bytes(text + finishChunk + usageChunk + done).end();

/** With a provider at work. */
const stages: readonly Stage[] = [
  { name: "connecting", streamed: true, before: () => {}, after: (sent) => answerRest(head)(sent.head()) },
  { name: "before the first byte", streamed: false, before: () => {}, after: (sent) => sent.json(wholeAnswer) },
  {
    name: "in a whole answer's body",
    streamed: false,
    before: (sent) => void sent.head(200, { "content-type": "application/json" }).bytes('{"id":'),
    after: (sent) => sent.bytes(JSON.stringify(wholeAnswer).slice(6)).end(),
  },
  { name: "after the head", streamed: true, before: (sent) => void sent.head(), after: answerRest(head) },
  {
    name: "before the first content",
    streamed: true,
    before: (sent) => void sent.head().bytes(head),
    after: answerRest(chunk("one")),
  },
  {
    name: "after the commit",
    streamed: true,
    before: (sent) => void sent.head().bytes(head + chunk("one")),
    after: answerRest(chunk(" two")),
  },
  {
    name: "between the finish and the usage",
    streamed: true,
    before: (sent) => void sent.head().bytes(head + chunk("one") + finishChunk),
    after: (sent) => sent.bytes(usageChunk + done).end(),
  },
  {
    name: "between the usage and the last chunk",
    streamed: true,
    before: (sent) => void sent.head().bytes(head + chunk("one") + finishChunk + usageChunk),
    after: (sent) => sent.bytes(done).end(),
  },
];

const open: BoundedWorld[] = [];

function openWorld(policy: Policy): BoundedWorld {
  const world = new BoundedWorld(policy);
  open.push(world);
  return world;
}

/** Nothing of the call is left anywhere but in its one record. */
async function settled(bounded: BoundedWorld): Promise<CallRecord> {
  const { world } = bounded;
  await world.advance(1_500);
  expect(world.records).toHaveLength(1);
  const [record] = world.records as [CallRecord];
  expect(world.live.count).toBe(0);
  expect(bounded.left(slots)).toBe(slots.limit);
  expect(bounded.left(money)).toBe(budgetNano - (record.costNanoUsd ?? 0));
  expect(world.bugs).toEqual([]);
  return record;
}

afterEach(async () => {
  for (const { world } of open.splice(0)) {
    await world.advance(70_000);
    expect(world.clock.pending, "timers that outlive the calls").toBe(0);
  }
});

describe.each<Policy>(["cancel", "drain"])("a client that hangs up, at a provider with onAbort: %s", (policy) => {
  it.each(stages)("$name: one record, its amount within its bounds, nothing held, nobody asked on", async (stage) => {
    const bounded = openWorld(policy);
    const { world } = bounded;
    const { exchange, served } = bounded.ask(stage.streamed);
    await world.settle();
    const sent = world.request(0);
    stage.before(sent);
    await world.settle();
    const heldNano = budgetNano - bounded.left(money);
    expect(heldNano).toBeGreaterThan(0);
    expect(bounded.begun).toMatchObject([{ attempts: [{ target: "a/m", tokens: expect.any(Number) as number }] }]);
    exchange.leave();
    await world.settle();
    expect(sent.cancelled, "the provider is told in the same turn").toBe(policy === "cancel");
    if (policy === "drain") {
      await world.advance(5_000);
      expect(world.records).toEqual([]);
      stage.after(sent);
    }
    await served;
    const record = await settled(bounded);
    expect(record).toMatchObject({ decision: "aborted", attempts: [{ failure: "client_gone" }] });
    const cost = record.costNanoUsd ?? 0;
    const isReported = policy === "drain" || stage.name.startsWith("between the usage");
    expect(record.usage?.estimated).toBe(!isReported);
    if (isReported) expect(cost).toBe(reportedNano);
    // What it was asked is paid for, at least; what may be written at most was held back.
    expect(cost).toBeGreaterThanOrEqual(10 * inputNano);
    expect(cost).toBeLessThanOrEqual(heldNano);
    expect(world.sent).toHaveLength(1);
  });

  it.each(["before its body", "in its body"])("%s: one record, and nobody was asked", async (_stage) => {
    const bounded = openWorld(policy);
    const { promise: upload, resolve } = Promise.withResolvers<BodyRead>();
    const { exchange, served } = bounded.ask(true, upload);
    await bounded.world.settle();
    exchange.leave();
    resolve({ kind: "gone" });
    await served;
    const record = await settled(bounded);
    expect(record).toMatchObject({ decision: "aborted", attempts: [] });
    expect(record.costNanoUsd ?? 0).toBe(0);
    expect(bounded.begun).toEqual([]);
  });

  it.each([1, 2])("while it waits for its limits (question %d): it takes nothing and asks nobody", async (question) => {
    const bounded = openWorld(policy);
    const { world } = bounded;
    const { promise, resolve } = Promise.withResolvers<void>();
    if (question === 1) bounded.holdLender = promise;
    // Rates and places first, then the money of the attempt.
    else {
      const first = bounded.book.borrow.bind(bounded.book);
      bounded.book.borrow = (...asked) => {
        bounded.holdLender = promise;
        return first(...asked);
      };
    }
    const { exchange, served } = bounded.ask(true);
    await world.settle();
    expect(world.sent).toEqual([]);
    exchange.leave();
    await world.advance(100);
    resolve();
    bounded.holdLender = undefined;
    await served;
    const record = await settled(bounded);
    expect(record).toMatchObject({ decision: "aborted" });
    expect(record.costNanoUsd ?? 0).toBe(0);
    expect(world.sent.filter(({ cancelled }) => !cancelled)).toEqual([]);
    expect(bounded.left(tokens)).toBe(tokens.limit);
  });

  it("while its record is written: it is answered, and recorded so", async () => {
    const bounded = openWorld(policy);
    const { world } = bounded;
    bounded.unwritten = [];
    const { exchange, served } = bounded.ask(true);
    await world.settle();
    world
      .request(0)
      .head()
      .bytes(head + chunk("one") + finishChunk + usageChunk + done)
      .end();
    await world.settle();
    exchange.leave();
    await world.settle();
    for (const written of bounded.unwritten) written();
    await served;
    expect(await settled(bounded)).toMatchObject({ decision: "answered", costNanoUsd: reportedNano });
  });

  it("and comes again at once, as often as it likes, uses up no more than its records say", async () => {
    const bounded = openWorld(policy);
    const { world } = bounded;
    for (let call = 0; call < 20; call += 1) {
      const { exchange, served } = bounded.ask(call % 2 === 0);
      await world.settle();
      const sent = world.request(call);
      exchange.leave();
      await world.settle();
      if (policy === "drain") sent.json(wholeAnswer);
      await served;
    }
    await world.advance(1_500);
    expect(world.records).toHaveLength(20);
    const spent = world.records.reduce((sum, { costNanoUsd = 0 }) => sum + costNanoUsd, 0);
    expect(bounded.left(money)).toBe(budgetNano - spent);
    expect(bounded.left(slots)).toBe(slots.limit);
    expect(world.sent.every(({ cancelled }) => cancelled === (policy === "cancel"))).toBe(true);
  });
});
