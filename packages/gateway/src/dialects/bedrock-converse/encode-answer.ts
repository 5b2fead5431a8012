import type { EncodeOptions } from "#dialects/dialect";
import { wellFormedInput } from "#dialects/tool-input";
import type { AnswerEvent, Finish } from "#domain/answer";
import type { Usage } from "#domain/usage";
import { answeredToolId, reportFields, stopFields } from "./answer-ending.ts";
import { answerWarning } from "./losses.ts";
import { tagRedacted, tagSignature } from "./seal-tag.ts";

type WholeBlock =
  | { readonly kind: "text"; text: string }
  | { readonly kind: "reasoning"; text: string; signature: string; readonly redacted?: string }
  | { readonly kind: "tool"; readonly id: string; readonly name: string; json: string };

interface Gathered {
  usage?: Usage;
  finish?: Finish;
  refused: boolean;
  ended: boolean;
  readonly blocks: Map<number, WholeBlock>;
  readonly losses: Set<string>;
}

/** The number refusal text goes under: it has none of its own. */
const refusalBlock = -1;

/**
 * One answer from all its events; undefined where they do not end in `end`. As in a stream, blocks stand in the order of
 * their first content, and those without any are left out.
 */
export function encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined {
  const gathered: Gathered = { refused: false, ended: false, blocks: new Map(), losses: new Set() };
  for (const event of events) gather(gathered, event);
  if (!gathered.ended) return undefined;
  const { finish, usage, refused, blocks, losses } = gathered;
  if (finish?.reason === "paused") losses.add(answerWarning("answer-paused"));
  const content = [...blocks.values()].map((block, index) => blockJson(block, index, { options, losses }));
  for (const warning of losses) options.onLoss?.(warning);
  const tools = [...blocks.values()].some((block) => block.kind === "tool");
  const after = { ...stopFields(finish, { tools, refused }, options), ...reportFields(usage, options) };
  const message = `{"role":"assistant","content":[${content.join(",")}]}`;
  return Buffer.from(`{"output":{"message":${message}},${JSON.stringify(after).slice(1)}`);
}

function gather(into: Gathered, event: AnswerEvent): void {
  switch (event.kind) {
    case "usage":
      into.usage = event.usage;
      return;
    case "finish":
      into.finish = event.finish;
      return;
    case "end":
      into.ended = true;
      return;
    case "foreign":
      into.losses.add(answerWarning("foreign-event", event.what));
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
  if (text === "") return;
  const known = into.blocks.get(block);
  if (known?.kind === "text") known.text += text;
  else into.blocks.set(block, { kind: "text", text });
}

function gatherBlock(blocks: Gathered["blocks"], event: AnswerEvent): void {
  switch (event.kind) {
    case "reasoning-start":
      if (event.redacted !== undefined) {
        blocks.set(event.block, { kind: "reasoning", text: "", signature: "", redacted: event.redacted });
      }
      return;
    case "reasoning-delta":
      if (event.text !== "") reasoningOf(blocks, event.block).text += event.text;
      return;
    case "reasoning-signature":
      reasoningOf(blocks, event.block).signature = event.signature;
      return;
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

function reasoningOf(blocks: Gathered["blocks"], block: number): Extract<WholeBlock, { kind: "reasoning" }> {
  const known = blocks.get(block);
  if (known?.kind === "reasoning") return known;
  const made: WholeBlock = { kind: "reasoning", text: "", signature: "" };
  blocks.set(block, made);
  return made;
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
