import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { callPaths, readEndpoint } from "#dialects/client-endpoint";
import { judgementLosses } from "#dialects/cohere-chat/judgements";
import { unaryLosses } from "#dialects/openai-chat/unary-losses";
import { storedRequests } from "#dialects/openai-responses/stored-objects";
import { upstreamDialects } from "#dialects/registry";
import type { Operation } from "#domain/call";
import { waysOf } from "#pipeline/find-lane";
import { providerKinds } from "#providers/kinds";
import { sampleProvider } from "../world/sample-snapshot.ts";

const document = readFileSync(new URL("../../docs/endpoints.md", import.meta.url), "utf8");

const languages: Readonly<Record<string, string>> = {
  "OpenAI Chat": "openai-chat",
  "OpenAI Responses": "openai-responses",
  "Anthropic Messages": "anthropic-messages",
  Gemini: "gemini",
  "Bedrock Converse": "bedrock-converse",
};

const operations: Readonly<Record<string, readonly [Operation, streamed?: boolean]>> = {
  "an answer, streamed or whole": ["generate"],
  "a whole answer": ["generate", false],
  "a streamed answer": ["generate", true],
  "a completion, streamed or whole": ["complete"],
  embeddings: ["embed"],
  moderation: ["moderate"],
  ranking: ["rerank"],
  "a count of tokens": ["count-tokens"],
};

const roots = ["", "/v1", "/v1beta", "/openai", "/openai/v1", "/anthropic/v1", "/genai/v1beta"];

describe("docs/endpoints.md: calls", () => {
  const rows = tables("Calls")[0] ?? [];

  it("has every path of the code, and no other", () => {
    expect(rows.map(([path = ""]) => path).toSorted()).toEqual(
      callPaths()
        .map((path) => `POST ${path}`)
        .toSorted(),
    );
  });

  it.each(rows)("%s is %s: %s", (written, language, operation) => {
    const path = written.replace("POST ", "");
    for (const root of roots) {
      const endpoint = readEndpoint(root + path.replace("{model}", "our%2Fmodel"));
      const [wanted, streamed] = operations[operation] ?? [];
      expect(endpoint).toMatchObject({ kind: "call", dialect: languages[language], operation: wanted });
      const address = endpoint?.kind === "call" ? endpoint.address : {};
      expect(address.model).toBe(path.includes("{model}") ? "our/model" : undefined);
      if (streamed !== undefined) expect(address.streamed).toBe(streamed);
    }
  });
});

describe("docs/endpoints.md: models and kept answers", () => {
  it.each(tables("Models")[0] ?? [])("%s is there", (written) => {
    for (const root of roots) {
      const path = root + written.replace("GET ", "").replace("{model}", "our%2Fmodel");
      expect(readEndpoint(path)).toMatchObject({ kind: "models" });
    }
  });

  it.each(tables("Verdicts")[0] ?? [])("%s is there", (written) => {
    for (const root of roots) expect(readEndpoint(root + written.replace("POST ", ""))).toEqual({ kind: "feedback" });
  });

  it.each(tables("Reviews")[0] ?? [])("%s is there", (written) => {
    for (const root of roots) {
      const path = root + written.replace("GET ", "").replace("{review}", "rev_1");
      expect(readEndpoint(path)).toEqual({ kind: "review", review: "rev_1" });
    }
  });

  it("has every request to the gateway's memory, and no other", () => {
    const rows = (tables("Kept answers")[0] ?? []).map(([written = ""]) => written);
    expect(rows.map((written) => written.replaceAll(/\{\w+\}/gu, "*").replace(" /", " ")).toSorted()).toEqual(
      storedRequests.toSorted(),
    );
    for (const written of rows) {
      const [, path = ""] = written.replaceAll(/[{}]/gu, "").split(" ");
      expect(readEndpoint(`/v1${path}`)).toMatchObject({ kind: "stored", dialect: "openai-responses" });
    }
  });
});

/** Models under whose names kinds have one operation more. */
const probed = ["m", "claude-x", "gpt-3.5-turbo-instruct", "cohere.embed-v4:0", "gemini-embedding-001"];

describe("docs/endpoints.md: who can be asked what", () => {
  const [byLanguage = [], byKind = []] = tables("Who can be asked what");
  const every = Object.values(operations).map(([operation]) => operation);
  const asked = [...new Set(every)];

  it("lists the languages of each operation", () => {
    expect(byLanguage.map(([operation = ""]) => operation).toSorted()).toEqual(asked.toSorted());
    for (const [operation = "", written = ""] of byLanguage) {
      const able = Object.values(upstreamDialects).filter((each) =>
        probed.some((model) => each.upstreamPath(operation as Operation, { model, streamed: false }) !== undefined),
      );
      expect(listed(written)).toEqual(able.map(({ id }) => id).toSorted());
    }
  });

  it("lists the kinds of provider that have each operation, for some of their models at least", () => {
    const real = [...providerKinds.values()].filter(({ id }) => !id.startsWith("sim"));
    const found = asked.map((operation) => {
      const kinds = real.filter((kind) => {
        const spec = sampleProvider("p", { kind: kind.id, dialect: kind.dialect });
        return probed.some((model) => {
          const target = { id: `p/${model}`, provider: "p", model, lastResort: false };
          const call = { operation, streamed: false, dialect: "openai-chat" } as Parameters<typeof waysOf>[0]["call"];
          return waysOf({ call, target, spec, kind }).some((way) => way.operation === operation);
        });
      });
      return [operation, kinds.length === real.length ? ["all"] : kinds.map(({ id }) => id).toSorted()];
    });
    expect(byKind.map(([operation, written = ""]) => [operation, listed(written)])).toEqual(found);
  });
});

describe("docs/endpoints.md: losses", () => {
  it("has each row of the code's tables, and no other", () => {
    const openai = Object.entries(unaryLosses).map(([loss, why]) => ["OpenAI-like", loss, "dropped", why]);
    const cohere = Object.entries(judgementLosses).map(([loss, row]) => ["Cohere", loss, row.treatment, row.why]);
    expect(tables("Embeddings and ranking: losses")[0]).toEqual([...openai, ...cohere]);
  });
});

/** The rows of each table under a heading of the second level, without their heads. */
function tables(heading: string): string[][][] {
  const section = document.split(/^## /mu).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return section
    .split(/\n(?!\|)/u)
    .map((part) => part.trim())
    .filter((part) => part.startsWith("|"))
    .map((part) =>
      part
        .split("\n")
        .slice(2)
        .map((line) =>
          line
            .split("|")
            .slice(1, -1)
            .map((cell) => cell.trim().replaceAll("`", "")),
        ),
    );
}

function listed(words: string): string[] {
  return words.split(", ").toSorted();
}
