import { chatClient } from "./chat-client.ts";
import { converseClient } from "./converse-client.ts";
import { geminiArrayClient, geminiClient } from "./gemini-client.ts";
import type { MatrixClient } from "./matrix-client.ts";
import { messagesClient } from "./messages-client.ts";
import { responsesClient } from "./responses-client.ts";

export const clients: readonly MatrixClient[] = [
  chatClient,
  responsesClient,
  messagesClient,
  geminiClient,
  geminiArrayClient,
  converseClient,
];
