import { chatClient } from "./chat-client.ts";
import type { MatrixClient } from "./matrix-client.ts";
import { messagesClient } from "./messages-client.ts";
import { responsesClient } from "./responses-client.ts";

export const clients: readonly MatrixClient[] = [chatClient, responsesClient, messagesClient];
