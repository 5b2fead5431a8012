import { plainChatQuirks } from "#domain/quirks";
import { bearer } from "./authorize.ts";
import { classifierWith } from "./classify-reply.ts";
import { cohereRows } from "./own-rows.ts";
import { usualRequestId } from "./request-id.ts";
import type { ProviderKind } from "./provider.ts";

/** Its own language alone: the OpenAI-compatible address loses documents, plans and what is billed. */
export const cohere: ProviderKind = {
  id: "cohere",
  title: "Cohere",
  vendor: "cohere",
  dialect: "cohere-chat",
  url: "https://api.cohere.com/v2",
  // The second is the name that its own clients read.
  environmentKeys: ["COHERE_API_KEY", "CO_API_KEY"],
  keyless: false,
  quirks: plainChatQuirks,
  operator: "cohere",
  owner: "cohere",
  authorize: bearer,
  classify: classifierWith(cohereRows),
  requestId: ({ "x-debug-trace-id": trace, ...others }) =>
    usualRequestId(trace === undefined ? others : { "x-request-id": trace }),
};
