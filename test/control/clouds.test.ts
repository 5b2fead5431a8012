import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { starterDocument } from "#cli/commands/init";
import { readConfiguration } from "#control/config/configuration";
import { foundProviders } from "#control/config/from-environment";
import { providerKinds } from "#providers/kinds";
import { ConfigFolder } from "../world/config-folder.ts";

const env = {
  AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "secret/of+example",
  AWS_REGION: "eu-north-1",
  AZURE_OPENAI_API_KEY: "azure-canary-0123456789",
};
const folder = new ConfigFolder(env);
afterAll(() => folder.remove());

const one = (entry: string) => `providers:\n  cloud: ${entry}\nroutes:\n  default: { targets: [cloud/m] }\n`;
const specOf = (entry: string) => folder.configured(one(entry)).snapshot.providers.get("cloud");
const problems = (entry: string) => folder.problems(one(entry)).join("\n");
const keysOf = (entry: string) => specOf(entry)?.credentials.map(({ secret }) => secret.reveal());

describe("the address of a cloud", () => {
  it.each([
    ["{ kind: bedrock, region: eu-central-1, key: k }", "https://bedrock-runtime.eu-central-1.amazonaws.com", ""],
    ["{ kind: vertex, region: europe-west4, project: p }", "https://europe-west4-aiplatform.googleapis.com", "/v1"],
    ["{ kind: vertex, region: global, project: p }", "https://aiplatform.googleapis.com", "/v1"],
    ["{ kind: vertex, region: eu, project: p }", "https://aiplatform.eu.rep.googleapis.com", "/v1"],
    ["{ kind: vertex, project: p }", "https://aiplatform.googleapis.com", "/v1"],
    ["{ kind: vertex, key: an-api-key }", "https://aiplatform.googleapis.com", "/v1"],
    ["{ kind: azure-openai, resource: mine, key: k }", "https://mine.openai.azure.com", ""],
    ["{ kind: azure-foundry, resource: mine, key: k }", "https://mine.services.ai.azure.com", ""],
    ["{ kind: azure, url: https://proxy.example/azure/, key: k }", "https://proxy.example", "/azure"],
    ["{ kind: vertex, project: p, url: https://proxy.example }", "https://proxy.example", "/v1"],
    ["{ kind: bedrock, url: http://127.0.0.1:9, key: an-api-key }", "http://127.0.0.1:9", ""],
    ["{ kind: gemini, key: k }", "https://generativelanguage.googleapis.com", "/v1beta"],
  ])("of %s is %s%s", (entry, origin, basePath) => expect(specOf(entry)).toMatchObject({ origin, basePath }));

  it("keeps what is said in paths and signatures for later", () => {
    expect(specOf("{ kind: vertex, region: us, project: my-project }")).toMatchObject({
      region: "us",
      project: "my-project",
    });
    expect(specOf("{ kind: azure-openai, resource: r, apiVersion: 2025-04-01-preview, key: k }")).toMatchObject({
      apiVersion: "2025-04-01-preview",
    });
  });

  it.each([
    ["{ kind: azure-openai, key: k }", "needs a `resource`; add resource: my-resource"],
    ["{ kind: azure-foundry, key: k }", "needs a `resource`"],
    ["{ kind: vertex }", "needs a `project`; add project: my-project"],
    ["{ kind: bedrock, region: evil.example/, key: k }", "a region has letters, digits and dashes only"],
    ["{ kind: azure-openai, resource: a.b, key: k }", "a resource's name has letters, digits and dashes only"],
    ["{ kind: vertex, project: a/b }", "a project's name has letters, digits, dots, colons and dashes only"],
    ["{ kind: azure-openai, resource: r, apiVersion: 1&x=2, key: k }", "a version has letters, digits, dots"],
    ["{ kind: openai, project: p, key: k }", 'a provider of kind "openai" takes no `project`; remove it'],
  ])("is refused where it cannot be made: %s", (entry, words) => expect(problems(entry)).toContain(words));

  it("says one thing of a missing setting, not two", () => {
    expect(folder.problems(one("{ kind: azure-openai, key: k }"))).toHaveLength(1);
  });

  it("lets every provider say where it runs, in words of its own", () => {
    expect(specOf("{ kind: openai, key: k, region: eu (Frankfurt) }")).toMatchObject({ region: "eu (Frankfurt)" });
  });
});

describe("the keys of a cloud", () => {
  it("are taken from where AWS's own tools take them, with the region, unless the file says others", () => {
    expect(keysOf("{ kind: bedrock }")).toEqual(["AKIAEXAMPLE:secret/of+example"]);
    expect(specOf("{ kind: bedrock }")).toMatchObject({ origin: "https://bedrock-runtime.eu-north-1.amazonaws.com" });
    expect(specOf("{ kind: bedrock, region: us-east-1 }")).toMatchObject({ region: "us-east-1" });
    expect(keysOf("{ kind: bedrock, key: mine }")).toEqual(["mine"]);
    expect(problems("{ kind: azure-openai, resource: r }")).toContain("needs a `key`");
  });

  it.each([
    ['{ kind: vertex, project: p, key: "{}" }', "it has no `type`"],
    ['{ kind: vertex, project: p, key: "{\\"type\\":\\"service_account\\"}" }', "has no `client_email`"],
    ["{ kind: vertex, key: two words }", "the JSON of a login"],
    ["{ kind: bedrock, key: AKIAIOSFODNN7EXAMPLE }", "an access key's id without its secret"],
  ])("are refused where they are none: %s", (entry, words) => expect(problems(entry)).toContain(words));

  it("may be the JSON of a login, line breaks and all", () => {
    const login = '{\n  "type": "service_account",\n  "client_email": "a@b",\n  "private_key": "-----BEGIN"\n}';
    writeFileSync(join(folder.path, "login.json"), `${login}\n`);
    expect(keysOf("{ kind: vertex, project: p, key: file:login.json }")).toEqual([login]);
  });
});

it("are written in the documentation as they work", () => {
  const documentation = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const [, example = ""] = /### Clouds\s+```yaml\n([\s\S]+?)```/.exec(documentation) ?? [];
  const { snapshot } = folder.configured(example, { env: { ...env, AZURE_AI_API_KEY: "k" } });
  const origins = [...snapshot.providers.values()].map(({ origin }) => origin);
  expect(origins).toEqual([
    "https://bedrock-runtime.eu-central-1.amazonaws.com",
    "https://europe-west4-aiplatform.googleapis.com",
    "https://my-resource.openai.azure.com",
    "https://my-resource.services.ai.azure.com",
  ]);
});

describe("dialects", () => {
  it("are those of the kind, in the order written", () => {
    const entry = "{ kind: openai, key: k, dialects: [openai-responses, openai-chat] }";
    expect(specOf(entry)?.dialects).toEqual(["openai-responses", "openai-chat"]);
    expect(specOf("{ kind: openai, key: k }")?.dialects).toBeUndefined();
  });

  it("are refused where the kind does not speak them, or nobody does", () => {
    expect(problems("{ kind: openai, key: k, dialects: [gemini] }")).toContain(
      'a provider of kind "openai" is not asked in "gemini"',
    );
    expect(problems("{ kind: openai, key: k, dialects: [openai-chta] }")).toContain('did you mean "openai-chat"?');
  });
});

describe("clouds in the environment", () => {
  const found = (given: Readonly<Record<string, string>>) => {
    const read = readConfiguration({ cwd: "/nonexistent", env: given, today: "2026-11-21" });
    return read.kind === "configured" ? Object.fromEntries(read.snapshot.providers) : read.kind;
  };

  it("are found by the variables of the vendors' own tools", () => {
    const { AZURE_OPENAI_API_KEY: azureKey, ...aws } = env;
    expect(found({ ...aws, AWS_SESSION_TOKEN: "token" })).toMatchObject({
      bedrock: { region: "eu-north-1", credentials: [{ id: "bedrock#1" }] },
    });
    expect(found({ GOOGLE_APPLICATION_CREDENTIALS: "/a.json", GOOGLE_CLOUD_PROJECT: "p" })).toMatchObject({
      vertex: { project: "p", credentials: [], origin: "https://aiplatform.googleapis.com" },
    });
    const azure = { AZURE_OPENAI_API_KEY: azureKey, AZURE_OPENAI_ENDPOINT: "https://mine.openai.azure.com/" };
    expect(found({ ...azure, OPENAI_API_VERSION: "2024-10-21" })).toMatchObject({
      "azure-openai": { origin: "https://mine.openai.azure.com", apiVersion: "2024-10-21" },
    });
  });

  it("are not found where something is missing that they cannot be called without", () => {
    expect(found({ AWS_ACCESS_KEY_ID: "a", AWS_REGION: "eu-north-1" })).toBe("unconfigured");
    expect(found({ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" })).toBe("unconfigured");
    expect(found({ GOOGLE_APPLICATION_CREDENTIALS: "/a.json" })).toBe("unconfigured");
    expect(found({ AZURE_OPENAI_API_KEY: "k" })).toBe("unconfigured");
    expect(found({ AWS_REGION: "eu-north-1" })).toBe("unconfigured");
  });

  it("are written down by `init` under the names of their variables, as a file that works", () => {
    const given = { ...env, AZURE_OPENAI_ENDPOINT: "https://mine.openai.azure.com", AWS_SESSION_TOKEN: "token" };
    const written = starterDocument(foundProviders(given, providerKinds));
    expect(written).toContain("key: ${AWS_ACCESS_KEY_ID}:${AWS_SECRET_ACCESS_KEY}:${AWS_SESSION_TOKEN}");
    expect(written).not.toContain(env.AWS_SECRET_ACCESS_KEY);
    const { snapshot } = folder.configured(written, { env: given });
    expect(snapshot.providers.get("bedrock")).toMatchObject({ region: "eu-north-1" });
    expect(snapshot.providers.get("bedrock")?.credentials[0]?.secret.reveal()).toBe(
      "AKIAEXAMPLE:secret/of+example:token",
    );
    expect(snapshot.providers.get("azure-openai")).toMatchObject({ origin: "https://mine.openai.azure.com" });
  });
});
