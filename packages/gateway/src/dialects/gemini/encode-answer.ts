import type { AnswerEvent, Finish } from "#domain/answer";
import type { Usage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { responseHead, responseJson } from "./response-json.ts";
import { joinParts, PartsWriter, type WrittenPart } from "./write-parts.ts";

/** A whole answer as one `GenerateContentResponse`; undefined where the events do not end in `end`. */
export function encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined {
  if (events.at(-1)?.kind !== "end") return undefined;
  const lost = new Set<string>();
  const writer = new PartsWriter(options, (warning) => lost.add(warning));
  const parts: WrittenPart[] = [];
  let start: Extract<AnswerEvent, { kind: "start" }> | undefined;
  let usage: Usage | undefined;
  let finish: Finish | undefined;
  for (const event of events) {
    if (event.kind === "start") start = event;
    else if (event.kind === "usage") usage = event.usage;
    else if (event.kind === "finish") finish = event.finish;
    parts.push(...writer.write(event));
  }
  parts.push(...writer.close());
  const facts = options.facts?.();
  const json = responseJson(responseHead(start, options), joinParts(parts), {
    finish,
    refused: writer.refused,
    spoke: parts.length > 0,
    usage,
    ...(facts === undefined ? {} : { facts }),
  });
  for (const warning of lost) options.onLoss?.(warning);
  return Buffer.from(json);
}
