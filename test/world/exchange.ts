import { compileMade } from "#control/config/configuration";
import type { ProviderEntry } from "#control/config/schema";
import type { CallRecord } from "#domain/record";
import { Secret } from "#domain/secret";
import type { LoggedRequest } from "#simulation/request-log";
import type { SimulatorOptions } from "#simulation/server";
import type { Behaviour } from "#simulation/behaviour";
import { ok, startUpstream, type Upstream } from "../upstream/start-upstream.ts";
import { ask, type Question, type Reply } from "./ask.ts";
import { startGateway, type TestGateway } from "./start-gateway.ts";

/** A provider as an operator writes it, its address aside; `path` is what stands behind the host. */
export type Written = Omit<ProviderEntry, "url" | "key" | "keys"> & { readonly key?: string; readonly path?: string };

export interface ExchangeOptions {
  readonly behaviour?: Behaviour;
  /** By default only the written key lets in. */
  readonly upstream?: Omit<SimulatorOptions, "script">;
}

export interface Exchange {
  readonly reply: Reply;
  /** What reached the provider last; undefined where nothing did. */
  readonly asked: LoggedRequest | undefined;
  /** Its body. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly record: CallRecord | undefined;
}

/** A gateway configured with one provider alone, under the route `main`. */
export interface Door extends AsyncDisposable {
  readonly url: string;
  readonly provider: Upstream;
  readonly gateway: TestGateway;
}

export async function openDoor(written: Written, model: string, options: ExchangeOptions = {}): Promise<Door> {
  const { key, path = "", ...entry } = written;
  const upstream = { ...(key === undefined ? {} : { keys: [key] }), ...options.upstream };
  const provider = await startUpstream(options.behaviour ?? ok("hello"), upstream);
  const credential = key === undefined ? {} : { key: new Secret(key) };
  const document = {
    providers: { up: { ...entry, ...credential, url: provider.url + path } },
    routes: { main: { targets: [`up/${model}`] } },
  };
  const read = compileMade({ document, notices: [] }, { today: "2026-11-21" });
  if (read.kind !== "configured") throw new Error(JSON.stringify(read));
  const { providers, routes } = read.snapshot;
  const gateway = await startGateway([...providers.values()], [...routes.values()]);
  const close = async (): Promise<void> => {
    await gateway[Symbol.asyncDispose]();
    await provider.close();
  };
  return { url: gateway.url, provider, gateway, [Symbol.asyncDispose]: close };
}

/** One call through such a gateway, and what the simulated provider saw of it. */
export async function exchange(written: Written, question: Question, options: ExchangeOptions = {}): Promise<Exchange> {
  await using door = await openDoor(written, question.model ?? "m", options);
  const reply = await ask(door.url, { ...question, model: "main" });
  const [record] = await door.gateway.recorded(1);
  const asked = door.provider.log.entries.at(-1);
  return { reply, asked, json: jsonOf(asked), record };
}

export function jsonOf(asked: LoggedRequest | undefined): Exchange["json"] {
  return JSON.parse(asked?.body.toString() || "{}") as Exchange["json"];
}

/** A question in the caller's language, streamed or not: the four that every provider is tried with. */
export const fourWays: readonly (readonly [Question["dialect"], boolean])[] = [
  ["openai-chat", false],
  ["openai-chat", true],
  ["anthropic-messages", false],
  ["anthropic-messages", true],
];
