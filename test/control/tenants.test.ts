import { afterAll, describe, expect, it } from "vitest";
import { parseMoment } from "#control/config/key-schema";
import { ConfigFolder } from "../world/config-folder.ts";

const folder = new ConfigFolder({ OPENAI_API_KEY: "canary-openai-0123456789" });
afterAll(() => folder.remove());
const problems = (yaml: string): readonly string[] => folder.problems(yaml);
const configured = (yaml: string) => folder.configured(yaml);

const minimal = `
providers: { openai: { kind: openai, key: "\${OPENAI_API_KEY}" } }
routes: { default: { targets: [openai/gpt-5.4] } }
`;

const secret = "0123456789abcdef01234567";
const key = (more: string): string => `keys: { app: { key: ${secret}, ${more} } }\n`;
const tenants = `
organisations: { acme: { budget: 100usd/month } }
teams: { web: { organisation: acme, limits: { rpm: 10 } }, lone: {} }
`;

describe("organisations, teams and keys", () => {
  it("are carried with what they may use", () => {
    const { snapshot } = configured(tenants + key("team: web, limits: { tpm: 5 }") + minimal);
    expect(snapshot.keys[0]).toMatchObject({ team: "web", organisation: "acme", allowance: { tpm: 5 } });
    expect(snapshot.allowances?.get("team:web")).toMatchObject({ rpm: 10 });
    expect(snapshot.allowances?.get("organisation:acme")).toMatchObject({ budgets: [{ limitNanoUsd: 100e9 }] });
    expect([snapshot.organisations, [...(snapshot.teams ?? [])]]).toEqual([
      ["acme"],
      [
        ["web", { organisation: "acme" }],
        ["lone", {}],
      ],
    ]);
  });

  it("carry what a key is good for", () => {
    const scopes =
      "routes: [default], models: [openai/*], providers: [openai], endpoints: [generate, models], priority: low, role: viewer, expires: 2027-03-31";
    expect(configured(key(scopes) + minimal).snapshot.keys[0]).toEqual({
      name: "app",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/u),
      routes: ["default"],
      models: ["openai/*"],
      providers: ["openai"],
      endpoints: ["generate", "models"],
      priority: "low",
      role: "viewer",
      expiresAtMs: Date.UTC(2027, 3, 1),
    });
  });

  it.each([
    ["team: wbe", 'no team "wbe"; did you mean "web"?'],
    ["organisation: amce", 'no organisation "amce"; did you mean "acme"?'],
    ["providers: [opnai]", 'no provider "opnai"; did you mean "openai"?'],
    ["routes: [defualt]", 'no route "defualt"; did you mean "default"?'],
    ["endpoints: [generat]", 'did you mean "generate"?'],
    ["models: ['gpt-*-mini']", "a model's name, with a `*` at its end at most"],
    ["expires: 30d", "expected a date, such as 2027-03-31"],
    ["expires: 2027-02-30", "expected a date, such as 2027-03-31"],
    ["admin: true, role: viewer", "contradict each other"],
    ["role: owner", "expected one of inference, viewer, admin"],
    ["team: web, organisation: other", 'its team "web" belongs to "acme"'],
  ])("are refused with what was probably meant: %s", (more, words) => {
    const text = tenants.replace("acme: {", "other: {}, acme: {") + key(more) + minimal;
    expect(problems(text).join("\n")).toContain(words);
  });

  it("are refused where an organisation is not there, or a key has the name of nobody", () => {
    const text = `teams: { web: { organisation: nope } }\nkeys: { anonymous: { key: ${secret} } }\n${minimal}`;
    expect(problems(text).join("\n")).toMatch(/no organisation "nope"; there are no `organisations`[^]*nobody's name/u);
  });
});

describe("an administrator's token", () => {
  const token = (value: string): string => `server: { host: 0.0.0.0, admin: { token: ${value} } }\n`;

  it("is kept as its hash, lets the gateway listen to other machines, and leaves it open to nobody", () => {
    const { snapshot } = configured(token(secret) + minimal);
    expect(snapshot).toMatchObject({ adminToken: expect.stringMatching(/^[0-9a-f]{64}$/u), guarded: true, keys: [] });
    expect(JSON.stringify(snapshot)).not.toContain(secret);
  });

  it("is long, and no key at the same time", () => {
    expect(problems(token("short") + minimal).join("\n")).toContain("a token has at least 24 characters");
    expect(problems(token(secret) + key("role: inference") + minimal).join("\n")).toContain('this is the key "app"');
  });
});

describe("the end of a key", () => {
  it.each([
    ["2027-03-31", "2027-04-01T00:00:00.000Z"],
    ["2027-12-31", "2028-01-01T00:00:00.000Z"],
    ["2027-03-31T18:00:00Z", "2027-03-31T18:00:00.000Z"],
    ["2027-03-31T18:00+02:00", "2027-03-31T16:00:00.000Z"],
  ])("%s is %s", (text, moment) => expect(new Date(parseMoment(text) ?? 0).toISOString()).toBe(moment));

  it.each(["", "tomorrow", "2027-13-01", "2027-02-29", "30d", "2027-03-31 18:00"])("is no %j", (text) => {
    expect(parseMoment(text)).toBeUndefined();
  });
});
