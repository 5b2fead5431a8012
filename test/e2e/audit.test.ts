import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { audit } from "#cli/commands/audit";
import { startSimulator, type Simulator } from "#simulation/server";
import { runCommand } from "../world/run-command.ts";
import { eventually, kill, Place } from "./gateway-process.ts";

let place: Place;
let simulator: Simulator;
const keys = { alice: "an-inference-key-of-a-test-0001", bob: "an-inference-key-of-a-test-0002" };

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator({ script: [{ behaviour: { answer: { text: "one" } } }] });
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

function configuration(more = ""): string {
  return `
server: { port: 0, workers: 2 }
providers:
  sim:
    kind: openai-compatible
    url: "${simulator.url}/v1"
    key: sk-e2e-000000000000
    operator: ours
    models: { steady: { price: { input: 0, output: 0, request: 1usd } } }
routes:
  default: { targets: [sim/steady] }
  ${more}
keys:
  alice: { key: ${keys.alice} }
  bob: { key: ${keys.bob} }
audit: { name: example.com/hedgerow, anchor: { file: anchors.txt, every: 1s } }
`;
}

async function ask(url: string, key: string): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "default", user: "end-user-7", messages: [{ role: "user", content: "Count." }] }),
  });
  await answer.text();
  return answer.headers.get("x-request-id") ?? "";
}

const run = (...args: readonly string[]) =>
  runCommand(["audit", ...args, ...(args.includes("--proof") ? [] : ["--data", ".hedgerow"])], [audit], {
    cwd: place.folder,
    env: {},
  });

interface Line {
  readonly entry?: string;
  readonly openings?: Readonly<Record<string, readonly [string, string, unknown]>>;
}

async function exported(...args: readonly string[]): Promise<readonly Line[]> {
  const { code, out } = await run("export", ...args);
  expect(code).toBe(0);
  return out
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line) as Line);
}

const idsOf = (lines: readonly Line[]): readonly string[] =>
  lines.flatMap(({ openings }) => (openings?.["routing"] === undefined ? [] : [String(openings["id"]?.[2])]));

describe("a gateway's audit log", { timeout: 120_000 }, () => {
  it("has what happened, each thing once, over kills of everything, and proves it to somebody far away", async () => {
    place.write(configuration());
    const first = place.start();
    const url = await first.ready();
    const asked: string[] = [];
    for (let call = 0; call < 6; call += 1) asked.push(await ask(url, call % 2 === 0 ? keys.alice : keys.bob));
    place.write(configuration("other: { targets: [sim/steady] }"));
    await eventually(async () => expect(first.stderr).toContain("every worker runs on the new configuration"));
    const workers = place.workers();
    first.signal("SIGKILL");
    for (const { pid } of workers) kill(pid, "SIGKILL");
    await first.exited;
    const second = place.start();
    const again = await second.ready();
    asked.push(await ask(again, keys.alice));
    expect(await second.stop()).toBe(0);

    const verified = await run("verify", "--json");
    expect(JSON.parse(verified.out)).toMatchObject({ right: true, unsigned: 0, findings: [] });
    const all = await exported("--view", "regulator");
    expect(idsOf(all).toSorted()).toEqual(asked.toSorted());
    const kinds = all.map(({ entry }) => (JSON.parse(entry ?? "") as { readonly kind: string }).kind);
    expect(kinds.filter((kind) => kind !== "call")).toEqual(["start", "configuration", "start", "stop"]);

    const key = (await run("key")).out.trim();
    const proof = await run("prove", asked[1] ?? "", "--fields", "id,settlement", "-o", "proof.json");
    expect([proof.code, proof.err]).toEqual([0, ""]);
    const shown = await run("verify", "--proof", "proof.json", "--key", key);
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining('"costNanoUsd":1000000000') });
    expect(shown.out).not.toContain("bob");
    const text = readFileSync(join(place.folder, "proof.json"), "utf8");
    writeFileSync(join(place.folder, "proof.json"), text.replace("1000000000", "2000000000"));
    expect(await run("verify", "--proof", "proof.json", "--key", key)).toMatchObject({
      code: 1,
      out: expect.stringContaining("is not what was hashed"),
    });
  });

  it("is told to each as far as it is theirs, and puts its checkpoints where it is asked to", async () => {
    place.write(configuration());
    const gateway = place.start();
    const url = await gateway.ready();
    for (let call = 0; call < 4; call += 1) await ask(url, call % 2 === 0 ? keys.alice : keys.bob);
    await eventually(async () => expect(existsSync(join(place.folder, "anchors.txt"))).toBe(true));
    expect(await gateway.stop()).toBe(0);

    const [publicly, customer, regulator] = [
      await exported("--view", "public"),
      await exported("--view", "customer", "--customer", "alice"),
      await exported("--view", "regulator"),
    ];
    expect(customer.map(({ entry }) => entry)).toEqual(publicly.map(({ entry }) => entry));
    expect(regulator.map(({ entry }) => entry)).toEqual(publicly.map(({ entry }) => entry));
    expect([publicly, customer, regulator].map((view) => idsOf(view).length)).toEqual([0, 2, 4]);
    expect(JSON.stringify(publicly)).not.toMatch(/alice|bob|sim\/steady|end-user/u);
    expect(JSON.stringify(customer)).not.toContain("bob");

    expect(await run("verify", "--checkpoint", "anchors.txt")).toMatchObject({
      code: 0,
      out: expect.stringContaining("kept checkpoint"),
    });
    const csv = (await run("export", "--format", "csv")).out;
    expect(csv).toMatch(/^sim\/steady,sim,1,,/mu);
    expect(csv).toMatch(/^sim\/steady,ours,2,sim,/mu);
    const bom = JSON.parse((await run("export", "--format", "cyclonedx")).out) as Record<string, unknown>;
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
    expect(JSON.stringify(bom["services"])).toContain("operator:ours");

    const entries = join(place.folder, ".hedgerow/audit/entries-000000000000.jsonl");
    writeFileSync(entries, readFileSync(entries, "utf8").replace('"kind":"call"', '"kind":"stop"'));
    expect(await run("verify")).toMatchObject({ code: 1, out: expect.stringContaining("not what was signed") });
  });

  it("says what to do where there is none, and what may be written", async () => {
    expect(await run("verify")).toMatchObject({ code: 1, err: expect.stringContaining("audit: {}") });
    for (const args of [["forget"], ["prove"], ["verify", "--key", "nonsense"], ["export", "--view", "mine"]]) {
      expect((await run(...args)).code).toBeGreaterThan(0);
    }
  });
});
