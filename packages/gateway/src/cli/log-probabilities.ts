import { upstreamDialects, isSpoken } from "#dialects/registry";
import type { EncodeTarget } from "#dialects/dialect";
import type { DialectId } from "#domain/call";
import type { Target } from "#domain/plan";
import { plainChatQuirks } from "#domain/quirks";
import type { GenerateRequest } from "#domain/request";
import type { ProviderSpec } from "#domain/snapshot";
import { findKind } from "#providers/kinds";

/** What a target is asked for in one of its languages. A target may still refuse what it is asked for. */
export interface LogprobsIn {
  readonly language: DialectId;
  /** `refused`: the provider or model is known to answer 400. `none`: the language has no such thing. */
  readonly logprobs: "asked" | "refused" | "none";
}

const plainRequest: GenerateRequest = {
  model: "",
  streamed: false,
  usageInStream: false,
  turns: [{ role: "user", parts: [{ kind: "text", text: "Hi" }] }],
  tools: [],
  sampling: {},
  stop: [],
  choices: 1,
  rest: {},
};

/** Whether a gate would ask a target for log-probabilities, by each language it can be asked in, its preferred first. */
export function logprobsOf(target: Target, spec: ProviderSpec): readonly LogprobsIn[] {
  const { model, traits } = target;
  const spoken = spec.dialects ?? findKind(spec.kind)?.lanes?.(model, "generate", traits?.name) ?? [spec.dialect];
  const asked: EncodeTarget = {
    model,
    issuer: spec.id,
    quirks: spec.quirks,
    ...(traits === undefined ? {} : { traits }),
    streamed: false,
    wantsLogprobs: true,
  };
  return spoken
    .filter((language) => isSpoken(language))
    .map((language) => {
      if (isAsked(language, asked)) return { language, logprobs: "asked" };
      const anybody = {
        model,
        issuer: spec.id,
        quirks: plainChatQuirks,
        streamed: false,
        wantsLogprobs: true,
      } as const;
      return { language, logprobs: isAsked(language, anybody) ? "refused" : "none" };
    });
}

/** What the encoder of live calls does: nothing here is a second opinion. */
function isAsked(language: DialectId, target: EncodeTarget): boolean {
  const encoded = upstreamDialects[language].encodeRequest(plainRequest, target);
  return encoded.kind === "encoded" && encoded.logprobsAdded === true;
}
