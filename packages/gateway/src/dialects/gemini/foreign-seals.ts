import type { EncodeTarget } from "#dialects/dialect";
import { isObject, type JsonObject } from "#dialects/shape";
import type { LossLedger } from "./losses.ts";
import { generationOf } from "./model-generation.ts";
import { memberOf } from "./request-reader.ts";
import { isTagged, readSeal, uncheckedSignature } from "./seal-tag.ts";

/**
 * `contents` for a target of the same language, where earlier turns were answered by another vendor and carry seals we
 * tagged: the target's vendor gets its own back, foreign thoughts are taken out with all their pieces, and a foreign
 * call is said not to be checked where the model wants it signed. Undefined where nothing changes.
 */
export function withoutForeignSeals(contents: unknown, target: EncodeTarget, ledger: LossLedger): unknown {
  const list: readonly unknown[] = Array.isArray(contents) ? contents : [contents];
  const places = list.flatMap((content, at) => partsOf(content).map((part): Place => ({ at, part })));
  const sifted = sift(places, target, ledger);
  if (sifted === undefined) return undefined;
  return list.flatMap((content, at) => {
    if (!isObject(content)) return [content];
    const parts = sifted.filter((place) => place.at === at).map(({ part }) => part);
    return parts.length === 0 && partsOf(content).length > 0 ? [] : [{ ...content, parts }];
  });
}

interface Place {
  readonly at: number;
  readonly part: unknown;
}

function sift(places: readonly Place[], target: EncodeTarget, ledger: LossLedger): readonly Place[] | undefined {
  const kept: Place[] = [];
  let changed = false;
  /** Where the thought began whose end is yet to come. */
  let thoughtFrom: number | undefined;
  for (const place of places) {
    const { part } = place;
    const signature = signatureOf(part);
    const isThought = memberOf(part, "thought") === true;
    if (isThought) thoughtFrom ??= kept.length;
    if (!isObject(part) || !isTagged(signature)) {
      kept.push(place);
      if (!isThought || signature !== "") thoughtFrom = undefined;
      continue;
    }
    changed = true;
    const seal = readSeal(signature);
    if (seal?.issuer === target.issuer)
      kept.push({ ...place, part: { ...unsigned(part), thoughtSignature: seal.value } });
    else if (isThought) {
      kept.length = thoughtFrom ?? kept.length;
      ledger.note("foreign-reasoning");
    } else if (isObject(memberOf(part, "functionCall")) && generationOf(target.model).signsCalls) {
      kept.push({ ...place, part: { ...unsigned(part), thoughtSignature: uncheckedSignature } });
      ledger.note("unsigned-call");
    } else kept.push({ ...place, part: unsigned(part) });
    thoughtFrom = undefined;
  }
  return changed ? kept : undefined;
}

function partsOf(content: unknown): readonly unknown[] {
  const parts = isObject(content) ? content["parts"] : undefined;
  return Array.isArray(parts) ? (parts as readonly unknown[]) : parts === undefined ? [] : [parts];
}

function signatureOf(part: unknown): string {
  const signature = memberOf(part, "thoughtSignature");
  return typeof signature === "string" ? signature : "";
}

function unsigned(part: JsonObject): JsonObject {
  const { thoughtSignature: _, thought_signature: __, ...bare } = part;
  return bare;
}
