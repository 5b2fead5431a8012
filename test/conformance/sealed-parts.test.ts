import { describe, expect, it } from "vitest";
import { upstreamDialects } from "#dialects/registry";
import type { GenerateRequest, Part } from "#domain/request";
import { lossTable } from "./loss-tables.ts";
import { languages, targets } from "./ways.ts";

const seal = { issuer: "moonbase", form: "signature", value: "c2VhbA" } as const;
const sealed: readonly Part[] = [
  { kind: "text", text: "a", seal },
  { kind: "tool-call", id: "c", name: "f", argumentsJson: "{}", seal },
];

describe.each(languages)("a seal that another vendor put on a part of an answer, into %s", (language) => {
  it.each(sealed)("stays behind, and the caller is told: on a $kind", async (part) => {
    const call: Part = { kind: "tool-call", id: "c", name: "f", argumentsJson: "{}" };
    const request: GenerateRequest = {
      model: "m",
      streamed: false,
      usageInStream: true,
      turns: [
        { role: "user", parts: [{ kind: "text", text: "q" }] },
        { role: "assistant", parts: part.kind === "text" ? [part, call] : [part] },
        {
          role: "user",
          parts: [{ kind: "tool-result", callId: "c", parts: [{ kind: "text", text: "1" }], failed: false }],
        },
      ],
      tools: [{ kind: "function", name: "f", schema: { type: "object" } }],
      sampling: {},
      maxOutputTokens: 9000,
      stop: [],
      choices: 1,
      rest: {},
    };
    const made = upstreamDialects[language].encodeRequest(request, targets[language]);
    if (made.kind === "refused") throw new Error(made.failure.message);
    expect(Buffer.from(made.body).toString()).not.toContain("c2VhbA");
    const told = (await lossTable(language)).asked.filter(({ name }) =>
      made.warnings.some((warning) => warning.startsWith(`${name}: `)),
    );
    expect(told.map(({ words }) => words).join()).toMatch(/vendor/);
  });
});
