import { Agent, request } from "node:http";
import type { FirstLanguage } from "../world/first-languages.ts";
import type { Behaviour } from "#simulation/behaviour";
import type { ReceivedRequest } from "#simulation/received-request";
import { startUpstream } from "../upstream/start-upstream.ts";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";
import { startGateway, type TestGateway } from "../world/start-gateway.ts";
import { cutAnswers, cutStreams } from "./cut-streams.ts";

export type Way = "fin" | "rst" | "clean-end";
export const ways: readonly Way[] = ["fin", "rst", "clean-end"];
export const healthyText = "A healthy answer.";

/** What reached the client: `whole` says that the transport ended as it should. */
export interface Heard {
  readonly status: number;
  readonly body: string;
  readonly whole: boolean;
}

export interface CutWorld extends AsyncDisposable {
  readonly gateway: TestGateway;
  /** Routes are written `way-offset`, and ask a healthy provider next; `lone-way-offset` has nobody else to ask. */
  ask(route: string, streamed: boolean): Promise<Heard>;
}

export interface Lane {
  readonly caller: FirstLanguage;
  readonly upstream: FirstLanguage;
}

/**
 * A gateway over a provider that is cut at every offset in every way. Each offset has a provider and a route of its own,
 * because a provider that only ever fails is rightly parked, and a route's retries have a budget.
 */
export async function startCutWorld({ caller, upstream: dialect }: Lane): Promise<CutWorld> {
  const upstream = await startUpstream((received) => behaviourOf(received, dialect));
  const origin = upstream.url;
  const most = Math.max(Buffer.byteLength(cutStreams[dialect].bytes), Buffer.byteLength(cutAnswers[dialect]));
  const names = ways.flatMap((way) => Array.from({ length: most + 1 }, (_, offset) => `${way}-${offset}`));
  const gateway = await startGateway(
    [
      sampleProvider("healthy", { origin, dialect }),
      ...names.map((name) => sampleProvider(`p-${name}`, { origin, dialect })),
    ],
    names.flatMap((name) => [
      sampleRoute(name, [`p-${name}/cut-${name}`, "healthy/healthy-1"]),
      sampleRoute(`lone-${name}`, [`p-${name}/cut-${name}`], { maxAttempts: 1 }),
    ]),
  );
  const agent = new Agent({ keepAlive: true });
  return {
    gateway,
    ask: (route, streamed) => ask(`${gateway.url}${pathOf(caller)}`, agent, bodyOf(caller, route, streamed)),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await gateway[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Runs the work for all items, some at a time. */
export async function forAll<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: 12 }, lane));
}

/** Models are named `cut-way-offset`; any other is healthy. */
function behaviourOf({ model, streamed }: ReceivedRequest, dialect: FirstLanguage): Behaviour {
  const cut = /^cut-(?<how>fin|rst|clean-end)-(?<at>\d+)$/u.exec(model)?.groups;
  if (cut === undefined) return { answer: { text: healthyText } };
  return {
    status: 200,
    headers: { "content-type": streamed ? "text/event-stream" : "application/json" },
    body: streamed ? cutStreams[dialect].bytes : cutAnswers[dialect],
    ...(streamed ? { framing: "chunked" } : {}),
    cut: { atByte: Number(cut["at"]), how: cut["how"] as Way },
  };
}

function pathOf(caller: FirstLanguage): string {
  return caller === "openai-chat" ? "/v1/chat/completions" : "/v1/messages";
}

function bodyOf(caller: FirstLanguage, model: string, stream: boolean): string {
  const limit = caller === "openai-chat" ? {} : { max_tokens: 100 };
  return JSON.stringify({ model, stream, ...limit, messages: [{ role: "user", content: "hi" }] });
}

function ask(url: string, agent: Agent, body: string): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const asked = request(url, { method: "POST", agent, headers }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      // A connection that breaks off gives `error` and then `close`.
      reply.on("error", () => {});
      reply.on("close", () => {
        resolve({
          status: reply.statusCode ?? 0,
          body: Buffer.concat(chunks).toString("utf8"),
          whole: reply.complete,
        });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
