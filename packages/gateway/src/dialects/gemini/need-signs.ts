import type { NeedSigns } from "#dialects/find-needs";

const under = ["mimeType", "mime_type"];

/** Google's API reference, "generateContent": JSON names in both spellings, media by their MIME type. */
export const needSigns: NeedSigns = {
  tools: ["tools"],
  schema: ["generationConfig", "generation_config"].flatMap((field) => [
    { field, word: "esponseSchema" },
    { field, word: "esponseJsonSchema" },
    { field, word: "esponse_schema" },
    { field, word: "esponse_json_schema" },
  ]),
  prompt: ["systemInstruction", "system_instruction", "contents"],
  media: [
    { input: "image", text: '"image/', probe: '"image/', under },
    { input: "audio", text: '"audio/', probe: '"audio/', under },
    { input: "video", text: '"video/', probe: '"video/', under },
    { input: "pdf", text: '"application/pdf"', probe: '/pdf"', under },
  ],
};
