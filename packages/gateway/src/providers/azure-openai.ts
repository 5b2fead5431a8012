import { plainChatQuirks } from "#domain/quirks";
import { azureKey, azureRoot, azureV1, isDated, resourceSetting, withApiVersion } from "./azure-addresses.ts";
import { classifierWith } from "./classify-reply.ts";
import { openaiLanes } from "./openai-lanes.ts";
import { azureRows } from "./own-rows.ts";
import { usualRequestId } from "./request-id.ts";
import type { DialectId } from "#domain/call";
import type { Placement, ProviderKind, Sending } from "./provider.ts";

/** OpenAI's models in a resource of one's own, each under the name of its deployment. */
export const azureOpenai: ProviderKind = {
  id: "azure-openai",
  title: "Azure OpenAI",
  vendor: "openai",
  dialect: "openai-chat",
  lanes: (model, operation, name = model) => openaiLanes(name, operation),
  languages: ["openai-chat", "openai-responses"],
  urlFor: ({ resource }) => (resource === undefined ? undefined : `https://${resource}.openai.azure.com`),
  settings: { resource: resourceSetting, apiVersion: { example: "2025-04-01-preview" } },
  environmentKeys: ["AZURE_OPENAI_API_KEY"],
  environment: {
    settings: { url: ["AZURE_OPENAI_ENDPOINT"], resource: ["AZURE_RESOURCE_NAME"], apiVersion: ["OPENAI_API_VERSION"] },
  },
  keyless: false,
  quirks: { ...plainChatQuirks, refusesThoughts: true },
  operations: () => ["generate", "count-tokens", "embed", "complete"],
  operator: "microsoft",
  owner: "microsoft",
  place: (sending) => (isDated(sending.apiVersion) ? dated(sending, sending.apiVersion) : { path: azureV1(sending) }),
  authorize: azureKey,
  classify: classifierWith(azureRows),
  requestId: usualRequestId,
};

/** Languages that the dated API has at the resource, their body naming the deployment. */
const besideDeployments: ReadonlySet<DialectId> = new Set(["openai-responses"]);

/** The dated API has the deployment in the path, but for Responses. */
function dated(sending: Sending, apiVersion: string): Placement {
  const { root } = azureRoot(sending);
  const isBeside = besideDeployments.has(sending.dialect);
  const deployment = isBeside ? "" : `/deployments/${encodeURIComponent(sending.model)}`;
  return { path: withApiVersion(`${root}/openai${deployment}${sending.path}`, apiVersion) };
}
