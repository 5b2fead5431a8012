import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import type { ListedModel } from "#dialects/dialect";
import { encodeModel, encodeModels } from "./encode-models.ts";

const models: readonly ListedModel[] = Array.from({ length: 45 }, (_, index) => ({
  id: `vendor/m${index}`,
  ownedBy: "vendor",
  createdAtS: index,
}));

// Assertions read deep into JSON: its own loose type serves them.
function page(query: string): ReturnType<typeof JSON.parse> {
  return JSON.parse(Buffer.from(encodeModels(models, new URLSearchParams(query))).toString());
}

describe("encodeModels of Messages", () => {
  it("is paged through by the official SDK, each model once", async () => {
    const client = new Anthropic({
      apiKey: "k",
      fetch: async (url) =>
        new Response(Buffer.from(encodeModels(models, new URL(url instanceof Request ? url.url : url).searchParams)), {
          headers: { "content-type": "application/json" },
        }),
    });
    const ids: string[] = [];
    for await (const model of client.models.list({ limit: 7 })) ids.push(model.id);
    expect(ids).toEqual(models.map((model) => model.id));
  });

  it("gives twenty where no limit is asked for, and says that there are more", () => {
    expect(page("")).toMatchObject({ first_id: "vendor/m0", last_id: "vendor/m19", has_more: true });
    expect(page("").data).toHaveLength(20);
    expect(page("limit=1000").has_more).toBe(false);
  });

  it("gives the page just before a cursor", () => {
    expect(page("before_id=vendor/m10&limit=3")).toMatchObject({
      first_id: "vendor/m7",
      last_id: "vendor/m9",
      has_more: true,
    });
    expect(page("before_id=vendor/m2&limit=3")).toMatchObject({ first_id: "vendor/m0", has_more: false });
  });

  it("gives an empty page for a cursor that is gone, and a usual one for a limit that is no number", () => {
    expect(page("after_id=nobody")).toEqual({ data: [], first_id: null, last_id: null, has_more: false });
    expect(page("limit=many").data).toHaveLength(20);
    expect(page("limit=0").data).toHaveLength(1);
  });

  it("tells limits and lifecycle where the catalogue knows them, null where not", () => {
    const from = { source: "s", date: "2026-11-21" };
    const known: ListedModel = {
      id: "a/b",
      ownedBy: "a",
      createdAtS: 1_700_000_000,
      traits: {
        name: "a/b",
        contextTokens: 200_000,
        maxOutputTokens: 64_000,
        lifecycle: "deprecated",
        title: "The Model B",
        deprecatedOn: "2026-08-01",
        retiresOn: "2027-02-01",
        capabilities: {},
        from,
      },
    };
    const info: unknown = JSON.parse(Buffer.from(encodeModel(known)).toString());
    expect(info).toMatchObject({
      type: "model",
      id: "a/b",
      display_name: "The Model B",
      created_at: "2023-11-14T22:13:20Z",
      max_input_tokens: 200_000,
      max_tokens: 64_000,
      lifecycle: "deprecated",
      deprecated_at: "2026-08-01T00:00:00Z",
      retires_at: "2027-02-01T00:00:00Z",
    });
    expect(page("limit=1").data[0]).toMatchObject({
      created_at: "1970-01-01T00:00:00Z",
      display_name: "vendor/m0",
      max_tokens: null,
      deprecated_at: null,
      lifecycle: "active",
    });
  });
});
