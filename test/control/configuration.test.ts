import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { defaultConfidence } from "#domain/confidence";
import { ConfigFolder } from "../world/config-folder.ts";
import { readConfiguration } from "#control/config/configuration";
import { defaultRetention } from "#domain/retention";
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

describe("reading hedgerow.yaml", () => {
  it("takes the example of the contract, references inside braces included", () => {
    const { snapshot, server } = configured(`
server: { host: 127.0.0.1, port: 4000, workers: auto, data: ./.hedgerow }
providers:
  xai:       { kind: xai, key: \${OPENAI_API_KEY} }
  anthropic: { kind: anthropic, key: \${ANTHROPIC_API_KEY} }
  local:     { kind: openai-compatible, url: http://127.0.0.1:11434/v1, operator: ours }
routes:
  mission-critical:
    targets: [xai/grok-4.6, anthropic/claude-sonnet-5, { target: local/qwen3, when: last-resort }]   # in this order
    timeouts: { connect: 5s, firstToken: 10s, idle: 30s, total: 60s }
    retries: { attempts: 3 }
    spread: operator
    confidence: { min: 0.85, estimator: auto, exhausted: review }
  default: { targets: [anthropic/claude-sonnet-5, xai/gpt-5.4] }
`);
    expect(server).toEqual({
      host: "127.0.0.1",
      port: 4000,
      workers: "auto",
      data: "./.hedgerow",
      retention: defaultRetention,
    });
    expect(snapshot.routes.get("mission-critical")).toEqual({
      name: "mission-critical",
      targets: [
        { provider: "xai", model: "grok-4.6", lastResort: false },
        { provider: "anthropic", model: "claude-sonnet-5", lastResort: false },
        { provider: "local", model: "qwen3", lastResort: true },
      ],
      timeouts: { connectMs: 5000, firstTokenMs: 10_000, idleMs: 30_000, totalMs: 60_000 },
      maxAttempts: 3,
      retryEmpty: true,
      spread: "operator",
      confidence: { ...defaultConfidence, min: 0.85, estimator: "auto", exhausted: "review" },
    });
    expect(snapshot.providers.get("local")).toMatchObject({
      origin: "http://127.0.0.1:11434",
      basePath: "/v1",
      operator: "ours",
      credentials: [],
    });
    expect(snapshot.providers.get("xai")?.credentials[0]?.secret.reveal()).toBe("canary-openai-0123456789");
    expect(snapshot.defaultRoute).toBe("default");
  });

  it("reads what targets must keep, what is accepted against them by name, and how calls are shared", () => {
    const { snapshot } = configured(`
providers:
  openai: { kind: openai, key: \${OPENAI_API_KEY}, jurisdiction: EU, dataClasses: [public], safetyTier: 3 }
  local:
    kind: openai-compatible
    url: http://127.0.0.1:11434/v1
    models: { qwen3: { safetyTier: 1 } }
routes:
  default:
    targets:
      - { target: openai/gpt-5.4, weight: 3 }
      - { target: openai/gpt-5.4-mini, weight: 1, despite: critical }
      - { target: local/qwen3, despite: [safety, critical] }
    spread: none
    constraints:
      { regions: [eu-*], jurisdictions: [EU, CH], dataClass: public, maxPrice: { input: 3usd, output: 15 }, maxLatency: 2s }
`);
    expect(snapshot.routes.get("default")).toMatchObject({
      targets: [
        { provider: "openai", model: "gpt-5.4", lastResort: false, weight: 3 },
        { provider: "openai", model: "gpt-5.4-mini", lastResort: false, weight: 1, despite: ["critical"] },
        { provider: "local", model: "qwen3", lastResort: false, despite: ["safety", "critical"] },
      ],
      spread: "none",
      constraints: {
        regions: ["eu-*"],
        jurisdictions: ["EU", "CH"],
        dataClass: "public",
        maxPrice: { input: 3e9, output: 15e9 },
        maxLatencyMs: 2000,
      },
    });
    const openai = { jurisdiction: "EU", dataClasses: ["public"], safetyTier: 3 };
    expect(snapshot.providers.get("openai")).toMatchObject(openai);
    expect(snapshot.providers.get("local")?.models.get("qwen3")?.safetyTier).toBe(1);
  });

  it("carries limits and budgets to whom they are set on", () => {
    const { snapshot } = configured(`
providers:
  openai:
    kind: openai
    key: \${OPENAI_API_KEY}
    limits: { rpm: 60 }
    models: { gpt-5.4: { budget: 3usd/hour } }
routes:
  default: { targets: [openai/gpt-5.4], limits: { concurrency: 9 }, budget: [5usd/day, { limit: 9usd, period: month, soft: true, alertAt: [50%] }] }
users: { limits: { tpm: 1000 } }
keys:
  alice: { sha256: ${"ab".repeat(32)}, budget: 1.5usd/week }
`);
    const hard = (limitNanoUsd: number, period: string) => ({ limitNanoUsd, period, alertsAt: [0.8, 1] });
    expect(Object.fromEntries(snapshot.allowances ?? [])).toEqual({
      "provider:openai": { rpm: 60 },
      "model:openai/gpt-5.4": { budgets: [hard(3e9, "hour")] },
      "route:default": {
        concurrency: 9,
        budgets: [hard(5e9, "day"), { limitNanoUsd: 9e9, period: "month", soft: true, alertsAt: [0.5] }],
      },
    });
    expect(snapshot.eachUser).toEqual({ tpm: 1000 });
    expect(snapshot.keys[0]?.allowance).toEqual({ budgets: [hard(1.5e9, "week")] });
  });

  it("compiles a whole gate, and says what of it nobody can do", () => {
    const gate = (written: string) => `
providers:
  openai: { kind: openai, key: \${OPENAI_API_KEY} }
routes:
  default:
    targets: [openai/gpt-5.4]
    confidence: ${written}
`;
    const { snapshot } = configured(
      gate(
        "{ mode: pool, shadow: 2%, maxCost: 0.05usd, second: openai/gpt-5.4-mini, irreversibleTools: [pay, delete_*], verifier: { url: 'https://v.example/check', key: ${OPENAI_API_KEY} }, review: { deadline: 2h, onTimeout: best } }",
      ),
    );
    expect(snapshot.routes.get("default")?.confidence).toMatchObject({
      min: 0.85,
      mode: "pool",
      shadow: 0.02,
      maxCostNanoUsd: 50_000_000,
      second: "openai/gpt-5.4-mini",
      irreversibleTools: ["pay", "delete_*"],
      verifier: { url: "https://v.example/check", timeoutMs: 5000 },
      review: { deadlineMs: 7_200_000, onTimeout: "best" },
    });
    const classified = "{ decision: { url: 'https://c.example/predict', key: ${OPENAI_API_KEY}, right: acceptable } }";
    const { decision } = configured(gate(classified)).snapshot.routes.get("default")?.confidence ?? {};
    expect(decision).toMatchObject({ url: "https://c.example/predict", right: "acceptable", timeoutMs: 5000 });
    expect(decision?.key?.reveal()).toBeTruthy();
    expect(JSON.stringify(decision)).not.toContain(decision?.key?.reveal() ?? "");
    expect(problems(gate("{ decision: { url: 'http://c.example/classify' } }"))).toEqual([
      expect.stringContaining("confidence.decision.right"),
    ]);
    expect(problems(gate("{ estimator: decision, decision: { url: 'ftp://c', right: 1 } }"))).toEqual([
      expect.stringContaining("confidence.decision.url"),
    ]);
    expect(problems(gate("{ estimator: decision }"))).toEqual([
      "hedgerow.yaml:7:19 routes.default.confidence.estimator: decision needs somebody to ask; add `decision`, or write auto",
    ]);
    expect(problems(gate("{ estimator: judge }"))).toEqual([
      "hedgerow.yaml:7:19 routes.default.confidence.estimator: judge needs somebody to ask; add `judge`, or write auto",
    ]);
    expect(problems(gate("{ second: opnai/x, verifier: { url: 'ftp://v' } }"))).toEqual([
      'hedgerow.yaml:7:19 routes.default.confidence.second: no provider "opnai"; did you mean "openai"?',
      expect.stringContaining("confidence.verifier.url"),
    ]);
  });

  it("gives every problem of a document at once, each with its line and a fix", () => {
    const yaml = [
      "server: { host: 0.0.0.0, prot: 4000, limits: { maxBody: 4 } }",
      "providers:",
      "  openai: { kind: openai, key: ${OPENAI_KEY} }",
      "  broken: { kind: anthropic, keey: x, timeouts: { idle: 10 sec } }",
      "routes:",
      "  default:",
      "    targets:",
      "      - opnai/gpt-5.4",
      "      - { taget: openai/gpt-5.4, when: lastresort }",
    ].join("\n");
    expect(problems(yaml)).toEqual([
      'hedgerow.yaml:1:26 server.prot: unknown key "prot"; did you mean "port"?',
      "hedgerow.yaml:1:48 server.limits.maxBody: expected a size with its unit, such as 4MiB, not 4",
      "hedgerow.yaml:3:27 providers.openai.key: the environment variable OPENAI_KEY is not set; set it (export OPENAI_KEY=…) or name a file that holds it: file:PATH",
      'hedgerow.yaml:4:30 providers.broken.keey: unknown key "keey"; did you mean "key"?',
      'hedgerow.yaml:4:51 providers.broken.timeouts.idle: expected a duration with its unit, such as 250ms, 10s, 5m, 1h or 2d, not "10 sec"',
      'hedgerow.yaml:9:11 routes.default.targets[1].taget: unknown key "taget"; did you mean "target"?',
      'hedgerow.yaml:9:34 routes.default.targets[1].when: expected one of last-resort, budget-spent, not "lastresort"; did you mean "last-resort"?',
    ]);
  });

  it("checks names as well where only references are missing", () => {
    const yaml = [
      "providers:",
      "  openai: { kind: opnai, key: ${OPENAI_API_KEY} }",
      "  anthropic: { kind: anthropic, key: ${MISSING} }",
      "  local: { kind: openai-compatible }",
      "routes:",
      "  default:",
      "    targets: [opnai/gpt-5.4, anthropic/claude-sonnet-5, anthropic/claude-sonnet-5]",
    ].join("\n");
    expect(problems(yaml)).toEqual([
      'hedgerow.yaml:2:13 providers.openai.kind: no kind "opnai" in this version; did you mean "openai"?',
      "hedgerow.yaml:3:33 providers.anthropic.key: the environment variable MISSING is not set; set it (export MISSING=…) or name a file that holds it: file:PATH",
      'hedgerow.yaml:4:3 providers.local: a provider of kind "openai-compatible" needs a `url`; add the API\'s base address, such as http://127.0.0.1:11434/v1',
      'hedgerow.yaml:7:15 routes.default.targets[0]: no provider "opnai"; did you mean "openai"?',
      'hedgerow.yaml:7:57 routes.default.targets[2]: "anthropic/claude-sonnet-5" already stands at targets[1]; remove one; `retries` says how often',
    ]);
  });

  it.each([
    ["providers: [", "a bracket or brace is not closed"],
    ['providers: "x', "a character is missing"],
    ["a: 1\na: 2", "hedgerow.yaml:2:1 a: this key stands here twice; remove one of them"],
    ['routes: { a: { targets: [x/y] }, "a": { targets: [x/z] } }', "hedgerow.yaml:1:34 routes.a: this key stands"],
    ["providers:\n\topenai: x", "a tab indents"],
    ["providers: *nowhere", "no anchor"],
    ["a: 1\n---\nb: 2", "several documents"],
    ["", "the configuration is empty"],
    ["# nothing", "the configuration is empty"],
    ["- a list", "expected a mapping"],
    ["routes: {}", '"providers" is required'],
    ["providers: {}", "at least one provider"],
    ["providers: { 'a/b': { kind: openai } }", "a name begins with a letter"],
    ["providers: { __proto__: { kind: openai } }", "a key must be a plain word"],
    ["providers: \uE001", "private-use"],
    ["providers: \0", "is not UTF-8 text"],
    [`a: ${"[".repeat(3000)}`, "too large or nested too deeply"],
    ["providers: !!js/function x", "this tag (!…) means nothing here"],
    ['server: { port: "4000" }', 'expected a number, not "4000"; remove the quotes'],
    ["server: { port: four }", 'expected a number, not "four"'],
    ["server: { port: 70000 }", "expected at most 65535, not 70000"],
    ["providers: { a: { kind: openai, api_key: x } }", 'unknown key "api_key"; did you mean "key"?'],
    ["providers: { a: { kind: openai, baseURL: x } }", 'unknown key "baseURL"; did you mean "url"?'],
    ["payloads: { sample: 1, maxBytes: 2MiB }", "payloads.maxBytes: expected at most 1MiB"],
    ["providers: { a: { kind: ollama } }\naliases: { x: y }", "name a route or provider/model"],
  ])("explains %j", (yaml, words) => {
    const found = problems(yaml);
    expect(found.join("\n")).toContain(words);
    expect(found[0]).toMatch(/^hedgerow\.yaml/);
  });

  it("says which file is missing and how to make one", () => {
    const found = readConfiguration({ path: "nope.yaml", cwd: folder.path, env: {}, today: "2026-11-21" });
    expect(found).toMatchObject({ problems: [{ file: "nope.yaml", message: "there is no such file" }] });
  });

  it("refuses a document that means far more than it says", () => {
    const levels = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]`);
    expect(problems(["a0: &a0 [x]", ...levels].join("\n")).join("\n")).toContain("too large");
  });

  it("resolves references: defaults, escapes, numbers, several in one value", () => {
    const yaml = `
server: { port: \${PORT:-4100}, data: "\${BASE}/$\${x}/\${SUB:-a, b}" }
${minimal}`;
    const { server } = configured(yaml, { env: { ...env, BASE: "/srv" } });
    expect(server).toMatchObject({ port: 4100, data: "/srv/${x}/a, b" });
    expect(problems(yaml, { env: { ...env, BASE: "" } })[0]).toContain("BASE is empty");
    expect(problems("server: { data: ${not a name} }").join()).toContain("is not a reference");
  });

  it("reads secrets from files beside the configuration, and says what is wrong with one", () => {
    mkdirSync(join(folder.path, "secrets"));
    writeFileSync(join(folder.path, "secrets/openai"), "canary-file\n");
    writeFileSync(join(folder.path, "secrets/empty"), "\n");
    const yaml = (file: string) => `providers: { openai: { kind: openai, key: "file:${file}" } }`;
    const spec = configured(yaml("secrets/openai")).snapshot.providers.get("openai");
    expect(spec?.credentials.map(({ id, secret }) => [id, secret.reveal()])).toEqual([["openai#1", "canary-file"]]);
    expect(problems(yaml("secrets/none"))[0]).toContain('the secret\'s file "secrets/none" does not exist');
    expect(problems(yaml("secrets/empty"))[0]).toContain("is empty");
    expect(problems(yaml("secrets"))[0]).toContain("is not a file");
  });

  it("reads file: references nowhere but in secrets", () => {
    const { server } = configured(`server: { data: "file:x" }\n${minimal}`);
    expect(server.data).toBe("file:x");
  });

  it("keeps the value of no secret in problems, warnings, notices or the printed snapshot", () => {
    const secret = "canary-openai-0123456789";
    const documents = [
      minimal,
      minimal.replace("kind: openai,", "kind: nope,"),
      `keys: { app: { key: \${OPENAI_API_KEY}, routes: [x] } }\n${minimal}`,
      `providers: { openai: { kind: openai, url: \${OPENAI_API_KEY} } }`,
      `providers: { openai: { kind: openai, keys: \${OPENAI_API_KEY} } }`,
      `providers: { openai: { kind: openai, keys: [\${OPENAI_API_KEY}, \${OPENAI_API_KEY}] } }`,
      `providers: { openai: { kind: openai, key: { x: ${secret} } } }`,
      `providers: { openai: { kind: openai, headers: ${secret} } }`,
      `providers: { openai: { kind: openai, key: ${secret} } }`,
      `providers: { openai: { kind: openai, key: "${secret}\\x"} }`,
      `providers: { openai: { kind: openai, key: "a" "${secret}" } }`,
      `server: { host: \${OPENAI_API_KEY} }\n${minimal}`,
      `providers: { openai: { kind: \${OPENAI_API_KEY}, key: x } }`,
      `aliases: { a: \${OPENAI_API_KEY} }\n${minimal}`,
      `routes: { default: { targets: [ "\${OPENAI_API_KEY}/x" ] } }\nproviders: { openai: { kind: openai, key: k } }`,
      `server: { port: \${OPENAI_API_KEY} }\n${minimal}`,
      `providers: { openai: { kind: openai, timeouts: { idle: \${OPENAI_API_KEY} } } }`,
    ];
    for (const yaml of documents) {
      const found = folder.read(yaml);
      const shown = `${inspect(found, { depth: 12 })}${JSON.stringify(found)}`;
      expect(shown, yaml).not.toContain(secret);
    }
  });

  it("shows no key that stands where none belongs, known by its vendor's mark", () => {
    for (const key of ["sk-proj-0123456789abcdefABCD", "xai-0123456789abcdefABCD", "AIza0123456789abcdefABCD"]) {
      const documents = [
        `providers: { openai: ${key} }`,
        `providers: { openai: { kind: ${key}, key: k } }`,
        `providers: { ${key}: { kind: nope } }`,
        `providers: { openai: { kind: openai, key: k, ${key}: 1 } }`,
        `routes: { default: { targets: [${key}] } }\n${minimal}`,
        `providers: { openai: { kind: openai, key: k, region: [${key}] } }\n`,
        `${minimal}  more: { targets: [${key}/x] }\n`,
        `${minimal}aliases: { a: ${key} }\n`,
        `server: { port: ${key} }\n${minimal}`,
      ];
      for (const yaml of documents) {
        const found = problems(yaml);
        expect(found.length, yaml).toBeGreaterThan(0);
        expect(found.join("\n"), yaml).not.toContain(key);
      }
    }
  });

  it("never throws, whatever the file holds", () => {
    const piece = fc.constantFrom(
      "providers",
      ":",
      " ",
      "\n",
      "{",
      "}",
      "[",
      "]",
      "- ",
      "${",
      "}",
      "&a",
      "*a",
      "'",
      '"',
      "|",
      "#",
      "!!map",
      "kind",
      "1",
      "~",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(["refused", "configured"]).toContain(folder.read(pieces.join("")).kind);
      }),
      { numRuns: 300 },
    );
  });
});

describe("retention", () => {
  it.each([
    ["calls: 30d", { ...defaultRetention, callsMs: 30 * 86_400_000 }],
    ["calls: 800d", { ...defaultRetention, callsMs: 800 * 86_400_000, sumsMs: 800 * 86_400_000 }],
    ["maxCalls: 20000000", { ...defaultRetention, maxCalls: 20_000_000 }],
    ["calls: 1d, sums: 32d", { ...defaultRetention, callsMs: 86_400_000, sumsMs: 32 * 86_400_000 }],
  ])("{ %s }", (written, expected) => {
    expect(configured(`${minimal}retention: { ${written} }`).server.retention).toEqual(expected);
  });

  it.each([
    ["calls: 12h", "retention.calls: it is shorter than a day"],
    ["sums: 31d, calls: 1d", "retention.sums: it is shorter than 32 days"],
    ["sums: 60d", "retention.sums: it is shorter than `retention.calls`"],
    ["maxCalls: 10", "retention.maxCalls"],
    ["keep: 1d", "retention"],
  ])("refuses { %s }", (written, complaint) => {
    expect(problems(`${minimal}retention: { ${written} }`).join("\n")).toContain(complaint);
  });
});
