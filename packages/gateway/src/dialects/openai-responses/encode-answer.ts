import type { AnswerEvent, Finish } from "#domain/answer";
import type { Usage } from "#domain/usage";
import type { EncodeOptions } from "#dialects/dialect";
import { answerWarning } from "./losses.ts";
import { ResponseObject, type ResponseState } from "./response-object.ts";
import { OutputWriter } from "./write-output.ts";

/** How a response ends, by why the answer did (protocols §8). */
export function endingOf(
  finish: Finish,
  warn: (warning: string) => void,
): Pick<ResponseState, "status" | "reason" | "error"> {
  switch (finish.reason) {
    case "length":
    case "context":
      return { status: "incomplete", reason: "max_output_tokens" };
    case "policy":
      return { status: "incomplete", reason: "content_filter" };
    case "malformed":
      warn(answerWarning("answer-malformed"));
      return { status: "failed", error: { code: "server_error", message: "The model failed to form an answer." } };
    case "paused":
      warn(answerWarning("answer-paused"));
      return { status: "completed" };
    case "stop-sequence":
      if (finish.stopSequence !== undefined) warn(answerWarning("stop-sequence"));
      return { status: "completed" };
    case "stop":
    case "tools":
      return { status: "completed" };
  }
}

export function isCut({ status }: Pick<ResponseState, "status">): boolean {
  return status !== "completed";
}

/** A whole response; undefined where the events do not end in `end`. */
export function encodeAnswer(events: readonly AnswerEvent[], options: EncodeOptions): Uint8Array | undefined {
  if (events.at(-1)?.kind !== "end") return undefined;
  const warnings = new Set<string>();
  const response = new ResponseObject(options);
  const writer = new OutputWriter(options, () => {});
  let usage: Usage | undefined;
  let finish: Finish = { reason: "stop" };
  for (const event of events) {
    switch (event.kind) {
      case "start":
        response.createdAtS = event.createdAtS ?? response.createdAtS;
        break;
      case "usage":
        usage = event.usage;
        break;
      case "finish":
        finish = event.finish;
        break;
      case "foreign":
        warnings.add(answerWarning("foreign-event", event.what));
        break;
      case "end":
      case "failed":
      case "ping":
        break;
      default:
        writer.write(event);
    }
  }
  const ending = endingOf(finish, (warning) => warnings.add(warning));
  writer.finish(isCut(ending));
  const facts = options.facts === undefined ? {} : { hedgerow: options.facts() };
  const body = { ...response.show({ ...ending, output: writer.items, usage }), ...facts };
  for (const warning of warnings) options.onLoss?.(warning);
  return Buffer.from(JSON.stringify(body));
}
