import { afterAll, describe, expect, it } from "vitest";
import { ConfigFolder } from "../world/config-folder.ts";
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
  it("finds nothing to say about two vendors, known models and prices", () => {
    const yaml = `
providers:
  openai: { kind: openai, key: \${A} }
  anthropic: { kind: anthropic, key: \${B} }
routes:
  default: { targets: [openai/gpt-5.4, anthropic/claude-sonnet-5] }
`;
    expect(warnings(yaml)).toEqual([]);
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
  ])("warns of %s", (_what, yaml, words) => expect(warnings(yaml).join("\n")).toContain(words));

  it("keeps the plain key itself out of the warning", () => {
    const yaml = "keys: { app: { key: plain-gateway-key-0123456789 } }\n" + route("openai/gpt-5.4");
    expect(warnings(yaml).join("\n")).toContain("keys.app.key: a secret stands in the file");
    expect(warnings(yaml).join("\n")).not.toContain("plain-gateway-key");
  });

  it("warns of a model that the catalogue calls retired, with the source and its date", () => {
    expect(warnings(route("openai/gpt-4-turbo")).join("\n")).toMatch(/openai\/gpt-4-turbo is retired \(.+, 20\d\d-/);
  });
});
