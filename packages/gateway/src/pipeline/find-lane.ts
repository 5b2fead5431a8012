import { vendorOf } from "#catalogue/catalogue";
import type { Dialect, EncodeTarget, UpstreamDialect } from "#dialects/dialect";
import { isSpoken, upstreamDialects } from "#dialects/registry";
import type { Call, DialectId, Operation } from "#domain/call";
import { failure, type Failure } from "#domain/failure";
import type { Target } from "#domain/plan";
import type { ProviderSpec } from "#domain/snapshot";
import type { ProviderKind } from "#providers/provider";
import type { FieldScan } from "#wire/json-splice";
import type { DecodedOnce } from "./lane-request.ts";
import { chooseLane, isLane, type Lane } from "./lane.ts";
import type { Thread } from "./thread.ts";

export interface LaneSearch {
  readonly call: Call;
  readonly scan: FieldScan;
  readonly dialect: Dialect;
  readonly target: Target;
  readonly spec: ProviderSpec;
  readonly kind: ProviderKind;
  readonly createdAtS: number;
  readonly elapsedMs: () => number;
  readonly decoded: DecodedOnce;
  readonly thread?: Thread;
  /** Log-probabilities are wanted whether or not the caller asks for them. */
  readonly wantsLogprobs?: true;
  /** The answer's confidence is put at the end of its stream. */
  readonly attaches?: true;
}

/**
 * The first of the languages a target can be asked in that can say this call whole. The caller's own comes first, then
 * the provider's order. Where none can, the failure of the first says why.
 */
export function findLane(search: LaneSearch): Lane | Failure {
  const ways = waysOf(search);
  let why: Failure | undefined;
  for (const [at, way] of ways.entries()) {
    const made = laneBy(search, way, at < ways.length - 1);
    if (isLane(made) || made.kind !== "not_translatable") return made;
    why ??= made;
  }
  // A language that refused only because there was another gets its chance once the others have refused too.
  const [first] = ways;
  if (first !== undefined && ways.length > 1) {
    const made = laneBy(search, first, false);
    if (isLane(made)) return made;
  }
  return (
    why ??
    failure(
      "not_translatable",
      `${search.target.id} has no ${nouns[search.call.operation]} that this gateway can ask it for.`,
    )
  );
}

/** What a target lacks that has no such operation. */
const nouns: Readonly<Record<Operation, string>> = {
  generate: "answers",
  "count-tokens": "token counts",
  embed: "embeddings",
  complete: "completions",
  moderate: "moderation",
  rerank: "ranking",
};

/** A language, and what a target is asked for in it. */
interface Way {
  readonly upstream: UpstreamDialect;
  readonly operation: Operation;
}

type Asked = Pick<LaneSearch, "call" | "target" | "spec" | "kind">;

/** Of each provider of a snapshot: they hang on names alone, and callers use few of them. */
const known = new WeakMap<ProviderSpec, Map<string, readonly Way[]>>();
const maxKnown = 256;

/** The ways a target can be asked a call, the best first. A completion is an answer to a chat of one message, too. */
export function waysOf(asked: Asked): readonly Way[] {
  const { call, target, spec } = asked;
  const key = `${call.dialect} ${call.operation} ${call.streamed} ${target.traits?.name ?? ""} ${target.model}`;
  let ofSpec = known.get(spec);
  if (ofSpec === undefined || ofSpec.size >= maxKnown) {
    ofSpec = new Map();
    known.set(spec, ofSpec);
  }
  let ways = ofSpec.get(key);
  if (ways === undefined) {
    ways = waysFor(asked, call.operation);
    if (ways.length === 0 && call.operation === "complete") ways = waysFor(asked, "generate");
    ofSpec.set(key, ways);
  }
  return ways;
}

function waysFor({ call, target, spec, kind }: Asked, operation: Operation): readonly Way[] {
  const spoken: readonly DialectId[] = spec.dialects ??
    kind.lanes?.(target.model, operation, target.traits?.name) ?? [spec.dialect];
  const asked = { model: target.model, streamed: call.streamed };
  const has = kind.operations?.(target.model);
  const able = spoken
    .filter((id) => isSpoken(id))
    .map((id) => upstreamDialects[id])
    .filter((each) => each.upstreamPath(operation, asked) !== undefined)
    .filter((each) => has?.includes(operation) ?? each.rare?.has(operation) !== true);
  const ownFirst = able.toSorted((a, b) => Number(b.id === call.dialect) - Number(a.id === call.dialect));
  return ownFirst.map((upstream) => ({ upstream, operation }));
}

function laneBy(search: LaneSearch, { upstream, operation }: Way, hasOtherLane: boolean): Lane | Failure {
  const { dialect, target, spec, kind, createdAtS, elapsedMs, decoded, thread, wantsLogprobs } = search;
  const { call, scan } = thread !== undefined && isHolder(search, { upstream, operation }) ? thread : search;
  const encodeTarget: EncodeTarget = {
    model: target.model,
    issuer: upstream.sealReader?.(spec.quirks) ?? issuerOf(target, spec),
    quirks: spec.quirks,
    ...(target.traits === undefined ? {} : { traits: target.traits }),
    streamed: call.streamed,
    ...(operation === "generate" ? {} : { operation }),
    ...(hasOtherLane ? { hasOtherLane } : {}),
    ...(wantsLogprobs === undefined ? {} : { wantsLogprobs }),
  };
  return chooseLane({
    call,
    scan,
    dialect,
    target: encodeTarget,
    upstream,
    operation,
    answer: { createdAtS, elapsedMs },
    ...(call.options.metadata || search.attaches === true ? { attaches: true } : {}),
    ...(thread === undefined ? {} : { wish: thread.wish }),
    decoded,
    place: (path, headers) =>
      kind.place?.({
        dialect: upstream.id,
        operation,
        model: target.model,
        streamed: call.streamed,
        basePath: spec.basePath,
        path,
        headers,
        ...(spec.region === undefined ? {} : { region: spec.region }),
        ...(spec.project === undefined ? {} : { project: spec.project }),
        ...(spec.apiVersion === undefined ? {} : { apiVersion: spec.apiVersion }),
      }) ?? { path: spec.basePath + path },
  });
}

/** Who holds the thread itself is asked in the caller's own words. One of several keys may be another account's. */
function isHolder({ thread, target, dialect, spec }: LaneSearch, { upstream, operation }: Way): boolean {
  const holds = thread?.heldBy === target.provider && spec.credentials.length <= 1;
  return holds && operation === "generate" && upstream.id === dialect.id;
}

function issuerOf(target: Target, spec: ProviderSpec): string {
  return spec.vendor ?? vendorOf(target.traits?.name ?? target.model) ?? spec.id;
}
