import { findModel } from "#catalogue/catalogue";
import { openCatalogue } from "#catalogue/open-catalogue";
import type { Timeouts } from "#domain/plan";
import type { Memory } from "#domain/ports";
import type { CallRecord } from "#domain/record";
import type { ProviderSpec } from "#domain/snapshot";
import { processMemory } from "#pipeline/process-memory";
import { findKind } from "#providers/kinds";
import type { Behaviour } from "#simulation/behaviour";
import type { ReceivedRequest } from "#simulation/received-request";
import type { LoggedRequest } from "#simulation/request-log";
import { startSimulator, type Simulator } from "#simulation/server";
import { sampleProvider, sampleRoute, sampleSnapshot } from "../world/sample-snapshot.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import type { MatrixClient, Reply } from "./clients/matrix-client.ts";
import type { Json } from "./intent.ts";
import type { AskedModel, MatrixUpstream } from "./upstreams.ts";

/** The seals of every run are the same, so that golden files may hold them. */
const issuer = "the matrix's own issuer";

/** Who is behind the gateway. */
export interface Place {
  readonly upstream: MatrixUpstream;
  readonly model: AskedModel;
  readonly timeouts?: Partial<Timeouts>;
}

/** One provider behind the gateway, for the turns of one cell. */
export interface Lane {
  /** What the provider was asked, in order; `json` and the neutral reading of those it did not refuse. */
  readonly asked: readonly LoggedRequest[];
  readonly understood: readonly ReceivedRequest[];
  ask(client: MatrixClient, body: Json, streamed: boolean): Promise<{ reply: Reply; record: CallRecord | undefined }>;
}

/**
 * One gateway for the whole matrix. Each cell gets a provider of its own, so that ids count from one, and a gateway that
 * remembers nothing of other cells, so that what a cell shows does not hang on which others ran.
 */
export class MatrixHouse {
  #lanes = 0;
  readonly #gateway: TestGateway;
  readonly #forget: () => void;

  private constructor(gateway: TestGateway, forget: () => void) {
    this.#gateway = gateway;
    this.#forget = forget;
  }

  static async open(): Promise<MatrixHouse> {
    let memory = processMemory(Date.now);
    const current: Memory = {
      get: (place) => memory.get(place),
      put: (place, value, ttlMs) => memory.put(place, value, ttlMs),
      change: (place, change) => memory.change(place, change),
      delete: (place) => memory.delete(place),
    };
    const gateway = await startGateway([], [], { memory: current });
    return new MatrixHouse(gateway, () => {
      memory = processMemory(Date.now);
    });
  }

  close(): PromiseLike<void> {
    return this.#gateway[Symbol.asyncDispose]();
  }

  /** Runs one cell; `behave` says how the provider takes the request of this number, from 0. */
  async with<T>(place: Place, behave: (index: number) => Behaviour, run: (lane: Lane) => Promise<T>): Promise<T> {
    const understood: ReceivedRequest[] = [];
    const simulator = await startSimulator({
      issuer,
      habits: place.model.habits ?? {},
      script: (request) => behave(understood.push(request) - 1),
    });
    try {
      this.#forget();
      this.#gateway.plane.applySnapshot(snapshotFor(place, simulator, this.#lanes++));
      return await run({
        asked: simulator.log.entries,
        understood,
        ask: async (client, body, streamed) => {
          const before = this.#gateway.records.length;
          const reply = await post(this.#gateway.url + client.path(streamed), client, body);
          return { reply, record: this.#gateway.records[before] };
        },
      });
    } finally {
      await simulator.close();
    }
  }
}

const catalogue = openCatalogue();

/**
 * `lane` is in the provider's name: what one did badly is not held against the next. It is asked once, whatever it says:
 * trying again is not what is tested here.
 */
function snapshotFor(
  { upstream, model, timeouts = {} }: Place,
  simulator: Simulator,
  lane: number,
): ReturnType<typeof sampleSnapshot> {
  const kind = findKind(model.kind);
  if (kind === undefined) throw new Error(`no provider kind ${model.kind}`);
  const traits = findModel(catalogue, model.shelf, model.model);
  const spec: Partial<ProviderSpec> = {
    kind: kind.id,
    vendor: model.vendor,
    dialect: upstream.dialect,
    dialects: [upstream.dialect],
    quirks: kind.quirks,
    origin: simulator.url,
    basePath: upstream.basePath,
    ...upstream.settings,
    models: new Map(traits === undefined ? [] : [[model.model, traits]]),
  };
  const provider = `up${lane}`;
  return sampleSnapshot(
    [sampleProvider(provider, spec)],
    [sampleRoute("main", [`${provider}/${model.model}`], { timeouts, maxAttempts: 1 })],
  );
}

async function post(url: string, client: MatrixClient, body: Json): Promise<Reply> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...client.headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
}
