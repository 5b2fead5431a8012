import type { NeedSigns } from "#dialects/find-needs";

/** OpenAI's API reference, "Create a response". What a file's id or address holds is not known. */
export const needSigns: NeedSigns = {
  tools: ["tools"],
  schema: [{ field: "text", word: '"json_schema"' }],
  prompt: ["input", "instructions"],
  media: [
    { input: "image", text: '"input_image"', probe: '_image"', under: ["type"] },
    { input: "audio", text: '"input_audio"', probe: '_audio"', under: ["type"] },
    { input: "pdf", text: '"data:application/pdf', probe: "/pdf", under: ["file_data"] },
  ],
};
