import { compileMade } from "#control/config/configuration";
import type { ConfigDocument } from "#control/config/schema";
import type { CalibrationSet } from "#domain/calibration";
import type { CallRecord } from "#domain/record";
import type { Snapshot } from "#domain/snapshot";
import { startDataPlane, type DataPlaneJournal } from "#planes/start-data-plane";
import type { Log } from "#planes/log";
import type { TokenPrice } from "#simulation/cascades/prices";
import type { StoredRow, StoredTask } from "#simulation/cascades/read-stored-answers";
import { storedProvider } from "#simulation/cascades/stored-provider";
import { startSimulator } from "#simulation/server";

/** The name of the provider that gives the stored answers. */
export const storedProviderName = "stored";

export interface ReplayGatewayOptions {
  readonly tasks: readonly StoredTask[];
  readonly prices: ReadonlyMap<string, TokenPrice>;
  readonly routes: NonNullable<ConfigDocument["routes"]>;
  readonly today: string;
  readonly pace: number;
}

/** An answer as the caller got it, and what the gateway kept of the call. */
export interface Replayed {
  readonly status: number;
  readonly text: string;
  readonly score: number | null | undefined;
  readonly record: CallRecord;
}

/** A whole gateway in this process, with real sockets on both sides, that asks a provider of stored answers. */
export interface ReplayGateway {
  /** `min`: least confidence, where it is the call's own. */
  ask(route: string, row: StoredRow, min?: number): Promise<Replayed>;
  /** Calls from now on are judged by these. */
  calibrate(calibration: CalibrationSet | undefined): void;
  close(): Promise<void>;
}

const nanoPerUsd = 1e9;
const million = 1e6;
const drainMs = 5_000;

/** Rejects where no port can be had. */
export async function startReplayGateway(options: ReplayGatewayOptions): Promise<ReplayGateway> {
  const simulator = await startSimulator({ script: storedProvider(options), lenient: true });
  const plain = compiled(options, `${simulator.url}/v1`);
  const records = new Map<string, CallRecord>();
  const plane = await startDataPlane({
    snapshot: plain,
    journal: keepingIn(records),
    listen: { host: "127.0.0.1", port: 0 },
    log: silent,
  });
  let versions = 0;
  return {
    async ask(route, row, min) {
      const own = min === undefined ? {} : { hedgerow: { min_confidence: min } };
      const answer = await fetch(`http://127.0.0.1:${plane.port}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: route, messages: messagesOf(row), temperature: 0, ...own }),
      });
      const body: unknown = await answer.json();
      const id = answer.headers.get("x-request-id") ?? "";
      const record = records.get(id);
      if (record === undefined) throw new Error(`a call without a record: ${id}`);
      records.delete(id);
      return { status: answer.status, record, ...readAnswer(body) };
    },
    calibrate(calibration) {
      versions += 1;
      plane.applySnapshot({
        ...plain,
        version: `${plain.version}-${versions}`,
        ...(calibration === undefined ? {} : { calibration }),
      });
    },
    async close() {
      await plane.drain(drainMs);
      await simulator.close();
    },
  };
}

function compiled({ prices, routes, today }: ReplayGatewayOptions, url: string): Snapshot {
  const models = Object.fromEntries(
    [...prices].map(([model, { input, output }]) => [
      model,
      { price: { input: perMillion(input), output: perMillion(output), request: 0 } },
    ]),
  );
  const made = { document: { providers: { [storedProviderName]: { kind: "sim", url, models } }, routes }, notices: [] };
  const configuration = compileMade(made, { today });
  if (configuration.kind === "configured") return configuration.snapshot;
  throw new Error(configuration.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
}

/** Nano-dollars, as a compiled document holds prices. */
function perMillion(usdPerToken: number): number {
  return Math.round(usdPerToken * million * nanoPerUsd);
}

function messagesOf({ system, prompt }: StoredRow): readonly object[] {
  const user = { role: "user", content: prompt };
  return system === undefined ? [user] : [{ role: "system", content: system }, user];
}

interface AnswerBody {
  readonly choices?: readonly { readonly message?: { readonly content?: string } }[];
  readonly confidence_score?: number | null;
}

function readAnswer(body: unknown): Pick<Replayed, "text" | "score"> {
  const { choices, confidence_score: score } = body as AnswerBody;
  return { text: choices?.[0]?.message?.content ?? "", score };
}

function keepingIn(records: Map<string, CallRecord>): DataPlaneJournal {
  const stats = { records: 0, syncs: 0, failures: 0, dropped: 0, queuedBytes: 0, segment: 0 };
  return {
    healthy: true,
    stats,
    append(record, then) {
      // Shadows belong to no call of ours.
      if (record.shadow === undefined) records.set(record.id, record);
      then();
    },
    close: (then) => then(),
  };
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
