import type { NeedSigns } from "#dialects/find-needs";

const holds = ["format", "source"];

/** Amazon's API reference, "ContentBlock": a block's only key is its kind. Documents may be plain text. */
export const needSigns: NeedSigns = {
  tools: ["toolConfig"],
  schema: [{ field: "outputConfig", word: '"json_schema"' }],
  prompt: ["system", "messages"],
  media: [
    { input: "image", text: '"image"', probe: 'ge"', holds },
    { input: "video", text: '"video"', probe: 'video"', holds },
    { input: "audio", text: '"audio"', probe: 'audio"', holds },
    { input: "pdf", text: '"pdf"', probe: 'df"', under: ["format"] },
  ],
};
