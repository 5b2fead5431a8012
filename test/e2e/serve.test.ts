import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator, type Simulator } from "#simulation/server";
import { kill, configurationFor, eventually, Place, readiness, stream } from "./gateway-process.ts";

let place: Place;
let simulator: Simulator;

beforeEach(async () => {
  place = new Place();
  simulator = await startSimulator();
});

afterEach(async () => {
  await place.clear();
  await simulator.close();
});

describe("hedgerow serve", { timeout: 180_000 }, () => {
  it("prints one line when it can answer, answers, records, and ends clean on SIGTERM", async () => {
    place.write(configurationFor(simulator));
    const gateway = place.start();
    const url = await gateway.ready();
    expect((await readiness(url)).body).toMatchObject({ state: "ready", workers: { wanted: 2, ready: 2 } });
    const seen = await stream(url);
    expect(seen.kind).toBe("complete");
    expect(await gateway.stop()).toBe(0);
    expect(gateway.stdout).toBe(`hedgerow ready on ${url}\n`);
    expect(place.calls().get(seen.id)).toBe("answered");
    expect(existsSync(join(place.folder, ".hedgerow", "supervisor.lock"))).toBe(false);
  });

  it("keeps secrets out of the log, the journal and the notes", async () => {
    place.write(configurationFor(simulator, { key: "sk-very-secret-key-1" }));
    const gateway = place.start();
    await stream(await gateway.ready());
    await gateway.stop();
    expect(simulator.log.last?.headers["authorization"]).toBe("Bearer sk-very-secret-key-1");
    const journal = join(place.folder, ".hedgerow", "journal");
    const files = [
      ...readdirSync(journal).map((file) => join(journal, file)),
      join(place.folder, ".hedgerow", "workers.json"),
    ];
    for (const text of [gateway.stderr, ...files.map((file) => readFileSync(file, "utf8"))]) {
      expect(text).not.toContain("sk-very-secret-key-1");
    }
  });

  it("tells every problem of a configuration and exits with 1", async () => {
    place.write("providers:\n  sim: { kind: nonesuch }\nroutes:\n  default: { targets: [other/model], typo: 1 }\n");
    const gateway = place.start();
    expect(await gateway.exited).toBe(1);
    expect(gateway.stdout).toBe("");
    expect(gateway.stderr).toMatch(/hedgerow\.yaml:4:.*typo/);
  });

  it("says which port is taken, and by what to get around it", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    place.write(configurationFor(simulator));
    const gateway = place.start(["--port", String(port)]);
    expect(await gateway.exited).toBe(1);
    expect(gateway.stderr).toMatch(new RegExp(`port ${port} .* in use .*--port`));
    other.close();
  });

  it("refuses a data folder that another gateway has, and leaves that one alone", async () => {
    place.write(configurationFor(simulator));
    const first = place.start();
    const url = await first.ready();
    const second = place.start();
    expect(await second.exited).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`process ${first.pid}.*--data`));
    expect((await stream(url)).kind).toBe("complete");
  });

  it("says in a line what is wrong with an address or a data folder, and ends", async () => {
    place.write(configurationFor(simulator));
    const refusals = [
      [["--host", "no-such-host.invalid"], "no-such-host.invalid is no address of this machine"],
      [["--host", "192.0.2.1"], "192.0.2.1 is no address of this machine"],
      [["--data", "hedgerow.yaml"], "cannot be used: ENOTDIR"],
      [["--data", "locked"], "cannot be used: EISDIR"],
      ...(process.platform === "linux" ? [[["--data", "/proc/hedgerow"], "cannot be used: ENOENT"] as const] : []),
    ] as const;
    mkdirSync(join(place.folder, "locked/supervisor.lock"), { recursive: true });
    for (const [args, words] of refusals) {
      // The host has no keys, so it has to be made loopback's business by them.
      place.write(`${configurationFor(simulator)}keys: { app: { key: gateway-key-of-this-test-0001 } }\n`);
      const gateway = place.start(args);
      expect(await gateway.exited).toBe(1);
      expect(gateway.stderr).toContain(words);
      expect(gateway.stderr).not.toContain("    at ");
      expect(gateway.stdout).toBe("");
    }
  });

  it.skipIf(process.platform !== "linux")("does not call itself ready where no worker can write records", async () => {
    place.write(configurationFor(simulator));
    mkdirSync(join(place.folder, ".hedgerow"));
    // A folder that is there for whoever looks, and in which nobody can create a file, the superuser included.
    symlinkSync("/proc", join(place.folder, ".hedgerow/journal"));
    const gateway = place.start();
    expect(await gateway.exited).toBe(1);
    expect(gateway.stdout).toBe("");
    expect(gateway.stderr).toMatch(/records cannot be written to .*journal: ENOENT.*--data/);
  });

  it("says so, and ends with 1, where somebody took its data folder away", async () => {
    place.write(configurationFor(simulator));
    const gateway = place.start();
    await gateway.ready();
    rmSync(join(place.folder, ".hedgerow"), { recursive: true });
    expect(await gateway.stop()).toBe(1);
    expect(gateway.stderr).toContain("the data folder could not be left in order");
    expect(gateway.stderr).not.toContain("    at ");
  });

  it("reports a wrong command line with 2", async () => {
    for (const args of [["--workers", "0"], ["--port", "70000"], ["--prot", "1"], ["surplus"]]) {
      expect(await place.start(args).exited).toBe(2);
    }
  });

  it("adds the counts of all workers up in /metrics", async () => {
    place.write(configurationFor(simulator));
    const gateway = place.start();
    const url = await gateway.ready();
    await Promise.all(Array.from({ length: 12 }, () => stream(url)));
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain("hedgerow_workers 2\n");
    expect(text).toContain('hedgerow_calls_total{route="default",decision="answered",code=""} 12\n');
  });

  it("shows what it does on simulated providers where nothing is configured", async () => {
    const gateway = place.start(["--port", "0", "--workers", "1"]);
    const url = await gateway.ready();
    await gateway.logged("For real providers");
    const lines = gateway.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
    expect(lines.length).toBeLessThanOrEqual(20);
    const tour = lines.join("\n");
    expect(tour).toContain("curl http://127.0.0.1:");
    expect(tour).toMatch(/attempt 1: sim\/flaky failed/);
    expect(tour).toMatch(/attempt 2: sim-b\/steady answered/);
    expect(tour).toMatch(/attempt 1: sim\/unsure doubted.*attempt 2: sim\/fast answered/);
    expect(tour).toMatch(/x-hedgerow-decision: escalated, x-hedgerow-confidence: 0\.[89]\d*/);
    expect(tour).toMatch(/upstream_truncated/);
    expect(tour).not.toContain("bug");
    // What a newcomer copies from the README's first example works here, too.
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const example = /curl http:\/\/127\.0\.0\.1:4000(\S+) -H '([^']+): ([^']+)' -d '([^']+)'/.exec(readme);
    const [, path = "", header = "", value = "", body = ""] = example ?? [];
    const answer = await fetch(`${url}${path}`, { method: "POST", headers: { [header]: value }, body });
    expect(answer.status).toBe(200);
    expect(await gateway.stop()).toBe(0);
  });
});

describe("a reload", { timeout: 180_000 }, () => {
  it("brings every worker to the new configuration, on a change of the file and on SIGHUP", async () => {
    place.write(configurationFor(simulator));
    const gateway = place.start();
    const url = await gateway.ready();
    const before = (await readiness(url)).body.version;
    expect((await stream(url, "more")).kind).not.toBe("complete");

    place.write(`${configurationFor(simulator)}  more: { targets: [sim/fast] }\n`);
    await gateway.logged("every worker runs on the new configuration");
    expect(gateway.stderr).toContain("route more added");
    await eventually(async () => {
      const { version, workers } = (await readiness(url)).body;
      expect(version).not.toBe(before);
      expect(workers.versions).toEqual([version]);
    });
    for (const seen of await Promise.all(Array.from({ length: 6 }, () => stream(url, "more")))) {
      expect(seen.kind).toBe("complete");
    }
    gateway.signal("SIGHUP");
    await gateway.logged("says the same");
  });

  it("changes nothing where the new configuration has a problem, and names it", async () => {
    place.write(configurationFor(simulator));
    const gateway = place.start();
    const url = await gateway.ready();
    const before = (await readiness(url)).body.version;
    place.write(`${configurationFor(simulator)}  broken: { targets: [nobody/fast] }\n`);
    await gateway.logged("the last good one stays");
    await gateway.logged(/hedgerow\.yaml:\d+:.*nobody/);
    expect((await readiness(url)).body.version).toBe(before);
    expect((await stream(url)).kind).toBe("complete");
  });

  it("names the settings that wait for a restart", async () => {
    place.write(configurationFor(simulator));
    const gateway = place.start();
    await gateway.ready();
    const changed = configurationFor(simulator)
      .replace("port: 0", "port: 1")
      .replace("drain:", "maxHeader: 16KiB, drain:");
    place.write(changed);
    await gateway.logged("these changes wait for a restart: server.port, server.limits.maxHeader");
  });

  it("lets a call in flight finish on what it began with", async () => {
    const slow = await startSimulator({
      script: [{ behaviour: { answer: { chunks: ["a", "b", "c"] }, interChunkDelayMs: 400 } }],
    });
    place.write(configurationFor(slow));
    const gateway = place.start();
    const url = await gateway.ready();
    const inFlight = stream(url);
    await slow.log.until((entries) => entries.length === 1);
    place.write(configurationFor(simulator));
    await gateway.logged("every worker runs on the new configuration");
    expect((await inFlight).kind).toBe("complete");
    await stream(url);
    expect(slow.log.entries).toHaveLength(1);
    expect(simulator.log.entries).toHaveLength(1);
    await slow.close();
  });
});

describe("where a port cannot be shared", { timeout: 180_000 }, () => {
  it("the supervisor binds it and the workers take it over", async () => {
    place.write(configurationFor(simulator));
    const gateway = place.run([fileURLToPath(new URL("handed-over-gateway.ts", import.meta.url))]);
    const url = await gateway.ready();
    const seen = await Promise.all(Array.from({ length: 8 }, () => stream(url)));
    expect(seen.map(({ kind }) => kind)).toEqual(Array.from({ length: 8 }, () => "complete"));
    const [worker] = place.workers();
    kill(worker?.pid, "SIGKILL");
    await eventually(async () => {
      expect(place.workers().map(({ pid }) => pid)).not.toContain(worker?.pid);
      expect((await readiness(url)).body.workers.ready).toBe(2);
    });
    expect((await stream(url)).kind).toBe("complete");
    expect(await gateway.stop()).toBe(0);
    expect(place.calls().size).toBe(9);
  });
});
