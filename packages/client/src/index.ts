export { Hedgerow } from "./hedgerow.ts";
export type { HedgerowOptions } from "./hedgerow.ts";
export { ChatStream } from "./chat-stream.ts";
export type { Completions, StreamedRequest, WholeRequest } from "./completions.ts";
export type { Models } from "./models.ts";
export type { GatewayFacts } from "./gateway-facts.ts";
export type * from "./chat-request.ts";
export type * from "./chat-response.ts";
export * from "./errors.ts";
