/** Which of the betas that a caller asks for another's host takes. */
export interface HostedBetas {
  readonly taken: readonly string[];
  /** What the host would answer 400 to. */
  readonly leftOut: readonly string[];
}

/** Marks of Anthropic's own clients and accounts: nothing in a request rests on them. */
const ownMarks = /^(?:claude-code|oauth)-/;

/** The same under the name that hosts have for it (magpie's issue 176; LiteLLM's tutorial on Claude Code's betas). */
const hostNames: Readonly<Record<string, string>> = {
  "advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19",
};

/**
 * Hosts answer "invalid beta flag" or "Unexpected value(s)" to the whole request for one beta that they do not know
 * (anthropics/claude-code#49648, QuantumNous/new-api#2975), and learn new ones late: so only what is known is passed.
 */
export function hostedBetas(header: string | undefined, known: ReadonlySet<string>): HostedBetas {
  const asked = (header ?? "")
    .split(",")
    .map((beta) => beta.trim())
    .filter((beta) => beta !== "" && !ownMarks.test(beta));
  const taken = new Set<string>();
  const leftOut = new Set<string>();
  for (const beta of asked) {
    const name = hostNames[beta] ?? beta;
    if (known.has(name)) taken.add(name);
    else leftOut.add(beta);
  }
  return { taken: [...taken], leftOut: [...leftOut] };
}

const everywhere = ["interleaved-thinking-2025-05-14", "context-management-2025-06-27", "compact-2026-01-12"];

/** From Claude 4.7 on Bedrock refuses the rest, which these models have without asking (anthropics/claude-code#49370). */
export const bedrockBetas: ReadonlySet<string> = new Set([...everywhere, "computer-use-2025-11-24"]);

/** Bedrock's user guide, as collected in BerriAI/litellm#19877. */
export const olderBedrockBetas: ReadonlySet<string> = new Set([
  ...bedrockBetas,
  "computer-use-2024-10-22",
  "computer-use-2025-01-24",
  "token-efficient-tools-2025-02-19",
  "output-128k-2025-02-19",
  "dev-full-thinking-2025-05-14",
  "context-1m-2025-08-07",
  "effort-2025-11-24",
  "tool-search-tool-2025-10-19",
  "tool-examples-2025-10-29",
]);

/** What Vertex has not been reported to refuse (Wei-Shaw/sub2api#3358, anthropics/anthropic-sdk-typescript#1089). */
export const vertexBetas: ReadonlySet<string> = new Set([
  ...everywhere,
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "context-1m-2025-08-07",
  "tool-search-tool-2025-10-19",
  "web-search-2025-03-05",
]);

export const noBetas: ReadonlySet<string> = new Set();
