import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drill } from "#cli/commands/drill";
import { report } from "#cli/commands/report";
import { supply } from "#cli/commands/supply";
import { migrateSql } from "#control/store/migrate-sql";
import { openPostgres } from "#control/store/postgres";
import { ingestShared } from "#control/store/shared-ingest";
import { Secret } from "#domain/secret";
import { dayWorld } from "../reports/day-world.ts";
import { recordedDay } from "../reports/recorded-day.ts";
import { PostgresServer, postgresPrograms } from "../servers/postgres.ts";
import { attemptRecord, callRecord, sampleJudgement } from "../world/sample-record.ts";

describe.skipIf(postgresPrograms() === undefined)("reports over all nodes", { timeout: 240_000 }, () => {
  const world = dayWorld([report, drill, supply]);
  let server: PostgresServer;
  let name = "";

  beforeAll(async () => {
    server = await PostgresServer.start();
    const database = server.database();
    ({ name } = database);
    appendFileSync(join(world.folder(), "hedgerow.yaml"), `\nstore: ${database.url()}\n`);
    const store = await openPostgres({ url: new Secret(database.url()) });
    await migrateSql(store);
    const day = recordedDay();
    // Two nodes had half of the day's calls each.
    for (const half of [0, 1]) {
      const records = day.filter((_, at) => at % 2 === half);
      const piece = { file: "w1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" };
      await ingestShared(store, { node: `n${half}`, piece }, records);
    }
    await store.close();
  }, 120_000);

  afterAll(async () => server?.stop(), 60_000);

  const commands: readonly (readonly string[])[] = [
    ["report", "calls", "--since", "1d", "--limit", "5000"],
    ["report", "calls", "--since", "12h", "--route", "fast", "--provider", "xai", "--decision", "recovered"],
    ["report", "sla", "--since", "1d", "--buckets"],
    ["report", "concentration", "--since", "1d", "--weight", "cost"],
    ["report", "confidence", "--since", "1d"],
    ["report", "spend", "--since", "1d"],
    ["report", "spend", "--since", "1d", "--by", "route,hour"],
    ["drill", "--down", "operator:anthropic", "--since", "1d"],
    ["drill", "--down", "owner:aws", "--since", "6h"],
    ["supply", "hidden", "--since", "1d"],
  ];

  it.each(commands.map((args) => [args.join(" "), args] as const))(
    "tell the same of the database as of a node that had every call: %s",
    async (_text, args) => {
      const all = await world.run(...args, "--json");
      expect(all.err).toBe("");
      const own = await world.run(...args, "--json", "--data", ".hedgerow");
      expect(own.err).toBe("");
      expect(JSON.parse(all.out)).toEqual(JSON.parse(own.out));
    },
  );

  it("tell of judged answers", async () => {
    const database = server.database();
    const store = await openPostgres({ url: new Secret(database.url()) });
    await migrateSql(store);
    const judged = callRecord("c1", {
      at: "2026-11-20T12:00:00.000Z",
      attempts: [attemptRecord({ judgement: sampleJudgement() })],
    });
    const piece = { file: "w1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" };
    await ingestShared(store, { node: "n1", piece }, [judged]);
    await store.close();
    expect(server.query(database.name, "SELECT count(*) FROM attempts WHERE verdict IS NOT NULL")).toEqual(["1"]);
    const config = join(world.folder(), "judged.yaml");
    appendFileSync(
      config,
      `store: ${database.url()}\nproviders: { p: { kind: openai, key: sk-test-0123456789 } }\nroutes: { main: { targets: [p/gpt-5.4] } }\n`,
    );
    const ran = await world.run("report", "confidence", "--since", "2d", "--json", "-c", config);
    expect(JSON.parse(ran.out)).toMatchObject({ rows: [{ judged: 1 }] });
  });

  it("say that the database is of an older version, or away, and how to read one node without it", async () => {
    const ran = () => world.run("report", "calls", "--since", "1d");
    server.query(name, "UPDATE schema_version SET version = version - 1");
    expect(await ran()).toMatchObject({ code: 1, out: "", err: expect.stringContaining("run `hedgerow migrate`") });
    await server.kill();
    const away = await ran();
    expect(away).toMatchObject({ code: 1, out: "", err: expect.stringContaining("--data FOLDER") });
    expect(away.err).toContain(`/${name}: `);
    expect(away.err).not.toContain("test-only");
    expect((await world.run("report", "calls", "--since", "1d", "--data", ".hedgerow")).code).toBe(0);
  });
});
