import type { ListedModel } from "#dialects/dialect";
import { defined } from "#dialects/shape";

const usualPage = 50;
const largestPage = 1000;

/**
 * `GET /v1beta/models` with `pageSize` (1 to 1000, 50 where not said) and `pageToken`
 * (https://ai.google.dev/api/models#method:-models.list). A token is the last name shown: a list that changed goes on
 * behind it, and one that lost it is at its end.
 */
export function encodeModels(models: readonly ListedModel[], query: URLSearchParams): Uint8Array {
  const size = pageSize(query.get("pageSize") ?? query.get("page_size"));
  const token = query.get("pageToken") ?? query.get("page_token") ?? "";
  const behind = token === "" ? 0 : models.findIndex(({ id }) => id === nameOfToken(token)) + 1;
  const from = token !== "" && behind === 0 ? models.length : behind;
  const page = models.slice(from, from + size);
  const last = page.at(-1);
  const isMore = last !== undefined && from + size < models.length;
  return Buffer.from(
    JSON.stringify({ models: page.map(modelObject), ...(isMore ? { nextPageToken: tokenOf(last.id) } : {}) }),
  );
}

export function encodeModel(model: ListedModel): Uint8Array {
  return Buffer.from(JSON.stringify(modelObject(model)));
}

function pageSize(asked: string | null): number {
  const size = Number(asked ?? usualPage);
  return Number.isSafeInteger(size) && size > 0 ? Math.min(size, largestPage) : usualPage;
}

function tokenOf(id: string): string {
  return Buffer.from(id).toString("base64url");
}

function nameOfToken(token: string): string {
  return Buffer.from(token, "base64url").toString("utf8");
}

/** `Model` of the API; what the catalogue does not know is left out. */
function modelObject({ id, traits }: ListedModel): object {
  const { contextTokens, maxInputTokens, maxOutputTokens, capabilities, title, lifecycle } = traits ?? {};
  // No list says so but by the name.
  const isEmbedder = /(?:^|[^a-z])embed/iu.test(traits?.name ?? id);
  return defined({
    name: `models/${id}`,
    baseModelId: id,
    version: id,
    displayName: title ?? id,
    description: lifecycle === "deprecated" || lifecycle === "retired" ? `This model is ${lifecycle}.` : undefined,
    inputTokenLimit: maxInputTokens ?? contextTokens,
    outputTokenLimit: maxOutputTokens,
    supportedGenerationMethods: isEmbedder
      ? ["embedContent", "batchEmbedContents"]
      : ["generateContent", "streamGenerateContent", "countTokens"],
    thinking: capabilities?.reasoning,
  });
}
