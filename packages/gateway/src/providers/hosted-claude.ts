import { hostedBetas } from "./claude-betas.ts";
import type { Placement, Sending } from "./provider.ts";

/** Anthropic Messages at a host that has the model in the path and the version in the body. */
export interface ClaudeHost {
  /** The host's own word for version 2023-06-01. */
  readonly version: string;
  /** Whether this model is served under the second version, whose word is its date. */
  readonly hasSecondVersion: boolean;
  /** The betas it takes. */
  readonly betas: ReadonlySet<string>;
  /** Betas stand in the body, not in a header. */
  readonly betasInBody: boolean;
  /** Top-level fields that the host refuses. */
  readonly without: readonly string[];
}

const secondVersion = "2026-10-21";

/** The body and the headers that such a host wants. Source: Anthropic's SDK for Bedrock and Vertex, major 1. */
export function hostedClaude({ headers }: Sending, host: ClaudeHost): Required<Omit<Placement, "path">> {
  const asked = headers["anthropic-version"];
  const version = asked === secondVersion && host.hasSecondVersion ? secondVersion : host.version;
  const { taken, leftOut } = hostedBetas(headers["anthropic-beta"], host.betas);
  const inHeader = taken.length > 0 && !host.betasInBody ? taken.join(",") : undefined;
  return {
    edits: new Map([
      ...host.without.map((field) => [field, undefined] as const),
      ["anthropic_version", JSON.stringify(version)],
      ...(taken.length > 0 && host.betasInBody ? [["anthropic_beta", JSON.stringify(taken)] as const] : []),
    ]),
    headers: { "anthropic-version": undefined, "anthropic-beta": inHeader },
    warnings: leftOut.length === 0 ? [] : [`anthropic-beta: the provider does not take ${leftOut.join(", ")}`],
  };
}
