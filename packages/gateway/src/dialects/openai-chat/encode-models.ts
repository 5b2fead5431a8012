import type { ListedModel } from "#dialects/dialect";

/** `GET /v1/models` in OpenAI's shape; the fields behind `owned_by` are there where the catalogue knows them. */
export function encodeModels(models: readonly ListedModel[]): Uint8Array {
  return Buffer.from(JSON.stringify({ object: "list", data: models.map(modelObject) }));
}

export function encodeModel(model: ListedModel): Uint8Array {
  return Buffer.from(JSON.stringify(modelObject(model)));
}

function modelObject(model: ListedModel): object {
  const { traits } = model;
  return {
    id: model.id,
    object: "model",
    created: model.createdAtS,
    owned_by: model.ownedBy,
    name: traits?.title,
    shutdown_date: traits?.retiresOn,
    context_length: traits?.contextTokens,
    max_output_tokens: traits?.maxOutputTokens,
    input_modalities: traits?.capabilities.inputs,
    lifecycle: traits?.lifecycle,
  };
}
