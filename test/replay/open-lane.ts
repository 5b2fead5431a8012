import { dialects, upstreamDialects } from "#dialects/registry";
import type { Call, CallAddress, ClientDialectId, DialectId, Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { ModelTraits } from "#domain/model";
import type { Memory } from "#domain/ports";
import { plainChatQuirks, type ChatQuirks } from "#domain/quirks";
import { chooseLane, isLane, type Lane } from "#pipeline/lane";
import { decodeOnce } from "#pipeline/lane-request";
import { withThoughts } from "#pipeline/thoughts";
import { scanFields } from "#wire/json-splice";
import type { JsonView } from "./json-view.ts";

export const decoding = {
  classify: (complaint: unknown) => failure("upstream_failed", JSON.stringify(complaint)),
  quirks: plainChatQuirks,
  maxEventBytes: 4 * 1024 * 1024,
};

/** Who asks whom, and in which languages. */
export interface Asking {
  readonly caller: ClientDialectId;
  readonly upstream: DialectId;
  /** The vendor whose model answers. */
  readonly issuer: string;
  readonly streamed: boolean;
  readonly body: JsonView | Buffer;
  readonly address?: CallAddress;
  /** The model's name at the provider, `own-1` where left out. */
  readonly model?: string;
  /** Those of plain OpenAI where left out. */
  readonly quirks?: ChatQuirks;
  /** What is known of the model that is asked; nothing where left out. */
  readonly traits?: ModelTraits;
  /** What the gateway remembers of earlier answers, where it is asked to remember any. */
  readonly memory?: Memory;
  /** An answer where left out. */
  readonly operation?: Operation;
  /** The gateway wants log-probabilities for itself. */
  readonly wantsLogprobs?: true;
  /** Something is put at the end of the answer's stream. */
  readonly attaches?: true;
}

function callOf({ caller, streamed, body, address = {}, operation = "generate" }: Asking): Call {
  return {
    id: "req_0123456789abcdef01234567",
    dialect: caller,
    operation,
    address,
    body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    model: "own-1",
    streamed,
    options: { metadata: false },
    passHeaders: {},
    caller: "anonymous",
    acceptedAtMs: 0,
  };
}

/** The lane of a call, as the request path chooses it. */
export function openLane(asking: Asking): Lane {
  const lane = tryLane(asking);
  if (!isLane(lane)) throw new Error(lane.message);
  return lane;
}

/** The same, or why this target cannot be asked this. */
export function tryLane(asking: Asking): Lane | Failure {
  const { caller, upstream, issuer, streamed, memory, traits, model = "own-1", quirks = plainChatQuirks } = asking;
  const { wantsLogprobs } = asking;
  const call = callOf(asking);
  const scan = scanFields(call.body, { maxDepth: 1000 });
  if ("problem" in scan) throw new Error(scan.problem);
  return chooseLane({
    call,
    scan,
    dialect: dialects[caller],
    target: {
      model,
      issuer,
      quirks,
      streamed,
      ...(traits === undefined ? {} : { traits }),
      ...(call.operation === "generate" ? {} : { operation: call.operation }),
      ...(wantsLogprobs === undefined ? {} : { wantsLogprobs }),
    },
    upstream: upstreamDialects[upstream],
    operation: call.operation,
    answer: { createdAtS: 1_795_000_000 },
    ...(asking.attaches === undefined ? {} : { attaches: asking.attaches }),
    decoded: decodeOnce(call, dialects[caller], (request) =>
      memory === undefined ? request : withThoughts(request, memory, call.caller),
    ),
    place: (path) => ({ path }),
  });
}
