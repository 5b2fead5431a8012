import type { GenerateRequest } from "#domain/request";
import type { EncodeTarget } from "./dialect.ts";

/** Alternatives asked for at each place of an answer; all who tell log-probabilities tell this many. */
export const addedTop = 5;

/**
 * The log-probabilities to ask a target for: the caller's wish, else the gateway's own. `added` tells that only the
 * gateway wants them, so that they are kept from the caller. `isRefused`: the target is known to answer 400 to them.
 */
export function wishedLogprobs(
  request: GenerateRequest,
  target: EncodeTarget,
  isRefused: boolean,
): { readonly logprobs: GenerateRequest["logprobs"]; readonly added: boolean } {
  const added = target.wantsLogprobs === true && request.logprobs === undefined && !isRefused;
  return { logprobs: added ? { top: addedTop } : request.logprobs, added };
}

/** The mark of an encoded request to which they were added. */
export function markAdded(added: boolean): { readonly logprobsAdded?: true } {
  return added ? { logprobsAdded: true } : {};
}
