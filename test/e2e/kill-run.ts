import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openStoreForReading, storeFile } from "#control/store/sqlite";
import { isSameProcess } from "#planes/process-identity";
import { startSimulator, type Simulator } from "#simulation/server";
import { Chance } from "../simulation-world/chance.ts";
import { kill, Place, type GatewayProcess } from "./gateway-process.ts";

const victims = ["worker", "both workers", "supervisor", "everything", "supervisor, then an orphan"] as const;

export interface KillRun {
  readonly seed: number;
  readonly killed: (typeof victims)[number];
  readonly calls: number;
  /** Whose end the client saw. */
  readonly ended: number;
  readonly atProvider: number;
  /** Recorded as lost. */
  readonly lost: number;
  /** Empty where nothing is lost, doubled or priced wrongly. */
  readonly problems: readonly string[];
}

/** How a call looked to its caller. */
interface Seen {
  readonly name: string;
  readonly end: "answered" | "told" | "cut";
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly decision: string;
  readonly isEstimate: boolean;
  readonly cost: number | undefined;
  readonly attempts: number;
}

const key = "an-inference-key-of-a-test-0001";
const maxTokens = 64;
/** Nano-dollars a token. */
const [inputNano, outputNano] = [2_000, 8_000];

/** What the provider says that the call of this number used: every one something else. */
function usageOf(number: number): { readonly input: number; readonly output: number } {
  return { input: 5 + (number % 29), output: 1 + (number % 53) };
}

function costOf(name: string): number {
  const { input, output } = usageOf(numberOf(name));
  return input * inputNano + output * outputNano;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

function numberOf(text: string): number {
  return Number(/call-(\d+)/.exec(text)?.[1] ?? Number.NaN);
}

/** A gateway under load; something of it is killed; then what the ledger has is held against clients and provider. */
export async function killRun(seed: number): Promise<KillRun> {
  const chance = new Chance(seed);
  const place = new Place();
  const simulator = await startSimulator({
    script: ({ promptText }) => ({
      answer: { text: "one two three", usage: usageOf(numberOf(promptText)) },
      firstContentDelayMs: numberOf(promptText) % 40,
      interChunkDelayMs: numberOf(promptText) % 7,
    }),
  });
  try {
    return await run(seed, { chance, place, simulator });
  } finally {
    await place.clear();
    await simulator.close();
  }
}

interface Scene {
  readonly chance: Chance;
  readonly place: Place;
  readonly simulator: Simulator;
}

async function run(seed: number, { chance, place, simulator }: Scene): Promise<KillRun> {
  const killed = victims[seed % victims.length] ?? "worker";
  place.write(configuration(simulator));
  const first = place.start();
  const url = await first.ready();
  const traffic = load(url);
  let last = first;
  let seen: readonly Seen[];
  try {
    await traffic.answers(chance.whole(20, 90));
    await pause(chance.between(0, 60));
    last = await strike(killed, { place, first, port: new URL(url).port, chance });
    await traffic.answers(40);
  } finally {
    seen = await traffic.stop();
  }
  const code = await last.stop();
  const rows = ledger(place);
  const asked = simulator.log.entries.map(({ body }) => `call-${numberOf(body.toString())}`);
  return {
    seed,
    killed,
    calls: seen.length,
    ended: seen.filter(({ end }) => end === "answered").length,
    atProvider: asked.length,
    lost: rows.filter(({ isEstimate, decision }) => isEstimate && decision === "broken").length,
    problems: [
      ...(code === 0 ? [] : [`the gateway stopped with ${code}`]),
      ...problemsOf({ seen, rows, asked }),
      ...openFiles(place).map((file) => `${file} was left behind`),
    ],
  };
}

interface Striking {
  readonly place: Place;
  readonly first: GatewayProcess;
  readonly port: string;
  readonly chance: Chance;
}

/** Whoever supervises afterwards. */
async function strike(killed: KillRun["killed"], { place, first, port, chance }: Striking): Promise<GatewayProcess> {
  const workers = place.workers();
  const killWorkers = (count: number): void => {
    // Not whoever was given its number since.
    for (const { pid, identity } of workers.slice(0, count)) if (isSameProcess(pid, identity)) kill(pid, "SIGKILL");
  };
  if (killed === "worker" || killed === "both workers") {
    killWorkers(killed === "worker" ? 1 : 2);
    await first.logged("a worker ended and is started again");
    return first;
  }
  first.signal("SIGKILL");
  await first.exited;
  if (killed === "everything") killWorkers(2);
  else await pause(chance.between(0, 300));
  const second = place.start(["--port", port]);
  if (killed === "supervisor, then an orphan") {
    // It serves, drains or has ended by then: all of them moments.
    await pause(chance.between(0, 1_500));
    killWorkers(1);
  }
  await second.ready();
  return second;
}

function configuration(simulator: Simulator): string {
  return `
server: { port: 0, workers: 2, limits: { drain: 10s } }
providers:
  sim:
    kind: openai-compatible
    url: "${simulator.url}/v1"
    key: sk-e2e-000000000000
    models: { steady: { price: { input: ${inputNano / 1000}usd, output: ${outputNano / 1000}usd } } }
routes:
  default: { targets: [sim/steady] }
keys:
  alice: { key: ${key}, budget: 100usd/day, limits: { concurrency: 40 } }
`;
}

/** Callers that ask again and again, streamed and not, each call by another name. */
function load(url: string, callers = 10) {
  const seen: Seen[] = [];
  const stopping = new AbortController();
  const watchers = new Set<() => void>();
  let calls = 0;
  let answered = 0;
  const running = Array.from({ length: callers }, async () => {
    while (!stopping.signal.aborted) {
      const number = (calls += 1);
      const call = await ask(url, `call-${number}`, number % 2 === 0);
      seen.push(call);
      if (call.end === "answered") answered += 1;
      // Nobody listens for a moment, or has leave to spend: no reason to ask a thousand times.
      else await pause(20);
      for (const look of watchers) look();
    }
  });
  return {
    seen,
    /** Until so many more were answered. */
    answers(more: number): Promise<void> {
      const count = answered + more;
      return new Promise((resolve) => {
        const look = (): void => {
          if (answered < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      });
    },
    async stop(): Promise<readonly Seen[]> {
      stopping.abort();
      await Promise.all(running);
      return seen;
    },
  };
}

async function ask(url: string, name: string, isStream: boolean): Promise<Seen> {
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: JSON.stringify({
        model: "default",
        ...(isStream ? { stream: true } : {}),
        max_tokens: maxTokens,
        hedgerow: { tags: [name] },
        messages: [{ role: "user", content: `${name}: count to three.` }],
      }),
    });
    const text = await answer.text();
    const isWhole = isStream ? text.includes("data: [DONE]") : "choices" in (JSON.parse(text) as object);
    return { name, end: answer.status === 200 && isWhole ? "answered" : "told" };
  } catch {
    return { name, end: "cut" };
  }
}

function ledger(place: Place): readonly Row[] {
  const opened = openStoreForReading(join(place.folder, ".hedgerow", storeFile));
  if (opened.kind === "refused") throw new Error(opened.message);
  const rows = opened.store.all(
    `SELECT id, tags, decision, usage_estimated, cost_nano_usd,
       (SELECT count(*) FROM attempts WHERE call_id = calls.id) AS attempts FROM calls`,
  );
  opened.store.close();
  return rows.map((row) => ({
    id: String(row["id"]),
    name: String(JSON.parse(String(row["tags"] ?? "[]"))),
    decision: String(row["decision"]),
    isEstimate: row["usage_estimated"] === 1,
    cost: row["cost_nano_usd"] === null ? undefined : Number(row["cost_nano_usd"]),
    attempts: Number(row["attempts"]),
  }));
}

function openFiles(place: Place): readonly string[] {
  const files = readdirSync(join(place.folder, ".hedgerow", "journal"));
  return files.filter((file) => !file.endsWith(".jsonl"));
}

function problemsOf(found: {
  readonly seen: readonly Seen[];
  readonly rows: readonly Row[];
  readonly asked: readonly string[];
}): readonly string[] {
  const problems: string[] = [];
  const byName = Map.groupBy(found.rows, ({ name }) => name);
  for (const { name, end } of found.seen) {
    const rows = byName.get(name) ?? [];
    const [row] = rows;
    if (rows.length > 1) problems.push(`${name} has ${rows.length} records`);
    if (end !== "answered") continue;
    if (row?.decision !== "answered") problems.push(`${name} was answered and is recorded as ${row?.decision}`);
    else if (row.cost !== costOf(name)) problems.push(`${name} cost ${costOf(name)} and is recorded with ${row.cost}`);
  }
  for (const [name, times] of Map.groupBy(found.asked, (each) => each)) {
    const [row] = byName.get(name) ?? [];
    if (row === undefined) problems.push(`${name} reached the provider and has no record`);
    else if (row.attempts < times.length) {
      problems.push(`${name} reached the provider ${times.length} times and has ${row.attempts} attempts`);
    } else if (row.isEstimate && row.decision === "broken" && (row.cost ?? 0) < costOf(name)) {
      problems.push(`${name} was lost, may have cost ${costOf(name)} and is recorded with ${row.cost}`);
    } else if (!row.isEstimate && row.attempts > 0 && row.decision === "answered" && row.cost !== costOf(name)) {
      problems.push(`${name} is recorded with ${row.cost} and not ${costOf(name)}`);
    }
  }
  return problems;
}
