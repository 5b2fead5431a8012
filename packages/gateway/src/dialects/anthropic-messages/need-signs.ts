import type { NeedSigns } from "#dialects/find-needs";

/** Anthropic's API reference, "Messages": documents may be plain text, so that only a PDF's own type counts. */
export const needSigns: NeedSigns = {
  // The servers of the MCP connector bring tools of their own.
  tools: ["tools", "mcp_servers"],
  schema: [
    { field: "output_config", word: '"json_schema"' },
    { field: "output_format", word: '"json_schema"' },
  ],
  prompt: ["system", "messages"],
  media: [
    { input: "image", text: '"image"', probe: 'ge"', under: ["type"] },
    { input: "pdf", text: '"application/pdf"', probe: '/pdf"', under: ["media_type"] },
  ],
};
