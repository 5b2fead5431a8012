import type { Placement, Sending } from "./provider.ts";

/** Anthropic Messages at a host that has the model in the path and the version in the body. */
export interface ClaudeHost {
  /** The host's own word for version 2023-06-01. */
  readonly version: string;
  /** Whether this model is served under the second version, whose word is its date. */
  readonly hasSecondVersion: boolean;
  /** Betas stand in the body, not in a header. */
  readonly betasInBody: boolean;
  /** Top-level fields that the host refuses. */
  readonly without: readonly string[];
}

const secondVersion = "2026-10-21";

/** Marks of Anthropic's own clients and accounts; hosts answer betas they do not know with a 400. */
const ownBetas = /^(?:claude-code|oauth)-/;

/** The body and the headers that such a host wants. Source: Anthropic's SDK for Bedrock and Vertex, major 1. */
export function hostedClaude({ headers }: Sending, host: ClaudeHost): Required<Omit<Placement, "path">> {
  const asked = headers["anthropic-version"];
  const version = asked === secondVersion && host.hasSecondVersion ? secondVersion : host.version;
  const betas = (headers["anthropic-beta"] ?? "")
    .split(",")
    .map((beta) => beta.trim())
    .filter((beta) => beta !== "" && !ownBetas.test(beta));
  const inHeader = betas.length > 0 && !host.betasInBody ? betas.join(",") : undefined;
  return {
    edits: new Map([
      ...host.without.map((field) => [field, undefined] as const),
      ["anthropic_version", JSON.stringify(version)],
      ...(betas.length > 0 && host.betasInBody ? [["anthropic_beta", JSON.stringify(betas)] as const] : []),
    ]),
    headers: { "anthropic-version": undefined, "anthropic-beta": inHeader },
  };
}
