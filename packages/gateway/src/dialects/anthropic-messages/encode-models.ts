import type { ListedModel } from "#dialects/dialect";

const defaultLimit = 20;
const mostPerPage = 1000;

/**
 * `GET /v1/models` with `limit` (1 to 1000, default 20), `after_id` and `before_id`, as the official SDKs page through
 * it. A cursor that names no model gives an empty page: the list changed under the caller.
 */
export function encodeModels(models: readonly ListedModel[], query: URLSearchParams): Uint8Array {
  const limit = limitOf(query.get("limit"));
  const after = query.get("after_id");
  const before = query.get("before_id");
  const { from, to } = pageOf(models, { limit, after, before });
  const page = models.slice(from, to);
  return Buffer.from(
    JSON.stringify({
      data: page.map(modelInfo),
      first_id: page.at(0)?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
      has_more: before === null ? to < models.length && page.length > 0 : from > 0,
    }),
  );
}

export function encodeModel(model: ListedModel): Uint8Array {
  return Buffer.from(JSON.stringify(modelInfo(model)));
}

interface PageWish {
  readonly limit: number;
  readonly after: string | null;
  readonly before: string | null;
}

function pageOf(models: readonly ListedModel[], { limit, after, before }: PageWish): { from: number; to: number } {
  if (before !== null) {
    const to = models.findIndex((model) => model.id === before);
    return to === -1 ? { from: 0, to: 0 } : { from: Math.max(0, to - limit), to };
  }
  if (after === null) return { from: 0, to: limit };
  const at = models.findIndex((model) => model.id === after);
  return at === -1 ? { from: 0, to: 0 } : { from: at + 1, to: at + 1 + limit };
}

function limitOf(asked: string | null): number {
  const limit = asked === null ? defaultLimit : Number(asked);
  return Number.isInteger(limit) ? Math.min(Math.max(limit, 1), mostPerPage) : defaultLimit;
}

/** An unknown date is the epoch, as the API documents; what the catalogue does not know is null. */
function modelInfo({ id, createdAtS, traits }: ListedModel): Readonly<Record<string, unknown>> {
  const retiring = traits?.lifecycle === "deprecated" || traits?.lifecycle === "retired";
  return {
    type: "model",
    id,
    display_name: traits?.title ?? id,
    created_at: new Date(createdAtS * 1000).toISOString().replace(".000Z", "Z"),
    max_input_tokens: traits?.maxInputTokens ?? traits?.contextTokens ?? null,
    max_tokens: traits?.maxOutputTokens ?? null,
    capabilities: null,
    lifecycle: retiring ? traits?.lifecycle : "active",
    line: null,
    deprecated_at: dayTime(traits?.deprecatedOn),
    retires_at: dayTime(traits?.retiresOn),
  };
}

function dayTime(day: string | undefined): string | null {
  return day === undefined ? null : `${day}T00:00:00Z`;
}
