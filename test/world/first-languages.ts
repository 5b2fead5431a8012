/** The two languages whose every fault and every cut is tried in each direction. */
export type FirstLanguage = "openai-chat" | "anthropic-messages";
