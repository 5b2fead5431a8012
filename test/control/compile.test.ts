import { afterAll, describe, expect, it } from "vitest";
import { ConfigFolder } from "../world/config-folder.ts";
import type { ReadOptions } from "#control/config/configuration";

const env = { OPENAI_API_KEY: "canary-openai-0123456789", ANTHROPIC_API_KEY: "canary-anthropic-0123456789" };
const folder = new ConfigFolder(env);
afterAll(() => folder.remove());
const problems = (yaml: string, more: Partial<ReadOptions> = {}) => folder.problems(yaml, more);
const configured = (yaml: string, more: Partial<ReadOptions> = {}) => folder.configured(yaml, more);

const minimal = `
providers:
  openai: { kind: openai, key: \${OPENAI_API_KEY} }
  anthropic: { kind: anthropic, key: \${ANTHROPIC_API_KEY} }
routes:
  default: { targets: [openai/gpt-5.4, anthropic/claude-sonnet-5] }
`;

describe("listening", () => {
  it("refuses an address others can reach while there are no keys, from the file and from the command line", () => {
    const message = 'server.host: "0.0.0.0" can be reached from other machines, and no `keys` are configured';
    expect(problems(`server: { host: 0.0.0.0 }\n${minimal}`)[0]).toContain(message);
    expect(problems(minimal, { overrides: { host: "0.0.0.0" } })[0]).toContain(message);
    const keys = "keys: { app: { key: 0123456789abcdef01234567 } }\n";
    expect(configured(keys + minimal, { overrides: { host: "0.0.0.0" } }).server.host).toBe("0.0.0.0");
  });
});

describe("gateway keys", () => {
  it("are kept as hashes only", () => {
    const { snapshot } = configured(`keys: { app: { key: 0123456789abcdef01234567, routes: [default] } }\n${minimal}`);
    expect(snapshot.keys).toEqual([
      {
        name: "app",
        // printf %s 0123456789abcdef01234567 | sha256sum
        sha256: "8865fea8edb697169ac2b4f5e6339e16439381033640eeb4f55edbad9bdc2d3d",
        routes: ["default"],
      },
    ]);
  });

  it("are an administrator's only where that is written", () => {
    const key = (more: string) => `keys: { app: { key: 0123456789abcdef01234567${more} } }\n${minimal}`;
    expect(configured(key(", admin: true")).snapshot.keys[0]).toMatchObject({ role: "admin" });
    expect(configured(key(", admin: false")).snapshot.keys[0]).not.toHaveProperty("role");
    expect(configured(key("")).snapshot.keys[0]).not.toHaveProperty("role");
  });

  it.each([
    ["{ key: short }", "at least 24 characters, this one has 5"],
    ["{}", "exactly one of `key` and `sha256`"],
    [`{ sha256: abc }`, "expected 64 hex digits"],
    ["{ key: 0123456789abcdef01234567, routes: [defualt] }", 'no route "defualt"; did you mean "default"?'],
  ])("refuses %s", (entry, words) =>
    expect(problems(`keys: { app: ${entry} }\n${minimal}`).join("\n")).toContain(words),
  );

  it("refuses one key under two names", () => {
    const entry = "{ key: 0123456789abcdef01234567 }";
    expect(problems(`keys: { a: ${entry}, b: ${entry} }\n${minimal}`).join("\n")).toContain('the same key as "a"');
  });
});

describe("limits of an account and targets for a spent budget", () => {
  const keyed = (limits: string) => `keys: { a: { key: "${"k".repeat(30)}", limits: ${limits} } }\n${minimal}`;
  const routed = (targets: string) =>
    `providers: { openai: { kind: openai, key: k } }\nroutes: { r: { targets: [${targets}] } }`;

  it("say how long calls may wait for a place, and how many", () => {
    const { snapshot } = configured(keyed("{ concurrency: 2, queue: { wait: 2s } }"));
    expect(snapshot.keys[0]?.allowance).toEqual({ concurrency: 2, queue: { waitMs: 2000, most: 100 } });
    expect(problems(keyed("{ rpm: 2, queue: { wait: 2s } }")).join("\n")).toContain("not limited here");
  });

  it("are no targets of a plan otherwise, and stand last", () => {
    const spent = "{ target: openai/gpt-5.4-mini, when: budget-spent }";
    const route = configured(routed(`openai/gpt-5.4, ${spent}`)).snapshot.routes.get("r");
    expect(route?.targets.map(({ model }) => model)).toEqual(["gpt-5.4"]);
    expect(route?.whenSpent).toMatchObject([{ model: "gpt-5.4-mini", whenSpent: true }]);
    for (const targets of [`${spent}, openai/gpt-5.4`, spent]) {
      expect(problems(routed(targets)).join("\n")).toContain("write it last");
    }
  });
});

describe("aliases", () => {
  const aliased = (aliases: string) => `aliases: ${aliases}\n${minimal}`;

  it("are followed to their end", () => {
    const { snapshot } = configured(aliased("{ fast: quick, quick: default, claude: anthropic/claude-sonnet-5 }"));
    expect([...snapshot.aliases]).toEqual([
      ["fast", "default"],
      ["quick", "default"],
      ["claude", "anthropic/claude-sonnet-5"],
    ]);
  });

  it.each([
    ["{ a: b, b: a }", "leads back to itself: a → b → a"],
    ["{ a: a }", "leads back to itself: a → a"],
    ["{ default: openai/gpt-5.4 }", "already the name of a route"],
    ["{ openai/x: default }", "already names a model at a provider"],
    ["{ a: defalt }", 'neither a route nor a target; did you mean "default"?'],
    ["{ a: nobody/gpt }", "neither a route nor a target"],
  ])("refuse %s", (aliases, words) => expect(problems(aliased(aliases)).join("\n")).toContain(words));

  it("are told of a circle once", () => {
    expect(problems(aliased("{ a: b, b: c, c: a, d: a }"))).toHaveLength(1);
  });
});

describe("providers", () => {
  const provider = (entry: string) => `providers: { openai: ${entry} }`;

  it("number their credentials and keep extra headers as secrets", () => {
    const yaml = provider(
      "{ kind: openai, keys: [key-1, key-2], headers: { X-Team: blue }, timeouts: { idle: 5s }, region: eu }",
    );
    expect(configured(yaml).snapshot.providers.get("openai")).toMatchObject({
      credentials: [{ id: "openai#1" }, { id: "openai#2" }],
      headers: [{ name: "x-team" }],
      timeouts: { idleMs: 5000 },
      region: "eu",
      vendor: "openai",
      origin: "https://api.openai.com",
      basePath: "/v1",
    });
  });

  it("merge what the configuration says of a model into the catalogue's row", () => {
    const yaml = provider(`{ kind: openai, key: k, models: {
      gpt-5.4: { price: { input: 1.5usd }, context: 1000 },
      house: { name: ours/house, price: { input: 1, output: 2usd, request: 0.001usd }, tools: true } } }`);
    const models = configured(yaml).snapshot.providers.get("openai")?.models;
    expect(models?.get("gpt-5.4")).toMatchObject({
      name: "openai/gpt-5.4",
      contextTokens: 1000,
      price: { input: 1_500_000_000, output: 15_000_000_000, from: { source: "configuration" } },
    });
    expect(models?.get("house")).toMatchObject({
      name: "ours/house",
      price: { input: 1_000_000_000, output: 2_000_000_000, request: 1_000_000 },
      capabilities: { tools: true },
    });
  });

  it.each([
    ["{ kind: openai }", "needs a `key`; add key: ${OPENAI_API_KEY}"],
    ["{ kind: openai, key: a, keys: [b] }", "both `key` and `keys`"],
    ["{ kind: openai, key: 'a b' }", "cannot hold spaces"],
    ["{ kind: openai, keys: [a, a] }", "given twice"],
    ["{ kind: openai, key: k, url: 'https://x.example/v1?key=1' }", "no query"],
    ["{ kind: openai, key: k, headers: { Host: x } }", 'sets "host" itself'],
    ["{ kind: openai, key: k, headers: { X-A: x, x-a: y } }", "twice, in different case"],
    ["{ kind: openai, key: k, models: { new: { price: { input: 1 } } } }", "no price to correct"],
    ["{ kind: openai, key: k, timeouts: { total: 5s } }", 'unknown key "total"'],
  ])("refuse %s", (entry, words) => expect(problems(provider(entry)).join("\n")).toContain(words));
});

describe("the version", () => {
  const version = (yaml: string, more: Partial<ReadOptions> = {}) => configured(yaml, more).snapshot.version;

  it("is twelve hex digits, the same for the same content, however it is written", () => {
    expect(version(minimal)).toMatch(/^[0-9a-f]{12}$/);
    expect(version(`# a comment\n${minimal}\n`, { today: "2026-11-22" })).toBe(version(minimal));
  });

  it("changes with a setting, with an order, and with a rotated key", () => {
    const versions = [
      version(minimal),
      version(minimal.replace("gpt-5.4", "gpt-5.4-mini")),
      version(
        minimal.replace("[openai/gpt-5.4, anthropic/claude-sonnet-5]", "[anthropic/claude-sonnet-5, openai/gpt-5.4]"),
      ),
      version(minimal, { env: { ...env, OPENAI_API_KEY: "another" } }),
      version(`server: { limits: { drain: 3s } }\n${minimal}`),
    ];
    expect(new Set(versions).size).toBe(versions.length);
  });
});

describe("limits", () => {
  it("map to the data plane's names, the unit taken from the value", () => {
    const limits =
      "{ maxBody: 1MiB, maxDepth: 50, maxHeader: 16KiB, maxEvent: 1MiB, maxAnswer: 2MiB, maxHeld: 8KiB, " +
      "maxConcurrentCalls: 7, maxLag: 2s, maxMemory: 1GiB, headersTimeout: 1s, uploadIdle: 2s, heartbeat: 3s, stalledClient: 4s, drain: 5s }";
    expect(configured(`server: { limits: ${limits} }\n${minimal}`).snapshot.limits).toEqual({
      maxBodyBytes: 1_048_576,
      maxDepth: 50,
      maxHeaderBytes: 16_384,
      maxEventBytes: 1_048_576,
      maxAnswerBytes: 2_097_152,
      maxHeldBytes: 8192,
      maxConcurrentCalls: 7,
      maxLagMs: 2000,
      maxMemoryBytes: 1_073_741_824,
      headersTimeoutMs: 1000,
      uploadIdleMs: 2000,
      heartbeatMs: 3000,
      stalledClientMs: 4000,
      drainMs: 5000,
    });
  });
});
