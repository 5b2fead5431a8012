import type { Behaviour } from "#simulation/behaviour";
import type { LoggedRequest } from "#simulation/request-log";
import type { MatrixClient, Reading, Reply } from "./clients/matrix-client.ts";

import { counted, expectedMeaning } from "./expected.ts";
import { lostFacets } from "./facets.ts";
import { outlined, steady } from "./golden.ts";
import type { Lane, MatrixHouse } from "./house.ts";
import type { Facet, Json, Scenario, ToolOutcome } from "./intent.ts";
import { lossTable, refusalIn, warningIn } from "../conformance/loss-tables.ts";
import type { Meaning } from "./meaning.ts";
import { modelFor, type MatrixUpstream } from "./upstreams.ts";

export interface Cell {
  readonly client: MatrixClient;
  readonly upstream: MatrixUpstream;
  readonly scenario: Scenario;
  readonly streamed: boolean;
}

/** One request and what came of it. */
export interface Turn {
  readonly path: string;
  readonly sent: unknown;
  readonly warnings: readonly string[];
  readonly lost: readonly Facet[];
  /** A whole answer's JSON; of a stream the kinds of its messages. */
  readonly answer: unknown;
}

/**
 * What a cell shows. `answered` may have warnings. `refused`: the gateway said no in the client's language, for a loss
 * that the provider's language has a row for.
 * `unasked`: there is no such thing to ask or to answer, and why.
 */
export type CellResult =
  | { readonly kind: "answered"; readonly turns: readonly Turn[] }
  | { readonly kind: "refused"; readonly status: number; readonly loss: string; readonly message: string }
  | { readonly kind: "unasked"; readonly why: string };

/** Runs a cell. Throws, in words, where anything is not as it must be. */
export async function runCell(cell: Cell, house: MatrixHouse): Promise<CellResult> {
  const { client, upstream, scenario } = cell;
  const said = upstream.says?.[scenario.name] ?? scenario.says;
  const why = client.cannotAsk[scenario.name] ?? (typeof said === "string" ? said : undefined);
  if (why !== undefined || typeof said === "string") return { kind: "unasked", why: why ?? "" };
  const scripts = [said, ...(scenario.goesOn === undefined ? [] : [scenario.goesOn.says])].map(counted);
  const tooMany: Behaviour = { status: 599, body: "asked more often than there are turns" };
  const behave = (index: number): Behaviour =>
    scripts[index] === undefined ? tooMany : { ...upstream.behaves, answer: scripts[index] };
  return await house.with({ upstream, model: modelFor(upstream, scenario) }, behave, async (lane) => {
    const turns: Turn[] = [];
    let body = client.ask(scenario.intent, cell.streamed);
    for (const [index, script] of scripts.entries()) {
      const outcomes = index === 0 ? [] : (scenario.goesOn?.outcomes ?? []);
      const { reply, record } = await lane.ask(client, body, cell.streamed);
      const nth = lane.asked.length;
      const refused = lane.asked.find((each) => each.refused !== undefined)?.refused;
      if (refused !== undefined) throw new Error(`turn ${index + 1}: the provider refused: ${refused}`);
      if (reply.status !== 200) return await refusal(cell, reply, index === 0 && nth === 0);
      const read = client.read(reply, cell.streamed);
      const isRelayed = client.dialect === upstream.dialect;
      const reading = isRelayed && upstream.isOdd === true ? { ...read, faults: [] } : read;
      const expected = expectedMeaning(script, client, upstream);
      checkAnswer(reading, expected, index);
      await checkWarnings(cell, record?.warnings ?? []);
      turns.push(turnOf({ cell, lane, reply, outcomes, recorded: record?.warnings ?? [] }));
      body = client.goOn(body, reading.kept, scenario.goesOn?.outcomes ?? []);
    }
    return { kind: "answered", turns };
  });
}

async function refusal({ client, upstream }: Cell, reply: Reply, isUnasked: boolean): Promise<CellResult> {
  const { faults, code, message } = client.readFailure(reply);
  const { status } = reply;
  const loss = refusalIn(await lossTable(upstream.dialect), message);
  if (!isUnasked || loss === undefined) throw new Error(`status ${status}: ${reply.body.toString()}`);
  if (faults.length > 0) throw new Error(`the refusal breaks the language: ${faults.join("; ")}`);
  if (status !== 400 || code !== "invalid_request") throw new Error(`a refusal as ${status}, ${code}: ${message}`);
  return { kind: "refused", status, loss, message };
}

async function checkWarnings({ client, upstream }: Cell, warnings: readonly string[]): Promise<void> {
  const tables = await Promise.all([lossTable(client.dialect), lossTable(upstream.dialect)]);
  for (const warning of warnings) {
    if (warningIn(tables, warning) === undefined) throw new Error(`a warning that is in no table: ${warning}`);
  }
}

function checkAnswer(reading: Reading, expected: Meaning, index: number): void {
  const { faults, meaning } = reading;
  if (faults.length > 0) throw new Error(`turn ${index + 1} breaks the language: ${faults.join("; ")}`);
  for (const facet of Object.keys(expected) as readonly (keyof Meaning)[]) {
    const [got, want] = [meaning[facet], expected[facet]].map((value) => JSON.stringify(value));
    if (got !== want) throw new Error(`turn ${index + 1}: ${facet} is ${got}, the provider said ${want}`);
  }
}

interface TurnParts {
  readonly cell: Cell;
  readonly lane: Lane;
  readonly reply: Reply;
  readonly outcomes: readonly ToolOutcome[];
  readonly recorded: readonly string[];
}

function turnOf({ cell, lane, reply, outcomes, recorded }: TurnParts): Turn {
  const last = lane.asked.at(-1);
  const received = lane.understood.at(-1);
  if (last === undefined || received === undefined) throw new Error("the provider was not asked");
  const inHead = new Set((reply.headers.get("x-hedgerow-warning") ?? "").split(/, (?=[\w-]+: )/));
  // What the answer itself loses is known only after a stream's head.
  const untold = recorded.filter((warning) => !inHead.has(ascii(warning)));
  if (!cell.streamed && untold.length > 0) throw new Error(`the caller was not told: ${untold.join("; ")}`);
  const isThoughtOver = cell.scenario.intent.reasoning === "on" && outcomes.length > 0;
  if (isThoughtOver && !cell.upstream.itsThoughts.test(last.body.toString())) throw new Error("its thoughts are gone");
  const lost = lostFacets(cell.scenario.intent, received, outcomes);
  if (lost.length > 0 && recorded.length === 0) throw new Error(`lost without a word: ${lost.join(", ")}`);
  const answer = cell.streamed ? outlined(cell.client.outline(reply.body)) : steady(reply.body);
  return { path: last.path, sent: sentBody(last), warnings: recorded, lost, answer };
}

/** As headers show it. */
function ascii(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/g, "?");
}

/** As JSON where that says every byte, else as text. */
function sentBody({ body }: LoggedRequest): unknown {
  const text = body.toString();
  const json = JSON.parse(text) as Json;
  return JSON.stringify(json) === text ? json : text;
}
