import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSimulator } from "#simulation/server";
import { pricesOf } from "./prices.ts";
import { readStoredAnswers } from "./read-stored-answers.ts";
import { storedProvider } from "./stored-provider.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "hedgerow-stored-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const answer = (text: string, conf: number | null, more: object = {}) => ({
  answer: text,
  correct: 1,
  conf_log: conf,
  cost_usd: 0.0003,
  gen_cost_usd: 0.0001,
  latency_ms: 400,
  tok_in: 90,
  tok_out: 10,
  ...more,
});

function write(rows: readonly object[], name = "triviaqa"): void {
  mkdirSync(join(folder, "rational-llm-cascades"), { recursive: true });
  const lines = rows.map((row) => JSON.stringify(row)).join("\n");
  writeFileSync(join(folder, "rational-llm-cascades", `${name}.jsonl.gz`), gzipSync(`${lines}\n`));
}

const row = (id: string, question: string, models: object) => ({
  id,
  system: "Be short.",
  user: `Answer.\n\nQuestion: ${question}\n\nAnswer: `,
  signal: "p_true_log",
  models,
});

describe("stored answers", () => {
  it("says what is wrong with a folder, a line, a row", () => {
    expect(readStoredAnswers(folder)).toMatchObject({
      kind: "unreadable",
      why: expect.stringContaining("holds neither"),
    });
    write([row("a", "Who?", { m: { ...answer("Bob", -0.1), correct: 2 } })]);
    expect(readStoredAnswers(folder)).toEqual({
      kind: "unreadable",
      why: expect.stringMatching(/^line 1 of triviaqa: models\.m\.correct: /u),
    });
    write([row("a", "Who?", { m: answer("Bob", -0.1) }), row("b", "What?", { n: answer("It", -0.1) })]);
    expect(readStoredAnswers(folder)).toEqual({ kind: "unreadable", why: "row b of triviaqa has no answer of m" });
  });

  it("finds each model's price in what its answers cost", () => {
    const cost = (input: number, output: number) => ({
      tok_in: input,
      tok_out: output,
      gen_cost_usd: input * 15e-8 + output * 60e-8,
    });
    write([
      row("a", "Who?", { m: answer("Bob", -0.1, cost(100, 3)) }),
      row("b", "What?", { m: answer("It", -0.1, cost(140, 9)) }),
      row("c", "When?", { m: answer("Now", -0.1, cost(80, 30)) }),
    ]);
    const read = readStoredAnswers(folder);
    if (read.kind !== "read") throw new Error(read.why);
    const price = pricesOf(read.tasks).get("m");
    expect(price?.input).toBeCloseTo(15e-8, 14);
    expect(price?.output).toBeCloseTo(60e-8, 14);
  });

  it("answers its rows, and says of an answer what its model said of it, whoever quotes the question", async () => {
    write([
      row("a", 'Who wrote "Emma"?', { m: answer("Austen", -0.25) }),
      row("b", "Who wrote Ulysses?", { m: answer("Bob", null) }),
    ]);
    const read = readStoredAnswers(folder);
    if (read.kind !== "read") throw new Error(read.why);
    const prices = new Map([["m", { input: 1e-6, output: 2e-6 }]]);
    const simulator = await startSimulator({
      script: storedProvider({ tasks: read.tasks, prices, pace: 0 }),
      lenient: true,
    });
    const ask = async (content: string) => {
      const answered = await fetch(`${simulator.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content }], logprobs: true }),
      });
      return { status: answered.status, body: (await answered.json()) as Record<string, never> };
    };
    try {
      const [first] = read.tasks[0]?.rows ?? [];
      const given = await ask(first?.prompt ?? "");
      expect(given.body).toMatchObject({ choices: [{ message: { content: "Austen" }, logprobs: null }] });
      const judged = await ask(`Is this right? ${JSON.stringify({ question: first?.prompt, answer: "Austen" })}`);
      const [choice] = judged.body["choices"] as unknown as [
        { logprobs: { content: { top_logprobs: { logprob: number }[] }[] } },
      ];
      const top = choice.logprobs.content[0]?.top_logprobs.map(({ logprob }) => logprob) ?? [];
      expect(top[0]).toBe(-0.25);
      expect(Math.exp(top[0] ?? 0) + Math.exp(top[1] ?? 0)).toBeCloseTo(1, 12);
      // What asking cost, in tokens of this price: (0.0003 − 0.0001 − 2e-6) ÷ 1e-6.
      expect(judged.body["usage"]).toMatchObject({ prompt_tokens: 198, completion_tokens: 1 });
      const refused = await ask("Is this right?\n> Question: Who wrote Ulysses?\n> Bob");
      expect(refused.status).toBe(200);
      expect(refused.body).toMatchObject({ choices: [{ message: { content: "N" } }] });
      expect((await ask("Question: Who wrote Hamlet?")).status).toBe(400);
    } finally {
      await simulator.close();
    }
  });
});
