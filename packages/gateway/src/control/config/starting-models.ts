/**
 * The model a default route begins with, by provider kind, in the order the route asks them: each vendor's current
 * general model that calls tools, by the price lists of models.dev (2026-07-02) and the vendors' pages (2026-09-22).
 * Data, read by key only. A kind that is not here still serves every model a caller names.
 */
export const startingModels: ReadonlyMap<string, string> = new Map([
  ["anthropic", "claude-sonnet-5"],
  ["openai", "gpt-5.4"],
  ["xai", "grok-4.6"],
  ["gemini", "gemini-3.5-flash"],
  ["mistral", "mistral-medium-2604"],
  ["deepseek", "deepseek-v4-pro"],
  ["groq", "openai/gpt-oss-120b"],
  ["cerebras", "gpt-oss-120b"],
  ["together", "zai-org/GLM-5.2"],
  ["fireworks", "accounts/fireworks/models/glm-5p2"],
  ["openrouter", "anthropic/claude-sonnet-5"],
]);
