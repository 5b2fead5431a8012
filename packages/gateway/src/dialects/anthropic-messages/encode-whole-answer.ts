import type { AnswerEvent } from "#domain/answer";
import type { EncodeOptions } from "#dialects/dialect";
import { gatherBlocks, type WholeBlock } from "#dialects/gather-blocks";
import { messageHead, stopFields, toolId } from "./encode-answer.ts";
import { answerWarning } from "./losses.ts";
import { tagSeal } from "./seal-tag.ts";
import { wellFormedInput } from "#dialects/tool-input";
import { usageJson } from "./usage-fields.ts";

/**
 * One message from all events of an answer; undefined where they do not end in `end`. As in a stream, blocks stand in
 * the order of their first content, and those without any are left out.
 */
export function encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined {
  const gathered = gatherBlocks(events);
  if (gathered === undefined) return undefined;
  const { head, finish, usage, refused, blocks, foreign } = gathered;
  const losses = new Set(foreign.map((what) => answerWarning("foreign-event", what)));
  if (finish?.reason === "malformed") losses.add(answerWarning("answer-malformed"));
  const content = blocks.map((block, index) => blockJson(block, index, { options, losses }));
  for (const warning of losses) options.onLoss?.(warning);
  const tools = blocks.some((block) => block.kind === "tool");
  const before = JSON.stringify(messageHead(head, options)).slice(0, -1);
  const after = JSON.stringify({
    ...stopFields(finish, { tools, refused }, options.request),
    usage: usageJson(usage),
    hedgerow: options.facts?.(),
  }).slice(1);
  return Buffer.from(`${before},"content":[${content.join(",")}],${after}`);
}

interface Writing {
  readonly options: EncodeOptions;
  readonly losses: Set<string>;
}

/** As text, so that the numbers of a tool's input stay as the model wrote them. */
function blockJson(block: WholeBlock, index: number, { options, losses }: Writing): string {
  switch (block.kind) {
    case "text":
      return JSON.stringify({ type: "text", text: block.text, citations: null });
    case "reasoning": {
      if (block.redacted !== undefined) {
        return JSON.stringify({ type: "redacted_thinking", data: tagSeal(block.redacted, options.issuer) });
      }
      const signature = tagSeal(block.signature, options.issuer);
      return JSON.stringify({ type: "thinking", thinking: block.text, signature });
    }
    case "tool": {
      const head = JSON.stringify({
        type: "tool_use",
        id: toolId(block.id, options.fallbackId, index),
        name: block.name,
        caller: { type: "direct" },
      });
      const input = wellFormedInput(block.json);
      if (input.wrapped) losses.add(answerWarning("answer-arguments", block.name));
      return `${head.slice(0, -1)},"input":${input.json}}`;
    }
  }
}
