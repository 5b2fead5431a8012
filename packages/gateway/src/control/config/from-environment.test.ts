import { describe, expect, it } from "vitest";
import { openCatalogue } from "#catalogue/open-catalogue";
import { findModel } from "#catalogue/catalogue";
import { providerKinds } from "#providers/kinds";
import { compileMade, readConfiguration } from "./configuration.ts";
import { simulatedDocument } from "./from-environment.ts";
import { startingModels } from "./starting-models.ts";

const today = "2026-11-21";
const read = (env: Readonly<Record<string, string>>) => readConfiguration({ cwd: "/nonexistent", env, today });

describe("a configuration from the environment", () => {
  it("has a provider for each key found and a default route over them", () => {
    const found = read({ XAI_API_KEY: "x", ANTHROPIC_API_KEY: " a\n", PATH: "/bin" });
    if (found.kind !== "configured") throw new Error(found.kind);
    expect(found.from).toBe("environment");
    expect([...found.snapshot.providers.keys()].toSorted()).toEqual(["anthropic", "xai"]);
    expect(found.snapshot.providers.get("anthropic")?.credentials[0]?.secret.reveal()).toBe("a");
    expect(found.snapshot.routes.get("default")?.targets).toEqual([
      { provider: "anthropic", model: "claude-sonnet-5", lastResort: false },
      { provider: "xai", model: "grok-4.6", lastResort: false },
    ]);
    expect(found.snapshot.notices.join()).toContain("XAI_API_KEY");
  });

  it("takes the first of several variables of one provider", () => {
    const found = read({ GOOGLE_API_KEY: "second", GEMINI_API_KEY: "first" });
    if (found.kind !== "configured") throw new Error(found.kind);
    expect(found.snapshot.providers.get("gemini")?.credentials.map(({ secret }) => secret.reveal())).toEqual(["first"]);
  });

  it("says that nothing is configured where no key is found, an empty one included", () => {
    expect(read({ OPENAI_API_KEY: "  " })).toEqual({ kind: "unconfigured" });
  });

  it("stays on loopback, for it has no keys", () => {
    const found = readConfiguration({
      cwd: "/nonexistent",
      env: { OPENAI_API_KEY: "x" },
      today,
      overrides: { host: "::" },
    });
    expect(found).toMatchObject({ kind: "refused", problems: [{ file: "environment", path: "server.host" }] });
  });
});

describe("the starting models", () => {
  it("are of kinds there are", () => {
    expect([...startingModels.keys()].filter((kind) => !providerKinds.has(kind))).toEqual([]);
  });

  it("are known to the catalogue, and neither deprecated nor retired", () => {
    const catalogue = openCatalogue(today);
    const doubtful = [...startingModels].filter(([kind, model]) => {
      const traits = findModel(catalogue, kind, model);
      return traits === undefined || traits.lifecycle === "deprecated" || traits.lifecycle === "retired";
    });
    expect(doubtful).toEqual([]);
  });
});

describe("the simulated configuration", () => {
  it("compiles, routes to the simulated models, and says that they are simulated", () => {
    const urls = { openaiUrl: "http://127.0.0.1:5001/v1", anthropicUrl: "http://127.0.0.1:5001/v1" };
    const made = compileMade(simulatedDocument(urls), { today });
    if (made.kind !== "configured") throw new Error(JSON.stringify(made));
    const targetsOf = (route: string) =>
      made.snapshot.routes.get(route)?.targets.map(({ provider, model }) => `${provider}/${model}`);
    expect([...made.snapshot.routes.keys()]).toEqual(["default", "demo-failover", "demo-doubt", "demo-cut"]);
    expect(targetsOf("default")).toEqual(["sim/fast", "sim-b/steady"]);
    expect(targetsOf("demo-failover")).toEqual(["sim/flaky", "sim-b/steady"]);
    expect(targetsOf("demo-doubt")).toEqual(["sim/unsure", "sim/fast"]);
    expect(made.snapshot.routes.get("demo-doubt")?.confidence).toMatchObject({ min: 0.85 });
    expect(targetsOf("demo-cut")).toEqual(["sim/cut"]);
    expect(made.snapshot.providers.get("sim-b")).toMatchObject({ origin: "http://127.0.0.1:5001", basePath: "/v1" });
    expect(made.snapshot.notices.join()).toContain("simulated providers answer");
  });
});
