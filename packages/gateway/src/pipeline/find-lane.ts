import { vendorOf } from "#catalogue/catalogue";
import type { Dialect, EncodeTarget, UpstreamDialect } from "#dialects/dialect";
import { isSpoken, upstreamDialects } from "#dialects/registry";
import type { Call, DialectId } from "#domain/call";
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
  readonly decoded: DecodedOnce;
  readonly thread?: Thread;
}

/**
 * The first of the languages a target can be asked in that can say this call whole. The caller's own comes first, then
 * the provider's order. Where none can, the failure of the first says why.
 */
export function findLane(search: LaneSearch): Lane | Failure {
  const languages = languagesOf(search);
  let why: Failure | undefined;
  for (const [at, id] of languages.entries()) {
    const made = laneIn(search, upstreamDialects[id], at < languages.length - 1);
    if (isLane(made) || made.kind !== "not_translatable") return made;
    why ??= made;
  }
  // A language that refused only because there was another gets its chance once the others have refused too.
  const [first] = languages;
  if (first !== undefined && languages.length > 1) {
    const made = laneIn(search, upstreamDialects[first], false);
    if (isLane(made)) return made;
  }
  return why ?? failure("not_translatable", `${search.target.id} has no such operation.`);
}

/** The languages a target can be asked this operation in, the best first. */
export function languagesOf(search: Pick<LaneSearch, "call" | "target" | "spec" | "kind">): readonly DialectId[] {
  const { call, target, spec, kind } = search;
  const spoken = spec.dialects ?? kind.lanes?.(target.model) ?? [spec.dialect];
  const { operation, streamed } = call;
  const able = spoken.filter(
    (id) =>
      isSpoken(id) && upstreamDialects[id].upstreamPath(operation, { model: target.model, streamed }) !== undefined,
  );
  const own = able.filter((id) => id === call.dialect);
  return own.length === 0 ? able : [...own, ...able.filter((id) => id !== call.dialect)];
}

function laneIn(search: LaneSearch, upstream: UpstreamDialect, hasOtherLane: boolean): Lane | Failure {
  const { dialect, target, spec, kind, createdAtS, decoded, thread } = search;
  // Who holds the thread itself is asked in the caller's own words.
  const isHolder = thread?.heldBy === target.provider && upstream.id === dialect.id;
  const { call, scan } = isHolder ? thread : search;
  const encodeTarget: EncodeTarget = {
    model: target.model,
    issuer: issuerOf(target, spec),
    quirks: spec.quirks,
    ...(target.traits === undefined ? {} : { traits: target.traits }),
    streamed: call.streamed,
    ...(hasOtherLane ? { hasOtherLane } : {}),
  };
  return chooseLane({
    call,
    scan,
    dialect,
    target: encodeTarget,
    upstream,
    answer: { createdAtS },
    decoded,
    place: (path, headers) =>
      kind.place?.({
        dialect: upstream.id,
        operation: call.operation,
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

function issuerOf(target: Target, spec: ProviderSpec): string {
  return spec.vendor ?? vendorOf(target.traits?.name ?? target.model) ?? spec.id;
}
