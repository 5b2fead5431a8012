import { hash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { keys } from "#cli/commands/keys";
import { readConfiguration } from "#control/config/configuration";
import { readKeyText } from "#domain/key-text";
import { startIssuing } from "../keys/issuing-gateway.ts";
import { runCommand } from "../world/run-command.ts";
import { sampleProvider, sampleRoute } from "../world/sample-snapshot.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

const configuration = `
server: { host: 0.0.0.0 }
providers: { sim: { kind: openai-compatible, url: "http://127.0.0.1:9/v1", key: sk-0000000000000000 } }
routes: { main: { targets: [sim/m] } }
teams: { web: {} }
`;

function place() {
  const cwd = mkdtempSync(join(tmpdir(), "hedgerow-cli-keys-"));
  cleanups.push(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, "hedgerow.yaml"), configuration);
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runCommand(["keys", ...args], [keys], { cwd, env });
  const configured = () => readConfiguration({ cwd, env: {}, today: "2026-01-01" }).kind;
  return { run, configured };
}

describe("hedgerow keys, in the store of the gateway that is configured here", () => {
  it("issues a key that is shown once, and with it a public gateway may start", async () => {
    const { run, configured } = place();
    expect(configured()).toBe("refused");
    const made = await run(["create", "--name", "app", "--budget", "50usd/day", "--rpm", "60", "--team", "web"]);
    expect(made).toMatchObject({ code: 0, err: expect.stringMatching(/shown this once:\n.*\/v1\n$/su) });
    expect(readKeyText(made.out.trim())).toBe("whole");
    expect(configured()).toBe("configured");
    const shown = await run(["show", "app"]);
    expect(shown.out).toMatch(/^id +key_[0-9a-f]{24}$/mu);
    expect(shown.out).toMatch(/^team +web$/mu);
    expect(shown.out).not.toContain(made.out.trim());
    expect((await run(["list"])).out).toMatch(/^app +key_\S+ +active +inference +web +hr_/mu);
    expect(await run(["revoke", "app"])).toMatchObject({ code: 0, out: expect.stringContaining("is revoked") });
    expect(configured()).toBe("refused");
    expect((await run(["list"])).out).toContain("No key was issued.");
    expect((await run(["list", "--revoked"])).out).toContain("revoked");
  });

  it("rotates, and prints JSON", async () => {
    const { run } = place();
    const made = JSON.parse((await run(["create", "--name", "app", "--expires", "30d", "--json"])).out);
    expect(made).toMatchObject({ object: "hedgerow.key", key: expect.stringMatching(/^hr_/u), status: "active" });
    expect((Date.parse(made.expires_at) - Date.parse(made.created_at)) / 86_400_000).toBeCloseTo(30, 3);
    const rotated = JSON.parse((await run(["rotate", made.id, "--overlap", "1h", "--json"])).out);
    expect(rotated.secrets).toMatchObject([{ hint: rotated.key.slice(0, 9) }, { hint: made.key.slice(0, 9) }]);
    const now = JSON.parse((await run(["rotate", "app", "--overlap", "0s", "--json"])).out);
    expect(now.secrets).toHaveLength(1);
    expect(JSON.parse((await run(["list", "--json"])).out)).toMatchObject([{ id: made.id }]);
  });

  it.each([
    [["create", "--name", "app", "--routes", "mian"], 'did you mean "main"?'],
    [["create", "--name", "app", "--expires", "soon"], "expected a date"],
    [["create", "--name", "app", "--budget", "50"], "budget"],
    [["show", "nobody"], "no such key"],
    [["rotate", "nobody"], "no such key"],
  ])("says what is wrong with %j", async (args, words) => {
    const { run } = place();
    expect(await run(args)).toMatchObject({ code: 1, out: "", err: expect.stringContaining(words) });
  });

  it.each([
    [["create"], "--name is missing"],
    [["mint"], "there are create, list"],
    [["revoke"], "id or name is missing"],
    [["list", "app"], "unexpected"],
    [["list", "--rpm", "1"], "does not go with"],
    [["create", "--name", "a", "--rpm", "many"], "whole number"],
  ])("does not understand %j", async (args, words) => {
    expect(await place().run(args)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
  });

  it("begins no store where no gateway is", async () => {
    const nowhere = mkdtempSync(join(tmpdir(), "hedgerow-nowhere-"));
    cleanups.push(() => rmSync(nowhere, { recursive: true, force: true }));
    const told = await runCommand(["keys", "list"], [keys], { cwd: nowhere });
    expect(told).toMatchObject({ code: 1, err: expect.stringContaining("no gateway keeps anything in") });
  });
});

describe("hedgerow keys, over the admin API", () => {
  const token = "0123456789abcdef01234567";

  async function far() {
    const world = await startIssuing([[sampleProvider("one")], [sampleRoute("main", ["one/m"])]], {
      adminToken: hash("sha256", token),
      guarded: true,
    });
    const { run } = place();
    const url = world.gateway.url;
    const env = { HEDGEROW_URL: url, HEDGEROW_ADMIN_TOKEN: token };
    return { world, url, run, env, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
  }

  it("issues, lists and revokes", async () => {
    await using place = await far();
    const { run, env, url } = place;
    const made = await run(["create", "--name", "app", "--routes", "main"], env);
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining(`${url}/v1`) });
    const key = made.out.trim();
    const models = () => fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect((await models()).status).toBe(200);
    expect((await run(["list"], env)).out).toContain("app");
    expect((await run(["show", "app", "--url", url, "--token", token])).out).toContain("key_");
    expect((await run(["revoke", "app"], env)).code).toBe(0);
    expect((await models()).status).toBe(401);
    expect(await run(["revoke", "app"], env)).toMatchObject({ code: 1, err: expect.stringContaining("no such key") });
  });

  it("says what to do where it may not, or nobody answers", async () => {
    await using place = await far();
    const { run, url } = place;
    expect(await run(["list", "--url", url])).toMatchObject({
      code: 1,
      err: expect.stringContaining("set HEDGEROW_ADMIN_TOKEN"),
    });
    expect(await run(["list", "--url", "http://127.0.0.1:2"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("nothing listens at http://127.0.0.1:2"),
    });
  });
});
