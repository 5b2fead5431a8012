import type { NeedSigns } from "#dialects/find-needs";

/** OpenAI's API reference, "Create chat completion"; `video_url` is what several hosts add. */
export const needSigns: NeedSigns = {
  tools: ["tools", "functions"],
  schema: [{ field: "response_format", word: '"json_schema"' }],
  prompt: ["messages"],
  media: [
    { input: "image", text: '"image_url"', probe: '_url"', under: ["type"] },
    { input: "video", text: '"video_url"', probe: '_url"', under: ["type"] },
    { input: "audio", text: '"input_audio"', probe: '_audio"', under: ["type"] },
    { input: "pdf", text: '"data:application/pdf', probe: "/pdf", under: ["file_data"] },
  ],
};
