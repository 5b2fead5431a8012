import { afterAll, describe, expect, it } from "vitest";
import { ConfigFolder } from "../world/config-folder.ts";

const env = { OPENAI_API_KEY: "canary-openai-0123456789", COLLECTOR_KEY: "canary-collector-0123456789" };
const folder = new ConfigFolder(env);
afterAll(() => folder.remove());

const base = (route: string, more = ""): string => `
providers:
  openai: { kind: openai, key: \${OPENAI_API_KEY} }
routes:
  default: { targets: [openai/gpt-5.4]${route} }
${more}`;
const hedgeOf = (hedge: string) => folder.configured(base(`, hedge: ${hedge}`)).snapshot.routes.get("default")?.hedge;

describe("hedging", () => {
  it("is off unless it is written", () => {
    expect(folder.configured(base("")).snapshot.routes.get("default")).not.toHaveProperty("hedge");
  });

  it("waits for what is usual of the target, or as long as is written, for one call in fifty", () => {
    expect(hedgeOf("{}")).toEqual({ share: 0.02, sideEffects: false });
    expect(hedgeOf("{ after: p95 }")).toEqual({ share: 0.02, sideEffects: false });
    expect(hedgeOf("{ after: 800ms, share: 0.1, sideEffects: true }")).toEqual({
      afterMs: 800,
      share: 0.1,
      sideEffects: true,
    });
  });

  it.each(["{ share: 0 }", "{ share: 2 }", "{ after: p99 }", "{ after: 5 }", "{ often: true }"])(
    "refuses %s",
    (hedge) => {
      expect(folder.problems(base(`, hedge: ${hedge}`)).join("\n")).toContain("routes.default.hedge");
    },
  );
});

describe("the forwarding of records", () => {
  const records = (forward: string) => base("", `records: { forward: ${forward} }`);

  it("is off unless a collector is written", () => {
    expect(folder.configured(base("")).server).not.toHaveProperty("forward");
  });

  it("has a key that is shown to nobody, and bounds", () => {
    const { server } = folder.configured(records("{ url: https://collector/records, key: '${COLLECTOR_KEY}' }"));
    expect(server.forward).toMatchObject({
      url: "https://collector/records",
      batchRecords: 200,
      timeoutMs: 30_000,
      keptRecords: 1_000_000,
    });
    expect(server.forward?.key?.reveal()).toBe(env.COLLECTOR_KEY);
    expect(JSON.stringify(server)).not.toContain("canary");
  });

  it.each([
    ["{ url: collector }", "is no http or https address"],
    ["{ url: 'ftp://collector/' }", "is no http or https address"],
    ["{ url: 'https://me:secret@collector/' }", "the address holds a credential"],
    ["{ keep: 5000 }", "url"],
  ])("refuses %s", (forward, words) => expect(folder.problems(records(forward)).join("\n")).toContain(words));
});

describe("check", () => {
  const providers = `
providers:
  openai: { kind: openai, key: \${OPENAI_API_KEY} }
  twin: { kind: openai, key: \${OPENAI_API_KEY} }
  groq: { kind: groq, key: \${OPENAI_API_KEY} }
  mine: { kind: ollama }
`;
  const said = (route: string): string =>
    folder
      .configured(`${providers}routes:\n  default: ${route}`)
      .warnings.map(({ message }) => message)
      .join("\n");

  it.each([
    ["{ targets: [openai/gpt-5.4, twin/gpt-5.4], hedge: {} }", "no other target is known to be run by somebody else"],
    ["{ targets: [openai/gpt-5.4, groq/m], hedge: {} }", "a cancelled answer of every other target is billed in full"],
    ["{ targets: [groq/m, openai/gpt-5.4], hedge: {} }", "groq/m is never hedged"],
    ["{ targets: [openai/gpt-5.4, mine/m], hedge: {}, retries: { attempts: 1 } }", "is never hedged"],
  ])("says where hedging cannot be had: %s", (route, words) => expect(said(route)).toContain(words));

  it("is content with a target of another operator, whose bill ends with the connection", () => {
    expect(said("{ targets: [openai/gpt-5.4, groq/m, mine/m], hedge: {} }")).not.toContain("hedge");
  });

  it("does not count one's own last resort among the attempts, as the planner does not", () => {
    const targets = "openai/gpt-5.4, twin/gpt-5.4, groq/m";
    expect(said(`{ targets: [${targets}, { target: mine/m, when: last-resort }] }`)).not.toContain("attempts");
    expect(said(`{ targets: [${targets}, mine/m] }`)).toContain("4 targets, but at most 3 attempts");
  });
});
