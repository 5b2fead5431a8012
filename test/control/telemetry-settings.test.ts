import { afterAll, describe, expect, it } from "vitest";
import type { Configuration } from "#control/config/configuration";
import { ConfigFolder } from "../world/config-folder.ts";

const env = { OPENAI_API_KEY: "canary-openai-0123456789", OTLP_KEY: "canary-otlp-0123456789" };
const folder = new ConfigFolder(env);
afterAll(() => folder.remove());

const base = (more = ""): string => `
providers:
  openai: { kind: openai, key: \${OPENAI_API_KEY} }
routes:
  default: { targets: [openai/gpt-5.4] }
${more}`;
const telemetry = (section: string): string => base(`telemetry: ${section}`);
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" };
const about = (warnings: Configuration["warnings"]) =>
  warnings.filter(({ path }) => path === "telemetry").map(({ message }) => message);
const withEnv = (more: Readonly<Record<string, string>>) => ({ env: { ...env, ...more } });

describe("The settings of telemetry", () => {
  it("are none unless something is written, and then nothing is in the snapshot either", () => {
    const { server, snapshot } = folder.configured(base());
    expect(server).not.toHaveProperty("telemetry");
    expect(snapshot).not.toHaveProperty("tracing");
  });

  it("have headers that are shown to nobody, and bounds", () => {
    const { server, warnings } = folder.configured(
      telemetry("{ otlp: { url: https://otlp.example/base/, headers: { Authorization: '${OTLP_KEY}' } } }"),
    );
    expect(server.telemetry).toMatchObject({
      url: "https://otlp.example/base",
      everyMs: 5_000,
      timeoutMs: 10_000,
      traces: true,
      metrics: true,
      share: 1,
      resource: { "service.name": "hedgerow" },
    });
    const [header] = server.telemetry?.headers ?? [];
    expect([header?.name, header?.value.reveal()]).toEqual(["authorization", env.OTLP_KEY]);
    expect(JSON.stringify(server)).not.toContain("canary");
    expect(about(warnings)).toEqual([]);
  });

  it("come from the usual variables where nothing is written", () => {
    const { server } = folder.configured(
      base(),
      withEnv({
        ...collector,
        OTEL_EXPORTER_OTLP_HEADERS: "X-Api-Key=canary%20one, other=two=2",
        OTEL_SERVICE_NAME: "edge",
        OTEL_RESOURCE_ATTRIBUTES: "service.name=ignored,deployment.environment.name=prod%2Ceu",
        OTEL_METRICS_EXPORTER: "none",
      }),
    );
    expect(server.telemetry).toMatchObject({
      url: "http://collector:4318",
      traces: true,
      metrics: false,
      resource: { "service.name": "edge", "deployment.environment.name": "prod,eu" },
    });
    expect(server.telemetry?.headers.map(({ name, value }) => [name, value.reveal()])).toEqual([
      ["x-api-key", "canary one"],
      ["other", "two=2"],
    ]);
    expect(JSON.stringify(server)).not.toContain("canary");
  });

  it("go before the variables field by field", () => {
    const variables = withEnv({ ...collector, OTEL_EXPORTER_OTLP_HEADERS: "a=b", OTEL_SERVICE_NAME: "edge" });
    const own = "{ otlp: { url: https://own, headers: {}, service: mine, every: 1s, sample: 0.1 } }";
    expect(folder.configured(telemetry(own), variables).server.telemetry).toMatchObject({
      url: "https://own",
      headers: [],
      everyMs: 1_000,
      share: 0.1,
      resource: { "service.name": "mine" },
    });
    expect(folder.configured(telemetry("{ otlp: { traces: false } }"), variables).server.telemetry).toMatchObject({
      url: "http://collector:4318",
      traces: false,
      resource: { "service.name": "edge" },
    });
  });

  it.each([
    [{ OTEL_SDK_DISABLED: "true" }, []],
    [{ OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" }, []],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, ["OTEL_EXPORTER_OTLP_PROTOCOL is grpc"]],
  ])("follow %j: nothing is sent", (more, said) => {
    const { server, warnings } = folder.configured(base(), withEnv({ ...collector, ...more }));
    expect(server).not.toHaveProperty("telemetry");
    expect(about(warnings)).toHaveLength(said.length);
    for (const part of said) expect(about(warnings).join("\n")).toContain(part);
  });

  it("leave out a list that is none, and say so without its words", () => {
    for (const list of ["canary", "=canary", "a=%zz-canary", "a=canary%0d%0ax:y"]) {
      const { server, warnings } = folder.configured(
        base(),
        withEnv({ ...collector, OTEL_EXPORTER_OTLP_HEADERS: list }),
      );
      expect(server.telemetry?.headers).toEqual([]);
      expect(about(warnings).join("\n")).toContain("OTEL_EXPORTER_OTLP_HEADERS is not a list");
      expect(JSON.stringify(warnings)).not.toContain("canary");
    }
  });

  it("tell workers to name traces to providers only where that is written", () => {
    const tracing = (section: string) => folder.configured(telemetry(section)).snapshot.tracing;
    expect(tracing("{ propagate: true }")).toEqual({ share: 0 });
    expect(tracing("{ propagate: true, otlp: { url: http://c, sample: 0.5 } }")).toEqual({ share: 0.5 });
    expect(tracing("{ propagate: true, otlp: { url: http://c, traces: false } }")).toEqual({ share: 0 });
    expect(tracing("{ propagate: false, otlp: { url: http://c } }")).toBeUndefined();
  });

  it.each([
    ["{ otlp: {} }", "no collector is named"],
    ["{ otlp: { url: collector } }", "is no http or https address"],
    ["{ otlp: { url: 'https://a:b@collector/' } }", "holds a credential"],
    ["{ otlp: { url: http://c, every: 1ms } }", "less than 100 ms"],
    ["{ otlp: { url: http://c, sample: 2 } }", "telemetry.otlp.sample"],
    ["{ otlp: { url: http://c, headers: { 'a b': c } } }", "telemetry.otlp.headers"],
    ["{ often: true }", "telemetry"],
  ])("refuse %s", (section, why) => {
    expect(folder.problems(telemetry(section)).join("\n")).toContain(why);
  });
});
