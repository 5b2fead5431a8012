import type { Secret } from "#domain/secret";
import { bearer } from "./authorize.ts";
import type { CredentialHeaders, OutgoingRequest, Sending, SettingUse } from "./provider.ts";

/**
 * Azure's addresses. Source: https://learn.microsoft.com/azure/ai-foundry/openai (v1 and dated APIs, read 2026-11).
 */

/** A base address as people paste it, down to the resource and the project it names. */
const pasted =
  /^(.*?)(\/api\/projects\/[^/]+)?(?:\/openai(?:\/v1|\/deployments\/[^/]+)?|\/models|\/anthropic(?:\/v1)?)?$/;

/** What stands before Azure's own path, and the project where the address names one. */
export function azureRoot({ basePath, project }: Sending): { readonly root: string; readonly project: string } {
  const [, root = "", named = ""] = pasted.exec(basePath) ?? [];
  return { root, project: project === undefined ? named : `/api/projects/${encodeURIComponent(project)}` };
}

/** Whether the configuration asks for the older API, whose every path carries its date. */
export function isDated(apiVersion: string | undefined): apiVersion is string {
  return apiVersion !== undefined && /^\d{4}-\d\d-\d\d/.test(apiVersion);
}

/** The undated API; `preview` opens what is not final yet. */
export function azureV1(sending: Sending): string {
  const { root, project } = azureRoot(sending);
  const { apiVersion } = sending;
  const path = `${root}${project}/openai/v1${sending.path}`;
  return apiVersion === undefined || apiVersion === "v1" ? path : withApiVersion(path, apiVersion);
}

export function withApiVersion(path: string, apiVersion: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}api-version=${encodeURIComponent(apiVersion)}`;
}

const entraToken = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

/** Tokens of Entra ID are JWTs; all else is a resource's key. Anthropic's language has its own header for it. */
export function azureKey(secret: Secret | undefined, { path }: OutgoingRequest): CredentialHeaders {
  if (secret === undefined) return {};
  const key = secret.reveal();
  if (entraToken.test(key)) return bearer(secret);
  return path.includes("/anthropic/v1/") ? { "x-api-key": key } : { "api-key": key };
}

export const resourceSetting: SettingUse = { example: "my-resource", needed: ({ url }) => !url };
