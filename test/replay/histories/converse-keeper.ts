import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  type ContentBlock,
  type ConverseStreamOutput,
  type Message,
} from "@aws-sdk/client-bedrock-runtime";
import { Readable } from "node:stream";
import { objectOf, objectsOf, type JsonView } from "../json-view.ts";
import { emptySchema, type Keeper } from "./keeper.ts";

/** As Amazon's documents tell: the message of a whole answer, or the deltas of a stream put together block by block. */
export const converseKeeper: Keeper = {
  dialect: "bedrock-converse",
  ask: (tools, streamed) => ({
    body: {
      messages: [{ role: "user", content: [{ text: "hi" }] }],
      inferenceConfig: { maxTokens: 20_000 },
      additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2000 } },
      toolConfig: { tools: tools.map((name) => ({ toolSpec: { name, inputSchema: { json: emptySchema } } })) },
    },
    address: { model: "own-1", streamed },
  }),
  async keep(bytes, streamed) {
    if (!streamed) {
      const { output } = await client(bytes, "application/json").send(new ConverseCommand(question));
      return [objectOf(output?.message)];
    }
    const type = "application/vnd.amazon.eventstream";
    const { stream = [] } = await client(bytes, type).send(new ConverseStreamCommand(question));
    return [{ role: "assistant", content: await joined(stream as AsyncIterable<ConverseStreamOutput>) }];
  },
  /** Written by Amazon's own client, for which bytes are bytes and not base64. */
  async goOn(first, kept, outcomes) {
    const results = outcomes.map(({ id, text }) => ({ toolResult: { toolUseId: id, content: [{ text }] } }));
    const reply = { role: "user", content: results.length === 0 ? [{ text: "Go on." }] : results };
    let written = "";
    const sender = client(Buffer.from('{"output":{}}'), "application/json", (body) => (written = body));
    const messages = [...objectsOf(first["messages"]), ...kept, reply] as unknown as Message[];
    await sender.send(new ConverseCommand({ modelId: "own-1", messages }));
    return { ...first, messages: objectOf(JSON.parse(written))["messages"] };
  },
};

const question = { modelId: "own-1", messages: [{ role: "user" as const, content: [{ text: "hi" }] }] };

function client(bytes: Buffer, type: string, onRequest: (body: string) => void = () => {}): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    region: "eu-central-1",
    token: { token: "k" },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    requestHandler: {
      handle: (request: { readonly body: string }) => {
        onRequest(request.body);
        return Promise.resolve({
          response: { statusCode: 200, reason: "OK", headers: { "content-type": type }, body: Readable.from([bytes]) },
        });
      },
    } as never,
  });
}

async function joined(stream: AsyncIterable<ConverseStreamOutput>): Promise<readonly ContentBlock[]> {
  const blocks = new Map<
    number,
    { tool?: JsonView; text: string; json: string; thought?: JsonView; sealed?: Uint8Array }
  >();
  const blockAt = (index = 0) => {
    const block = blocks.get(index) ?? { text: "", json: "" };
    blocks.set(index, block);
    return block;
  };
  for await (const { contentBlockStart, contentBlockDelta } of stream) {
    const tool = contentBlockStart?.start?.toolUse;
    if (tool !== undefined) blockAt(contentBlockStart?.contentBlockIndex).tool = objectOf(tool);
    const delta = contentBlockDelta?.delta;
    if (delta === undefined) continue;
    const block = blockAt(contentBlockDelta?.contentBlockIndex);
    block.text += delta.text ?? "";
    block.json += delta.toolUse?.input ?? "";
    const { text, signature, redactedContent } = delta.reasoningContent ?? {};
    if (redactedContent !== undefined) block.sealed = redactedContent;
    if (text !== undefined || signature !== undefined) {
      const said = block.thought ?? {};
      block.thought = {
        text: `${(said["text"] as string | undefined) ?? ""}${text ?? ""}`,
        ...(signature === undefined ? {} : { signature }),
      };
    }
  }
  return Array.from(blocks.values(), ({ tool, text, json, thought, sealed }) => {
    if (tool !== undefined) return { toolUse: { ...tool, input: JSON.parse(json === "" ? "{}" : json) as unknown } };
    if (sealed !== undefined) return { reasoningContent: { redactedContent: sealed } };
    return thought === undefined ? { text } : { reasoningContent: { reasoningText: thought } };
  }) as unknown as readonly ContentBlock[];
}
