/** Whether a model is one of Anthropic's, by whatever name a host has for it. */
export function isClaude(model: string): boolean {
  return /(?:^|[^a-z])claude(?:[^a-z]|$)/i.test(model);
}

/**
 * Whether hosts serve a Claude under the second version of Anthropic's API too: from 4.7 on (Anthropic's documentation
 * of Bedrock, read 2026-11).
 */
export function hasSecondVersion(model: string): boolean {
  const [, major = "", minor = "0"] = /claude-[a-z]+-(\d+)(?:-(\d{1,2}))?(?!\d)/i.exec(model) ?? [];
  return Number(major) > 4 || (major === "4" && Number(minor) >= 7);
}
