import type { Encoded } from "#dialects/dialect";
import type { EmbedInput } from "#domain/embedding";
import { failure, type Failure } from "#domain/failure";
import { emptyUsage, type Usage } from "#domain/usage";
import { answerOptions, send } from "./lane-request.ts";
import type { Lane, LaneInput, UnaryRead } from "./lane.ts";
import { estimateTokens } from "./observation.ts";

/** What is sent for an operation without a stream, and how its answer is read. */
interface Asked {
  readonly encoded: Encoded;
  readonly read: (json: unknown) => UnaryRead | Failure;
}

/** The lane of an operation that is asked and answered in one piece, between two languages. */
export function translateUnary(input: LaneInput, path: string): Lane | Failure {
  const lost = new Set<string>();
  const asked = ask(input, (warning) => lost.add(warning));
  if (!("encoded" in asked)) return asked;
  const { encoded, read } = asked;
  const sent = send(input, path, encoded);
  if (!("path" in sent)) return sent;
  return {
    kind: "translate",
    upstream: input.upstream,
    ...sent,
    returnHeaders: [],
    heartbeat: input.dialect.heartbeat,
    warnings: () => [...(encoded.kind === "encoded" ? encoded.warnings : []), ...lost],
    renderFrame: () => new Uint8Array(0),
    renderAnswer: () => undefined,
    readUnary: read,
  };
}

function ask(input: LaneInput, onLoss: (warning: string) => void): Asked | Failure {
  switch (input.call.operation) {
    case "count-tokens":
      return askForCount(input);
    case "embed":
      return askForVectors(input, onLoss);
    case "rerank":
      return askForOrder(input, onLoss);
    default:
      return failure("not_translatable", "Only a target of the caller's own language has this operation.");
  }
}

const noSuch = "The target's language has no such operation.";

function askForCount({ dialect, upstream, target, decoded }: LaneInput): Asked | Failure {
  const counting = upstream.unary?.countTokens;
  if (counting === undefined || dialect.encodeTokenCount === undefined) return failure("not_translatable", noSuch);
  const made = decoded.request();
  if (!("request" in made)) return made;
  return {
    encoded: counting.encodeRequest(made.request, target),
    read(json) {
      const tokens = counting.decodeAnswer(json);
      if (typeof tokens !== "number") return tokens;
      const body = dialect.encodeTokenCount?.(tokens);
      return body === undefined ? failure("not_translatable", noSuch) : { body };
    },
  };
}

function askForVectors(input: LaneInput, onLoss: (warning: string) => void): Asked | Failure {
  const client = input.dialect.unaryClient?.embed;
  const upstream = input.upstream.unary?.embed;
  if (client === undefined || upstream === undefined) return failure("not_translatable", noSuch);
  const json = input.decoded.json();
  if (!("value" in json)) return json;
  const request = client.decodeRequest(json.value, input.call.address);
  if (!("inputs" in request)) return request;
  if (upstream.takesTokens !== true && request.inputs.some((each) => typeof each !== "string")) {
    const why = "input: token numbers mean something in OpenAI's own vocabularies only; send this target texts";
    return failure("not_translatable", why, { param: "input" });
  }
  return {
    encoded: upstream.encodeRequest(request, input.target),
    read(answered) {
      const answer = upstream.decodeAnswer(answered);
      if (!("vectors" in answer)) return answer;
      if (answer.vectors.length !== request.inputs.length) {
        return failure("bad_upstream_response", "The provider gave another number of vectors than texts were sent.");
      }
      if (answer.usage === undefined) onLoss(uncounted);
      const usage = answer.usage ?? estimateOf(request.inputs);
      return {
        body: client.encodeAnswer({ ...answer, usage }, request, answerOptions(input, undefined, onLoss)),
        usage,
      };
    },
  };
}

const uncounted = "usage-estimated: the provider counted no tokens, so the usage is an estimate of four bytes a token";

/** Clients read the count without asking whether it is there. */
function estimateOf(inputs: readonly EmbedInput[]): Usage {
  const counts = inputs.map((each) =>
    typeof each === "string" ? estimateTokens(Buffer.byteLength(each)) : each.length,
  );
  return { ...emptyUsage, inputUncached: counts.reduce((sum, count) => sum + count, 0), estimated: true };
}

function askForOrder(input: LaneInput, onLoss: (warning: string) => void): Asked | Failure {
  const client = input.dialect.unaryClient?.rerank;
  const upstream = input.upstream.unary?.rerank;
  if (client === undefined || upstream === undefined) return failure("not_translatable", noSuch);
  const json = input.decoded.json();
  if (!("value" in json)) return json;
  const request = client.decodeRequest(json.value);
  if (!("documents" in request)) return request;
  return {
    encoded: upstream.encodeRequest(request, input.target),
    read(answered) {
      const answer = upstream.decodeAnswer(answered);
      if (!("results" in answer)) return answer;
      if (answer.results.some(({ index }) => index >= request.documents.length)) {
        return failure("bad_upstream_response", "The provider ordered documents that were not sent.");
      }
      const body = client.encodeAnswer(answer, request, answerOptions(input, undefined, onLoss));
      return answer.usage === undefined ? { body } : { body, usage: answer.usage };
    },
  };
}
