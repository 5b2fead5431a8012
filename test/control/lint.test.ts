import { afterAll, describe, expect, it } from "vitest";
import { ConfigFolder } from "../world/config-folder.ts";
import { expectGolden } from "../reports/golden-text.ts";
import { renderProblem } from "#control/config/problem";

const folder = new ConfigFolder({ A: "key-a", B: "key-b" });
afterAll(() => folder.remove());
const warnings = (yaml: string) => folder.configured(yaml).warnings.map(renderProblem);

const providers = `
providers:
  openai: { kind: openai, key: \${A} }
  second: { kind: openai, key: \${B} }
  anthropic: { kind: anthropic, key: \${B} }
`;

const route = (targets: string, more = "") => `${providers}routes:\n  default: { targets: [${targets}]${more} }\n`;

describe("lint", () => {
  it("finds nothing to say about targets that share nothing, with known models and prices", () => {
    const own = "models: { m: { context: 100000, price: { input: 1, output: 2 } } }";
    const yaml = `
providers:
  mistral: { kind: mistral, key: \${A}, ${own} }
  ours: { kind: openai-compatible, url: http://127.0.0.1:1, operator: ours, owner: ours, ${own} }
routes:
  default: { targets: [mistral/m, ours/m] }
`;
    expect(warnings(yaml)).toEqual([]);
  });

  it("says of two vendors what they share for sure, and what they may share", () => {
    const said = warnings(route("openai/gpt-5.4, anthropic/claude-sonnet-5")).join("\n");
    expect(said).toMatch(/every target \(2\) hangs on edge:cloudflare \((?:fact|report)\): they can fail together/u);
    expect(said).toContain("may share owner:microsoft (0 to 100 %, report), owner:google (0 to 100 %, report)");
  });

  it.each([
    ["a route with one target", route("openai/gpt-5.4"), "routes.default: only one target: when openai/gpt-5.4 fails"],
    ["a chain at one provider", route("openai/gpt-5.4, openai/gpt-5.4-mini"), 'operated by "openai"'],
    ["two accounts at one operator", route("openai/gpt-5.4, second/gpt-5.4"), 'every target is operated by "openai"'],
    ["a provider nobody uses", route("openai/gpt-5.4, second/gpt-5.4"), "providers.anthropic: no route or alias uses"],
    [
      "a model the catalogue does not know",
      route("openai/gpt-5.4, anthropic/claude-sonet-5"),
      'does not know anthropic/claude-sonet-5: its limits and price are unknown; did you mean "claude-sonnet-5"',
    ],
    [
      "more targets than attempts",
      route("openai/gpt-5.4, second/gpt-5.4, anthropic/claude-sonnet-5", ", retries: { attempts: 2 }"),
      "3 targets, but at most 2 attempts",
    ],
    [
      "a first token later than the end",
      route("openai/gpt-5.4, anthropic/claude-sonnet-5", ", timeouts: { firstToken: 10s, total: 5s }"),
      "one slow target uses up the whole call's time",
    ],
    [
      "a route of last resorts only",
      route("{ target: openai/gpt-5.4, when: last-resort }"),
      "every target is a last resort",
    ],
    ["no default route", `${providers}routes: { mine: { targets: [openai/gpt-5.4] } }`, "no default route"],
    [
      "a key in the file",
      "providers: { openai: { kind: openai, key: sk-plain-text } }\nroutes: { default: { targets: [openai/gpt-5.4] } }",
      "hedgerow.yaml:1:38 providers.openai.key: a secret stands in the file as plain text",
    ],
    [
      "a key that travels unencrypted",
      "providers: { far: { kind: openai, key: ${A}, url: 'http://proxy.example/v1' } }",
      "the credential travels unencrypted",
    ],
    [
      "an unknown operator",
      "providers: { one: { kind: openai-compatible, url: 'http://127.0.0.1:1' }, openai: { kind: openai, key: ${A} } }\n" +
        "routes: { default: { targets: [one/x, openai/gpt-5.4] } }",
      "nobody said who operates one",
    ],
    [
      "a model without a price",
      "providers: { one: { kind: openai-compatible, url: 'http://127.0.0.1:1', models: { x: { context: 10 } } } }\n" +
        "routes: { default: { targets: [one/x] } }",
      "the price of one/x is unknown",
    ],
    [
      "members of a longer chain that share an operator",
      route("openai/gpt-5.4, anthropic/claude-sonnet-5, second/gpt-5.4-mini"),
      "targets[2]: openai/gpt-5.4 and second/gpt-5.4-mini share storefront:openai (declared), operator:openai (fact)",
    ],
    [
      "one model everywhere",
      providers +
        "  cloud: { kind: bedrock, key: ${A}, region: eu-central-1 }\n" +
        "routes: { default: { targets: [anthropic/claude-sonnet-5, cloud/eu.anthropic.claude-sonnet-5] } }",
      "every target serves anthropic/claude-sonnet-5: when it is scarce or withdrawn, no target is left",
    ],
    [
      "a region profile",
      providers +
        "  cloud: { kind: bedrock, key: ${A}, region: eu-central-1 }\n" +
        "routes: { default: { targets: [cloud/eu.anthropic.claude-sonnet-5, openai/gpt-5.4] } }",
      'cloud/eu.anthropic.claude-sonnet-5 is served in whichever region of "eu" has room',
    ],
    [
      "a region that is several",
      providers +
        "  cloud: { kind: vertex, key: ${A}, project: p, region: global }\n" +
        "routes: { default: { targets: [cloud/gemini-3-pro, openai/gpt-5.4] } }",
      'providers.cloud.region: "global" is no single region',
    ],
    [
      "regions asked for where none is known",
      route("openai/gpt-5.4, anthropic/claude-sonnet-5", ", spread: region"),
      "the route asks for regions, and nobody said where openai/gpt-5.4 runs; set `region` of openai",
    ],
    [
      "a safety downgrade",
      providers.replace("kind: openai, key: ${A}", "kind: openai, key: ${A}, safetyTier: 5") +
        "routes: { default: { targets: [openai/gpt-5.4, anthropic/claude-sonnet-5] } }",
      "anthropic/claude-sonnet-5 is kept out of automatic failover: safety tier: nobody says",
    ],
    [
      "a target that the route's constraints rule out",
      providers.replace("kind: openai, key: ${A}", "kind: openai, key: ${A}, jurisdiction: us") +
        "routes: { default: { targets: [openai/gpt-5.4, anthropic/claude-sonnet-5], constraints: { jurisdictions: [us] } } }",
      "targets[1]: anthropic/claude-sonnet-5 is never asked in route default: its jurisdiction is not declared; declare",
    ],
    [
      "constraints that nobody keeps",
      route("openai/gpt-5.4, anthropic/claude-sonnet-5", ", constraints: { jurisdictions: [eu] }"),
      "constraints: every call of the route is refused: No target may take the call",
    ],
    [
      "a window that no backup has",
      "providers: { one: { kind: openai, key: ${A}, models: { big: { context: 9000000 } } } }\n" +
        "routes: { default: { targets: [one/big, one/gpt-5.4] } }",
      "window of 9,000,000 tokens: prompts beyond 1,050,000 tokens have no backup",
    ],
  ])("warns of %s", (_what, yaml, words) => expect(warnings(yaml).join("\n")).toContain(words));

  it("keeps the plain key itself out of the warning", () => {
    const yaml = "keys: { app: { key: plain-gateway-key-0123456789 } }\n" + route("openai/gpt-5.4");
    expect(warnings(yaml).join("\n")).toContain("keys.app.key: a secret stands in the file");
    expect(warnings(yaml).join("\n")).not.toContain("plain-gateway-key");
  });

  it("warns of a model that the catalogue calls retired, with the source and its date", () => {
    expect(warnings(route("openai/gpt-4-turbo")).join("\n")).toMatch(/openai\/gpt-4-turbo is retired \(.+, 20\d\d-/);
  });

  it("counts the days to a shutdown, and names the vendor's usual notice", () => {
    const warned = folder.configured(route("anthropic/claude-opus-4-1-20250805"), { today: "2026-07-10" }).warnings;
    expect(warned.map(renderProblem).join("\n")).toMatch(
      /claude-opus-4-1-20250805 is deprecated and will go away on 2026-\d\d-\d\d, in \d+ days, where this vendor's notices come 60 days before \(median\)/u,
    );
  });

  it("says everything once, with its line and what to do", () => {
    const yaml = `
providers:
  openai: { kind: openai, key: sk-plain-text, limits: { rpm: 5 } }
  second: { kind: openai, key: \${B} }
  anthropic: { kind: anthropic, key: \${B}, safetyTier: 3 }
  cloud: { kind: bedrock, key: \${A}, region: us }
  far: { kind: openai-compatible, key: \${A}, url: 'http://proxy.example/v1', models: { x: { context: 10, tools: false } } }
routes:
  one: { targets: [openai/gpt-4-turbo, second/gpt-4-turbo, far/x] }
  two: { targets: [openai/gpt-4-turbo, far/x, cloud/us.anthropic.claude-sonnet-5, anthropic/claude-sonnet-5] }
  three: { targets: [{ target: far/x, when: last-resort }] }
`;
    const found = folder.configured(yaml).warnings;
    expect(found.length).toBeGreaterThan(12);
    for (const { line, fix, message } of found) {
      expect(line, message).toBeGreaterThan(2);
      expect(fix, message).toMatch(/\w{3}/u);
    }
    const texts = found.map(({ message }) => message.replace(/ \(also at .*\)$/u, ""));
    expect(new Set(texts).size).toBe(texts.length);
    expectGolden("lint.txt", `${found.map(renderProblem).join("\n")}\n`);
  });
});
