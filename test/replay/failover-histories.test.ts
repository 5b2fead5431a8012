import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findModel } from "#catalogue/catalogue";
import { openCatalogue } from "#catalogue/open-catalogue";
import { isSpoken } from "#dialects/registry";
import type { Memory } from "#domain/ports";
import type { ProviderSpec } from "#domain/snapshot";
import { processMemory } from "#pipeline/process-memory";
import { findKind } from "#providers/kinds";
import type { AnswerScript, Behaviour } from "#simulation/behaviour";
import { startSimulator, type Simulator } from "#simulation/server";
import { upstreams, type AskedModel, type MatrixUpstream } from "../matrix/upstreams.ts";
import { sampleProvider, sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import { clientPaths } from "./echo.ts";
import { keepers } from "./histories/index.ts";
import type { Keeper } from "./histories/keeper.ts";
import { readHistory, turnsOf, type History } from "./histories/read-history.ts";
import { objectOf, type JsonView } from "./json-view.ts";
import { languages } from "./languages/index.ts";

const catalogue = openCatalogue();
const heard = upstreams.filter(({ dialect }) => isSpoken(dialect));

function thinkerOf({ plain, thinking }: MatrixUpstream): AskedModel {
  return thinking ?? plain;
}

const firstThought = "The window shows clouds over Ulm.";
const secondThought = "Rain was said, so an umbrella it is.";

/** Strict: what another vendor sealed, or what lacks its seal where the vendor wants it, is a 400. */
async function startVendor(upstream: MatrixUpstream, behave: () => Behaviour): Promise<Simulator> {
  const { vendor, habits = {} } = thinkerOf(upstream);
  return await startSimulator({ issuer: vendor, habits, script: behave });
}

function specOf(upstream: MatrixUpstream, id: string, origin: string): ProviderSpec {
  const { kind: kindId, vendor, shelf, model } = thinkerOf(upstream);
  const traits = findModel(catalogue, shelf, model);
  const quirks = findKind(kindId)?.quirks;
  return sampleProvider(id, {
    kind: kindId,
    vendor,
    dialect: upstream.dialect,
    dialects: [upstream.dialect],
    ...(quirks === undefined ? {} : { quirks }),
    origin,
    basePath: upstream.basePath,
    region: "eu-central-1",
    models: new Map(traits === undefined ? [] : [[model, traits]]),
  });
}

const nowhere = "http://127.0.0.1:1";

interface Asked {
  readonly body: JsonView;
  readonly streamed: boolean;
}

/** Two vendors behind one gateway: `first` asks the one, `over` fails over from it to the other. */
class TwoVendors {
  readonly #gateway: TestGateway;
  readonly #first: Simulator;
  readonly #second: Simulator;

  constructor(gateway: TestGateway, first: Simulator, second: Simulator) {
    this.#gateway = gateway;
    this.#first = first;
    this.#second = second;
  }

  place(first: MatrixUpstream, second: MatrixUpstream): void {
    const target = `first/${thinkerOf(first).model}`;
    this.#gateway.plane.applySnapshot(
      sampleSnapshot(
        [
          specOf(first, "first", this.#first.url),
          specOf(first, "dead", nowhere),
          specOf(second, "second", this.#second.url),
        ],
        [
          sampleRoute("first", [target]),
          sampleRoute("over", [`dead/${thinkerOf(first).model}`, `second/${thinkerOf(second).model}`]),
        ],
      ),
    );
  }

  get first(): Simulator["log"] {
    return this.#first.log;
  }

  get second(): Simulator["log"] {
    return this.#second.log;
  }

  async ask({ dialect }: Keeper, route: string, { body, streamed }: Asked): Promise<Buffer> {
    const path = clientPaths[dialect]({ model: route, streamed, isArray: false });
    const reply = await fetch(this.#gateway.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
      body: JSON.stringify("model" in body ? { ...body, model: route } : body),
    });
    const bytes = Buffer.from(await reply.arrayBuffer());
    expect(reply.status, `${route}: ${bytes.toString()}`).toBe(200);
    return bytes;
  }
}

/** Turn by turn: the first vendor calls a tool, the second goes on from it, the first goes on from both. */
async function converse(
  house: TwoVendors,
  keeper: Keeper,
  pair: Variant & { readonly first: MatrixUpstream; readonly second: MatrixUpstream },
): Promise<void> {
  const { first, second, streamed, thinks } = pair;
  house.place(first, second);
  const language = languages[keeper.dialect];
  const { body } = keeper.ask(["weather"], streamed);
  const goOn = async (asked: JsonView, bytes: Buffer): Promise<JsonView> => {
    const said = streamed ? language.readStream(bytes) : language.readWhole(bytes);
    const outcomes = said.tools.map(({ id, name }) => ({ id, name, text: "rain" }));
    return keeper.goOn(asked, await keeper.keep(bytes, streamed), outcomes);
  };
  const secondBody = await goOn(body, await house.ask(keeper, "first", { body, streamed }));
  const thirdBody = await goOn(secondBody, await house.ask(keeper, "over", { body: secondBody, streamed }));
  const over = historyOf(second, house.second);
  expect(sealsIn(over)).toEqual([]);
  expect(over.calls).toHaveLength(1);
  expect(over.answered).toEqual([over.calls[0]?.id === "" ? "weather" : over.calls[0]?.id]);

  await house.ask(keeper, "first", { body: thirdBody, streamed });
  const back = historyOf(first, house.first);
  // Whoever made it has checked it.
  if (thinks) expect(sealsIn(back)).toHaveLength(sealing.has(first.dialect) ? 1 : 0);
  for (const log of [house.first, house.second]) {
    expect(log.entries.map(({ refused }) => refused)).not.toContain(expect.anything());
  }
}

/** What the provider of this language finds of earlier turns in its last request. */
function historyOf({ dialect }: MatrixUpstream, log: Simulator["log"]): History {
  const sent = log.last?.body.toString() ?? "{}";
  expect(sent).not.toContain("hedgerow:");
  return readHistory(dialect, turnsOf(objectOf(JSON.parse(sent))));
}

function sealsIn({ calls, thoughts }: History): readonly string[] {
  return [...calls, ...thoughts].map(({ seal }) => seal).filter((seal) => seal !== "");
}

interface Variant {
  readonly streamed: boolean;
  /** Both vendors show what they think. */
  readonly thinks: boolean;
  /** The second vendor calls a tool too, and the first gets its result. */
  readonly callsAgain: boolean;
}

const variants: readonly Variant[] = [
  { streamed: false, thinks: true, callsAgain: false },
  { streamed: true, thinks: true, callsAgain: true },
  { streamed: false, thinks: false, callsAgain: true },
];

/** Ids of real calls are unlike each other; simulated vendors all count from one. */
function looks(id: string): AnswerScript {
  return { text: "Let me look.", toolCalls: [{ id, name: "weather", arguments: { city: "Ulm" } }] };
}

function thought(thinks: boolean, words: string): AnswerScript {
  return thinks ? { reasoning: words } : {};
}

/** Languages in which vendors seal thoughts. */
const sealing: ReadonlySet<string> = new Set(["openai-responses", "anthropic-messages", "gemini", "bedrock-converse"]);

const pairs = heard.flatMap((first) =>
  heard.filter((second) => thinkerOf(second).vendor !== thinkerOf(first).vendor).map((second) => ({ first, second })),
);

describe.each(keepers)("a conversation kept by %s", (_title, keeper) => {
  let gateway: TestGateway;
  let memory: Memory = processMemory(Date.now);

  beforeAll(async () => {
    const current: Memory = {
      get: (place) => memory.get(place),
      put: (place, value, ttlMs) => memory.put(place, value, ttlMs),
      change: (place, change) => memory.change(place, change),
      delete: (place) => memory.delete(place),
    };
    gateway = await startGateway([], [], { memory: current });
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  it.each(pairs)("goes from $first.title over to $second.title and back", async ({ first: from, second: to }) => {
    for (const variant of variants) {
      memory = processMemory(Date.now);
      let asked = 0;
      const first = await startVendor(from, () => {
        asked += 1;
        return {
          answer:
            asked === 1
              ? { ...thought(variant.thinks, firstThought), ...looks("call_first1") }
              : { text: "Go by train." },
        };
      });
      const second = await startVendor(to, () => ({
        answer: {
          ...thought(variant.thinks, secondThought),
          ...(variant.callsAgain ? looks("call_second1") : { text: "Take an umbrella." }),
        },
      }));
      await converse(new TwoVendors(gateway, first, second), keeper, { first: from, second: to, ...variant });
      await first.close();
      await second.close();
    }
  });
});
