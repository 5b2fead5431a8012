import { plainChatQuirks } from "#domain/quirks";
import { azureKey, azureRoot, azureV1, isDated, resourceSetting, withApiVersion } from "./azure-addresses.ts";
import { classifierWith } from "./classify-reply.ts";
import { isClaude } from "./claude-names.ts";
import { openaiLanes } from "./openai-lanes.ts";
import { azureRows } from "./own-rows.ts";
import { usualRequestId } from "./request-id.ts";
import type { DialectId } from "#domain/call";
import type { Placement, ProviderKind, Sending } from "./provider.ts";

/**
 * Models of many vendors in one resource. Nobody operates all of it: Claude is run by Anthropic, the rest by Microsoft,
 * so that `operator` is for the configuration to say.
 */
export const azureFoundry: ProviderKind = {
  id: "azure-foundry",
  title: "Azure AI Foundry",
  dialect: "openai-chat",
  lanes: (model, operation, name = model) => (isClaude(name) ? ["anthropic-messages"] : openaiLanes(name, operation)),
  languages: ["openai-chat", "openai-responses", "anthropic-messages"],
  urlFor: ({ resource }) => (resource === undefined ? undefined : `https://${resource}.services.ai.azure.com`),
  settings: {
    resource: resourceSetting,
    project: { example: "my-project" },
    apiVersion: { example: "2024-05-01-preview" },
  },
  environmentKeys: ["AZURE_AI_API_KEY", "ANTHROPIC_FOUNDRY_API_KEY"],
  environment: {
    settings: {
      url: ["AZURE_AI_ENDPOINT", "AZURE_AI_API_BASE", "ANTHROPIC_FOUNDRY_BASE_URL"],
      resource: ["ANTHROPIC_FOUNDRY_RESOURCE"],
    },
  },
  keyless: false,
  quirks: plainChatQuirks,
  operations: () => ["generate", "count-tokens", "embed"],
  owner: "microsoft",
  place,
  authorize: azureKey,
  classify: classifierWith(azureRows),
  requestId: usualRequestId,
};

/** Where each language is spoken; the date is that of the Models API alone. */
const places: Partial<Readonly<Record<DialectId, (sending: Sending) => Placement>>> = {
  "anthropic-messages": (sending) => ({ path: `${azureRoot(sending).root}/anthropic/v1${sending.path}` }),
  "openai-chat": (sending) =>
    isDated(sending.apiVersion) ? ofModelsApi(sending, sending.apiVersion) : { path: azureV1(sending) },
};

function place(sending: Sending): Placement {
  const { apiVersion, ...undated } = sending;
  return places[sending.dialect]?.(sending) ?? { path: azureV1(isDated(apiVersion) ? undated : sending) };
}

function ofModelsApi(sending: Sending, apiVersion: string): Placement {
  // Fields that this API has no word for go on to the model, which may know them.
  const headers = { "extra-parameters": "pass-through" };
  return { path: withApiVersion(`${azureRoot(sending).root}/models${sending.path}`, apiVersion), headers };
}
