// Every client's language over every provider's, whole and streamed, in every scenario, over real sockets.
//
// What is sent to the provider and what comes back to the client lies in `golden/`, and the tables that
// `docs/conformance.md` publishes are made of the same runs. Where a change is meant to change them:
//     HEDGEROW_REWRITE=1 npm test -- test/matrix
// writes them anew; read the difference before you commit it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dialects, upstreamDialects } from "#dialects/registry";
import { conformancePage, printedTable } from "./conformance-page.ts";
import { entryOf, type Outcomes } from "./cell-entry.ts";
import { clients } from "./clients/index.ts";
import { failureClasses } from "./failure-classes.ts";
import { GoldenFile } from "./golden.ts";
import { MatrixHouse } from "./house.ts";
import { runCell, type Cell, type CellResult } from "./run-cell.ts";
import { runFailure, type FailureResult } from "./run-failure.ts";
import { scenarios } from "./scenarios.ts";
import { Tally } from "./tally.ts";
import { hosts, upstreams } from "./upstreams.ts";
import { expectWritten } from "../world/written.ts";

let house: MatrixHouse;
beforeAll(async () => {
  house = await MatrixHouse.open();
});
afterAll(() => house.close());

const answers = new Tally<CellResult>();
const hosted = new Tally<CellResult>();
const failures = new Tally<FailureResult>();
const tallies = { answers, hosted, failures };

const lanes = clients.flatMap((client) =>
  upstreams.map((upstream) => ({ client, upstream, title: `${client.name} over ${upstream.dialect}` })),
);

async function runScenario(lane: Omit<Cell, "streamed">): Promise<Outcomes<CellResult>> {
  const run = (streamed: boolean) => runCell({ ...lane, streamed }, house);
  return { ...(lane.client.streamsOnly === true ? {} : { whole: await run(false) }), streamed: await run(true) };
}

describe.each(lanes)("$title", ({ client, upstream }) => {
  const golden = new GoldenFile(`${client.name}/${upstream.dialect}`);
  afterAll(() => golden.close(scenarios.map(({ name }) => name)));

  it.each(scenarios)("says and hears what is meant: $name", async (scenario) => {
    const outcomes = await runScenario({ client, upstream, scenario });
    answers.add({ client, upstream, name: scenario.name }, outcomes);
    golden.expect(scenario.name, entryOf(outcomes));
  });
});

describe.each(hosts)("every client over $title", (upstream) => {
  const cells = clients.flatMap((client) => scenarios.map((scenario) => ({ client, scenario })));
  it.each(cells)("says and hears what is meant: $client.name, $scenario.name", async ({ client, scenario }) => {
    hosted.add({ client, upstream, name: scenario.name }, await runScenario({ client, upstream, scenario }));
  });
});

describe.each(lanes)("$title, where the provider fails", ({ client, upstream }) => {
  const golden = new GoldenFile(`failures/${client.name}/${upstream.dialect}`);
  afterAll(() => golden.close(failureClasses.map(({ name }) => name)));

  it.each(failureClasses)("tells the caller what went wrong: $name", async (failure) => {
    const run = (streamed: boolean) => runFailure({ client, upstream, failure, streamed }, house);
    const outcomes: Outcomes<FailureResult> = {
      ...(client.streamsOnly === true ? {} : { whole: await run(false) }),
      streamed: await run(true),
    };
    failures.add({ client, upstream, name: failure.name }, outcomes);
    golden.expect(failure.name, entryOf(outcomes));
  });
});

describe("the matrix", () => {
  it("has a client of every language clients speak", () => {
    expect(new Set(clients.map(({ dialect }) => dialect))).toEqual(new Set(Object.keys(dialects)));
  });

  it("has a provider of every language providers speak", () => {
    expect(new Set(upstreams.map(({ dialect }) => dialect))).toEqual(new Set(Object.keys(upstreamDialects)));
  });

  it("is what docs/conformance.md says", () => {
    console.log(printedTable(tallies));
    // A cell that failed is in no tally: no page may be written as if it had not been there.
    const modes = clients.reduce((count, { streamsOnly }) => count + (streamsOnly === true ? 1 : 2), 0);
    expect(answers.cells).toHaveLength(modes * upstreams.length * scenarios.length);
    expect(hosted.cells).toHaveLength(modes * hosts.length * scenarios.length);
    expect(failures.cells).toHaveLength(modes * upstreams.length * failureClasses.length);
    expectWritten("docs/conformance.md", conformancePage(tallies), "test/matrix");
  });
});
