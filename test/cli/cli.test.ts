import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { ingestRecords } from "#control/store/ingest";
import type { CallRecord } from "#domain/record";
import { openStore, storeFile } from "#control/store/sqlite";
import { runCommand } from "../world/run-command.ts";
import { callRecord } from "../world/sample-record.ts";
import { UsageError } from "#cli/command";
import type { Command, CommandIo } from "#cli/command";
import { ask } from "#cli/commands/ask";
import { check } from "#cli/commands/check";
import { init } from "#cli/commands/init";
import { models } from "#cli/commands/models";
import { plan } from "#cli/commands/plan";
import { report } from "#cli/commands/report";
import { version } from "#cli/commands/version";
import { renderTable } from "#cli/table";
import { terminalLine, terminalText } from "#cli/terminal-text";

const root = mkdtempSync(join(tmpdir(), "hedgerow-cli-"));
let cwd = root;
let number = 0;
beforeEach(() => {
  cwd = join(root, String((number += 1)));
  mkdirSync(cwd);
});
afterAll(() => rmSync(root, { recursive: true }));

const commands: readonly Command[] = [ask, check, init, models, plan, report, version];
const hedgerow = (args: readonly string[], more: Partial<CommandIo> = {}) =>
  runCommand(args, commands, { cwd, ...more });

describe("dispatch", () => {
  it("lists the commands with --help, and without a word with exit code 2", async () => {
    const helped = await hedgerow(["--help"]);
    expect(helped.code).toBe(0);
    for (const { name, summary } of commands) expect(helped.out).toMatch(new RegExp(`${name} +${summary}`));
    expect(await hedgerow([])).toMatchObject({ code: 2, out: "", err: helped.out });
  });

  it.each(commands.map((command) => [command.name, command.usage] as const))("shows %s --help", async (name, usage) => {
    expect(await hedgerow([name, "--help"])).toEqual({ code: 0, out: usage, err: "" });
    expect((await hedgerow(["help", name])).out).toBe(usage);
    expect(usage).toMatch(/^Usage: hedgerow .*\n[^]*\n$/);
  });

  it("prints its version, however it is asked", async () => {
    for (const word of ["version", "--version", "-v"]) {
      const ran = await hedgerow([word]);
      expect(ran).toMatchObject({
        code: 0,
        out: expect.stringMatching(/^hedgerow \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+\)\n$/),
      });
    }
  });

  it("knows no help for a command that does not exist", async () => {
    expect(await hedgerow(["help", "chekc"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("hedgerow check"),
    });
  });

  it("suggests the nearest command for an unknown one", async () => {
    expect(await hedgerow(["chekc"])).toEqual({
      code: 2,
      out: "",
      err: 'hedgerow: no command "chekc"; did you mean `hedgerow check`?\n',
    });
    expect((await hedgerow(["zzzzzzzz"])).err).toContain("commands: ask, check");
  });

  it("suggests the nearest option for an unknown one, with exit code 2", async () => {
    const ran = await hedgerow(["check", "--confg", "x"]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain("hedgerow check: unknown option --confg; did you mean --config?");
  });

  it("calls an exception a bug, and a usage error by its message", async () => {
    const run = (thrown: Error) =>
      runCommand(["x"], [{ name: "x", summary: "", usage: "", run: () => Promise.reject(thrown) }], { cwd });
    expect(await run(new UsageError("write it so"))).toMatchObject({
      code: 2,
      err: expect.stringContaining("write it so"),
    });
    expect(await run(new Error("oops"))).toMatchObject({ code: 1, err: expect.stringContaining("bug in hedgerow") });
  });
});

describe("text for terminals", () => {
  it("cannot paint, move the cursor, or reorder what is read", () => {
    expect(terminalText("a\u001b[31mred\u0007\u202e\r\nb\tc")).toBe("a�[31mred��\nb\tc");
    expect(terminalLine("a\nb\tc")).toBe("a b c");
  });

  it("is aligned in tables, whatever the cells hold", () => {
    const columns = [
      { title: "NAME", value: (row: readonly [string, number]) => row[0] },
      { title: "N", value: (row: readonly [string, number]) => String(row[1]), align: "right" as const },
    ];
    const rows: readonly (readonly [string, number])[] = [
      ["a\u001b[2J", 1],
      ["long".repeat(30), 1234],
      ["ü😀", 5],
    ];
    expect(renderTable(columns, rows).split("\n")).toEqual([
      `NAME${" ".repeat(56)}     N`,
      `a�[2J${" ".repeat(55)}     1`,
      `${"long".repeat(14)}lon…  1234`,
      `ü😀${" ".repeat(58)}     5`,
      "",
    ]);
    expect(renderTable(columns, [])).toBe("");
  });
});

describe("init", () => {
  const env = { OPENAI_API_KEY: "canary-openai-key", ANTHROPIC_API_KEY: "canary-anthropic-key" };

  it("writes a file that names the keys found, holds none, and passes check but for what its vendors share", async () => {
    const ran = await hedgerow(["init"], { env });
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toContain("OpenAI (OPENAI_API_KEY), Anthropic (ANTHROPIC_API_KEY)");
    const written = readFileSync(join(cwd, "hedgerow.yaml"), "utf8");
    expect(written).toContain("key: ${OPENAI_API_KEY}");
    expect(written + ran.out).not.toContain("canary");
    const checked = await hedgerow(["check"], { env });
    expect(checked).toMatchObject({ code: 0, out: expect.stringContaining("0 errors, 2 warnings; version ") });
    expect(checked.out.match(/hangs on edge:cloudflare|may share owner:/gu)).toHaveLength(2);
  });

  it("writes examples where no key is found, valid once the key is set", async () => {
    expect((await hedgerow(["init", "-o", "mine.yaml"])).out).toContain("no provider's key");
    const checked = await hedgerow(["check", "-c", "mine.yaml"], { env });
    expect(checked.out).toContain("0 errors");
  });

  it("replaces a file only with --force", async () => {
    writeFileSync(join(cwd, "hedgerow.yaml"), "mine");
    const refused = await hedgerow(["init"], { env });
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("--force") });
    expect(readFileSync(join(cwd, "hedgerow.yaml"), "utf8")).toBe("mine");
    expect((await hedgerow(["init", "--force"], { env })).code).toBe(0);
    expect(readFileSync(join(cwd, "hedgerow.yaml"), "utf8")).toContain("providers:");
  });
});

describe("check", () => {
  const broken = "providers:\n  openai: { kind: opnai, key: k }\n";

  it("prints problems with their lines and exits with 1", async () => {
    writeFileSync(join(cwd, "hedgerow.yaml"), broken);
    expect(await hedgerow(["check"])).toEqual({
      code: 1,
      out:
        'error: hedgerow.yaml:2:13 providers.openai.kind: no kind "opnai" in this version; did you mean "openai"?\n' +
        "hedgerow.yaml: 1 error, 0 warnings\n",
      err: "",
    });
  });

  it("prints the same as JSON", async () => {
    writeFileSync(join(cwd, "hedgerow.yaml"), broken);
    const ran = await hedgerow(["check", "--json"]);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.out)).toEqual({
      file: "hedgerow.yaml",
      problems: [
        {
          file: "hedgerow.yaml",
          line: 2,
          column: 13,
          path: "providers.openai.kind",
          message: 'no kind "opnai" in this version',
          fix: 'did you mean "openai"?',
        },
      ],
      warnings: [],
    });
  });

  it("warns and exits with 0 where nothing is configured, and names a file that is missing", async () => {
    expect(await hedgerow(["check"])).toMatchObject({ code: 0, out: expect.stringContaining("simulated providers") });
    expect(await hedgerow(["check", "-c", "no.yaml"])).toMatchObject({
      code: 1,
      out: expect.stringContaining("no such file"),
    });
  });
});

describe("plan", () => {
  const env = { OPENAI_API_KEY: "k", ANTHROPIC_API_KEY: "k" };

  it("shows the targets in order, with prices, deadlines and reasons", async () => {
    const ran = await hedgerow(["plan", "hello", "there"], { env });
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toMatch(/1 {2}anthropic\/claude-sonnet-5 .*\n2 {2}openai\/gpt-5\.4 /);
    expect(ran.out).toContain("at most 3 attempts");
    expect(ran.out).toContain("total 600s");
  });

  it("says whom each target shares a risk with, and who follows a fault or a refusal of the first", async () => {
    const yaml = `
providers:
  direct: { kind: anthropic, key: k }
  foundry: { kind: openai-compatible, url: "https://foundry.example/v1", operator: anthropic }
  other: { kind: openai-compatible, url: "https://other.example/v1", operator: somebody }
routes:
  default: { targets: [direct/claude-sonnet-5, foundry/claude, other/model], spread: operator }
`;
    writeFileSync(join(cwd, "hedgerow.yaml"), yaml);
    const ran = await hedgerow(["plan", "hi"]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toContain("(spread by operator, strictly)");
    expect(ran.out).toMatch(/foundry\/claude: .*operator:anthropic/u);
    expect(ran.out).toContain(
      "upstream_failed: other/model: operator:somebody is apart from the failed one, direct/claude-sonnet-5 (upstream failed)",
    );
    const skipped = {
      target: "foundry/claude",
      why: "shares operator:anthropic with the failed one, direct/claude-sonnet-5 (upstream failed)",
    };
    expect(ran.out).toContain(`skipped ${skipped.target}: ${skipped.why}`);
    const { next, groups } = JSON.parse((await hedgerow(["plan", "hi", "--json"])).out);
    expect(next[0]).toEqual({
      after: "upstream_failed",
      target: "other/model",
      credential: "other#0",
      why: expect.stringContaining("operator:somebody is apart"),
      skipped: [skipped],
    });
    expect(groups["foundry/claude"]).toEqual(expect.arrayContaining(["provider:foundry", "operator:anthropic"]));
  });

  it("says beside the order when somebody is asked beside, who is the last rung, and how sure an answer must be", async () => {
    const yaml = `
providers:
  xai: { kind: xai, key: k }
  anthropic: { kind: anthropic, key: k }
  gemini: { kind: gemini, key: k }
  twin: { kind: openai-compatible, url: "https://twin.example/v1", operator: xai }
  stranger: { kind: openai-compatible, url: "https://stranger.example/v1", dialects: [openai-chat, anthropic-messages] }
  groq: { kind: groq, key: k }
  rented: { kind: openai-compatible, url: "https://rented.example/v1", operator: somebody }
  local: { kind: ollama }
routes:
  default:
    targets: [xai/grok-4, anthropic/claude-sonnet-5, gemini/gemini-2.5-pro, twin/grok, stranger/m, groq/llama-3.3-70b-versatile,
      { target: rented/m, when: last-resort }, { target: local/qwen3, when: last-resort }]
    hedge: { after: 800ms, share: 0.05 }
    confidence: { min: 0.9, exhausted: review, second: rented/m, review: { deadline: 4h } }
  bare: { targets: [xai/grok-4] }
  pool: { targets: [gemini/gemini-2.5-pro, xai/grok-4], hedge: {}, confidence: { mode: pool, estimator: judge, judge: xai/grok-4, exhausted: best } }
`;
    writeFileSync(join(cwd, "hedgerow.yaml"), yaml);
    const ran = await hedgerow(["plan", "hi"]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    for (const line of [
      "  hedge       to anthropic/claude-sonnet-5; after 0.8 s without content",
      "              at most 5 % of the calls, none with tools",
      "              not to gemini/gemini-2.5-pro, groq/llama-3.3-70b-versatile: a cancelled answer is billed in full there",
      "              not to twin/grok: run by the same operator as the first",
      "              not to stranger/m: nobody said who runs one of the two",
      "  last rung   none of your own; rented/m is asked last, while attempts are left",
      "              local/qwen3: when all others failed, attempts used up or not; at once while nobody else can be reached",
      "  confidence  each answer given is right with at least 90 % (per answer)",
      "judged by: log-probabilities, else a second answer of rented/m; before it has learned: scores are taken with caution",
      "nobody sure: a person decides within 4 h; after that the review is refused",
      "log-probabilities asked for: xai/grok-4, gemini/gemini-2.5-pro, twin/grok, rented/m, local/qwen3",
      "log-probabilities not asked for, anthropic-messages has none: anthropic/claude-sonnet-5",
      "log-probabilities asked for in openai-chat, not in anthropic-messages: stranger/m",
      "log-probabilities not asked for, known to be refused: groq/llama-3.3-70b-versatile",
    ])
      expect(ran.out).toContain(line);
    const bare = await hedgerow(["plan", "hi", "-m", "bare"]);
    expect(bare.out).toContain("hedge       off");
    expect(bare.out).toContain("last rung   none: when all have failed, the call is refused");
    expect(bare.out).toContain("confidence  off: answers pass as they are");
    const { rules } = JSON.parse((await hedgerow(["plan", "hi", "-m", "pool", "--json"])).out);
    expect(rules).toMatchObject({
      hedge: {
        after: "p95",
        share: 0.02,
        to: [],
        notTo: [{ target: "xai/grok-4", why: expect.stringContaining("billed in full") }],
      },
      lastResorts: [],
      confidence: { min: 0.85, mode: "pool", delta: 0.05, estimator: "judge", verifier: false, exhausted: "best" },
    });
    expect(rules.confidence.logprobs["xai/grok-4"]).toContainEqual({ language: "openai-chat", logprobs: "asked" });
  });

  it("shows the simulated plan where nothing is configured", async () => {
    expect((await hedgerow(["plan", "hi", "-m", "demo-failover"])).out).toMatch(/sim\/flaky[^]*sim-b\/steady/);
  });

  it("explains a model nobody serves, with exit code 1", async () => {
    const ran = await hedgerow(["plan", "hi", "-m", "defualt-route"], { env });
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("model_not_found") });
    expect(JSON.parse((await hedgerow(["plan", "hi", "--json"], { env })).out)).toMatchObject({
      plan: { route: "default", targets: [{ target: { id: "anthropic/claude-sonnet-5" } }, {}] },
    });
  });
});

describe("report calls", () => {
  function store(...records: readonly CallRecord[]): void {
    mkdirSync(join(cwd, ".hedgerow"));
    const opened = openStore(join(cwd, ".hedgerow", storeFile));
    if (opened.kind === "refused") throw new Error(opened.message);
    const piece = { file: "w1-1-000001.jsonl", fromOffset: 0, toOffset: 1, chainHash: "h" };
    ingestRecords(opened.store, piece, records);
    opened.store.close();
  }

  function fill(): void {
    const now = new Date().toISOString();
    store(
      callRecord("req_old"),
      callRecord("req_new", { at: now, route: "evil\u001b[31m", decision: "failed", code: "upstream_error" }),
    );
  }

  it("never says that an unknown cost is zero, and counts one of a thing as one", async () => {
    const { costNanoUsd: _, ...unpriced } = callRecord("req_1");
    store(unpriced);
    const ran = await hedgerow(["report", "calls"]);
    expect(ran.out).toContain("1 call (1 answered), 1 attempt, ");
    expect(ran.out).toContain("the cost of 1 is unknown");
    expect(ran.out).not.toContain("0.000000 USD");
  });

  it("says what was asked for by a call that was turned away before it had a route", async () => {
    store(callRecord("req_1", { route: "", requestedModel: "gtp-5", decision: "refused", attempts: [] }));
    expect((await hedgerow(["report", "calls"])).out).toMatch(/\d {2}gtp-5 +- /);
  });

  it("says that nothing matches where nothing does", async () => {
    fill();
    expect((await hedgerow(["report", "calls", "--route", "nope"])).out).toBe("No recorded call matches.\n");
  });

  it("prints a table with totals, neutralising what names hold", async () => {
    fill();
    const ran = await hedgerow(["report", "calls"]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toMatch(/^TIME +ROUTE +TARGET/);
    expect(ran.out).toContain("failed (upstream_error)");
    expect(ran.out).toContain("2 calls (1 answered, 1 failed), 2 attempts, 248 tokens in, 100 out, 0.002000 USD");
    expect(ran.out).not.toContain("\u001b");
  });

  it("filters, limits and prints JSON", async () => {
    fill();
    const json = async (...args: readonly string[]) =>
      JSON.parse((await hedgerow(["report", "calls", "--json", ...args])).out) as {
        calls: { id: string }[];
        leftOut: number;
      };
    expect((await json("--since", "1h")).calls.map(({ id }) => id)).toEqual(["req_new"]);
    expect((await json("--decision", "answered")).calls.map(({ id }) => id)).toEqual(["req_old"]);
    expect((await json("--route", "default")).calls.map(({ id }) => id)).toEqual(["req_old"]);
    expect(await json("--limit", "1")).toMatchObject({ calls: [{ id: "req_new" }], leftOut: 1 });
  });

  it.each([
    [["report"], "what to report (`calls`, `spend`, `reconcile`, `sla`, `concentration` or `confidence`) is missing"],
    [["report", "cals"], 'no report "cals"'],
    [["report", "calls", "--since", "1 hour"], "--since: expected a duration"],
    [["report", "calls", "--decision", "maybe"], "--decision takes one of answered"],
    [["report", "calls", "--limit", "0"], "--limit takes a whole number from 1 to 10000"],
  ])("refuses %j", async (args, words) => {
    expect(await hedgerow(args)).toMatchObject({ code: 2, err: expect.stringContaining(words) });
  });

  it("creates nothing in a folder that no gateway has used", async () => {
    const ran = await hedgerow(["report", "calls", "--data", "."]);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("no gateway has kept records in") });
    expect(existsSync(join(cwd, storeFile))).toBe(false);
  });

  it("says what to do with a store that is none", async () => {
    mkdirSync(join(cwd, ".hedgerow"));
    writeFileSync(join(cwd, ".hedgerow", storeFile), "garbage ".repeat(100));
    expect(await hedgerow(["report", "calls"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("move it away"),
    });
  });

  it("creates nothing where there is no data folder", async () => {
    const ran = await hedgerow(["report", "calls", "--data", "nowhere"]);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining("there is no data folder") });
    expect(existsSync(join(cwd, "nowhere"))).toBe(false);
  });
});
