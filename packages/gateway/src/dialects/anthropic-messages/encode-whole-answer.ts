import type { AnswerEvent, Finish } from "#domain/answer";
import type { Usage } from "#domain/usage";
import type { EncodeOptions } from "../dialect.ts";
import { messageHead, stopFields, toolId } from "./encode-answer.ts";
import { tagSeal } from "./seal-tag.ts";
import { wellFormedInput } from "./tool-input.ts";
import { usageJson } from "./usage-fields.ts";

type WholeBlock =
  | { readonly kind: "text"; text: string }
  | { readonly kind: "reasoning"; text: string; signature: string; readonly redacted?: string }
  | { readonly kind: "tool"; readonly id: string; readonly name: string; json: string };

interface Gathered {
  head?: { readonly id: string; readonly model: string };
  usage?: Usage;
  finish?: Finish;
  refused: boolean;
  ended: boolean;
  readonly blocks: Map<number, WholeBlock>;
}

/** The number refusal text goes under: it has none of its own. */
const refusalBlock = -1;

/** One message from all events of an answer; undefined where they do not end in `end`. */
export function encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined {
  const gathered: Gathered = { refused: false, ended: false, blocks: new Map() };
  for (const event of events) gather(gathered, event);
  if (!gathered.ended) return undefined;
  const { head, finish, usage, refused, blocks } = gathered;
  const content = [...blocks.values()].flatMap((block, index) => blockJson(block, index, options));
  const tools = [...blocks.values()].some((block) => block.kind === "tool");
  const before = JSON.stringify(messageHead(head, options)).slice(0, -1);
  const after = JSON.stringify({
    ...stopFields(finish, { tools, refused }),
    usage: usageJson(usage),
    hedgerow: options.facts?.(),
  }).slice(1);
  return Buffer.from(`${before},"content":[${content.join(",")}],${after}`);
}

function gather(into: Gathered, event: AnswerEvent): void {
  switch (event.kind) {
    case "start":
      into.head = event;
      return;
    case "usage":
      into.usage = event.usage;
      return;
    case "finish":
      into.finish = event.finish;
      return;
    case "end":
      into.ended = true;
      return;
    case "refusal-delta":
      into.refused = true;
      appendText(into, refusalBlock, event.text);
      return;
    case "text-delta":
      appendText(into, event.block, event.text);
      return;
    default:
      gatherBlock(into.blocks, event);
  }
}

function appendText(into: Gathered, block: number, text: string): void {
  const known = into.blocks.get(block);
  if (known?.kind === "text") known.text += text;
  else into.blocks.set(block, { kind: "text", text });
}

function gatherBlock(blocks: Gathered["blocks"], event: AnswerEvent): void {
  switch (event.kind) {
    case "reasoning-start":
      blocks.set(event.block, {
        kind: "reasoning",
        text: "",
        signature: "",
        ...(event.redacted === undefined ? {} : { redacted: event.redacted }),
      });
      return;
    case "reasoning-delta":
    case "reasoning-signature": {
      const known = blocks.get(event.block);
      if (known?.kind !== "reasoning") return;
      if (event.kind === "reasoning-delta") known.text += event.text;
      else known.signature = event.signature;
      return;
    }
    case "tool-start":
      blocks.set(event.block, { kind: "tool", id: event.id, name: event.name, json: "" });
      return;
    case "tool-delta": {
      const known = blocks.get(event.block);
      if (known?.kind === "tool") known.json += event.json;
      return;
    }
    default:
      return;
  }
}

/** As text, so that the numbers of a tool's input stay as the model wrote them. Empty blocks are left out. */
function blockJson(block: WholeBlock, index: number, options: EncodeOptions): readonly string[] {
  switch (block.kind) {
    case "text":
      return block.text === "" ? [] : [JSON.stringify({ type: "text", text: block.text, citations: null })];
    case "reasoning": {
      if (block.redacted !== undefined) {
        return [JSON.stringify({ type: "redacted_thinking", data: tagSeal(block.redacted, options.issuer) })];
      }
      if (block.text === "" && block.signature === "") return [];
      const signature = tagSeal(block.signature, options.issuer);
      return [JSON.stringify({ type: "thinking", thinking: block.text, signature })];
    }
    case "tool": {
      const head = JSON.stringify({
        type: "tool_use",
        id: toolId(block.id, options.fallbackId, index),
        name: block.name,
        caller: { type: "direct" },
      });
      return [`${head.slice(0, -1)},"input":${wellFormedInput(block.json).json}}`];
    }
  }
}
