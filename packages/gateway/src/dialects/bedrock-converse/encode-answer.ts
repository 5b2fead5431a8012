import type { EncodeOptions } from "#dialects/dialect";
import { gatherBlocks, type WholeBlock } from "#dialects/gather-blocks";
import { wellFormedInput } from "#dialects/tool-input";
import type { AnswerEvent } from "#domain/answer";
import { answeredToolId, reportFields, stopFields } from "./answer-ending.ts";
import { answerWarning } from "./losses.ts";
import { tagRedacted, tagSignature } from "./seal-tag.ts";

/**
 * One answer from all its events; undefined where they do not end in `end`. As in a stream, blocks stand in the order of
 * their first content, and those without any are left out.
 */
export function encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined {
  const gathered = gatherBlocks(events);
  if (gathered === undefined) return undefined;
  const { finish, usage, refused, blocks, foreign } = gathered;
  const losses = new Set(foreign.map((what) => answerWarning("foreign-event", what)));
  if (finish?.reason === "paused") losses.add(answerWarning("answer-paused"));
  const content = blocks.map((block, index) => blockJson(block, index, { options, losses }));
  for (const warning of losses) options.onLoss?.(warning);
  const tools = blocks.some((block) => block.kind === "tool");
  const after = { ...stopFields(finish, { tools, refused }, options), ...reportFields(usage, options) };
  const message = `{"role":"assistant","content":[${content.join(",")}]}`;
  return Buffer.from(`{"output":{"message":${message}},${JSON.stringify(after).slice(1)}`);
}

interface Writing {
  readonly options: EncodeOptions;
  readonly losses: Set<string>;
}

/** As text, so that the numbers of a tool's input stay as the model wrote them. */
function blockJson(block: WholeBlock, index: number, { options, losses }: Writing): string {
  switch (block.kind) {
    case "text":
      return JSON.stringify({ text: block.text });
    case "reasoning": {
      if (block.redacted !== undefined) {
        return JSON.stringify({ reasoningContent: { redactedContent: tagRedacted(block.redacted, options.issuer) } });
      }
      const signature = tagSignature(block.signature, options.issuer);
      return JSON.stringify({ reasoningContent: { reasoningText: { text: block.text, signature } } });
    }
    case "tool": {
      const { id, name } = block;
      const head = JSON.stringify({ toolUseId: answeredToolId(id, options.fallbackId, index), name });
      const input = wellFormedInput(block.json);
      if (input.wrapped) losses.add(answerWarning("answer-arguments", name));
      return `{"toolUse":${head.slice(0, -1)},"input":${input.json}}}`;
    }
  }
}
