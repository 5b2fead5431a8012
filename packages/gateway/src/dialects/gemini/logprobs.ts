import { isObject, type JsonObject } from "#dialects/shape";

/** The hub carries log-probabilities as OpenAI writes them: one entry for each token, in order. */
interface TokenEntry {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly Omit<TokenEntry, "top_logprobs">[];
}

/** `logprobsResult` of a candidate in the hub's form; undefined where it has none. */
export function readLogprobs(
  result: unknown,
): { readonly content: readonly TokenEntry[]; readonly refusal: null } | undefined {
  if (!isObject(result) || !Array.isArray(result["chosenCandidates"])) return undefined;
  const tops: readonly unknown[] = Array.isArray(result["topCandidates"]) ? result["topCandidates"] : [];
  const content = result["chosenCandidates"].flatMap((chosen: unknown, index) => {
    const entry = entryOf(chosen);
    const top = tops[index];
    const others: readonly unknown[] = isObject(top) && Array.isArray(top["candidates"]) ? top["candidates"] : [];
    return entry === undefined ? [] : [{ ...entry, top_logprobs: others.flatMap((other) => entryOf(other) ?? []) }];
  });
  return content.length === 0 ? undefined : { content, refusal: null };
}

/** The reverse, of the entries of a whole answer or of one chunk. */
export function logprobsResult(entries: readonly unknown[]): JsonObject {
  const known = entries.filter(isObject);
  return {
    chosenCandidates: known.map(candidateOf),
    topCandidates: known.map((entry) => {
      const tops: readonly unknown[] = Array.isArray(entry["top_logprobs"]) ? entry["top_logprobs"] : [];
      return { candidates: tops.filter(isObject).map(candidateOf) };
    }),
  };
}

/** The entries of a text delta's log-probabilities, whichever language they came from. */
export function entriesOf(logprobs: unknown): readonly unknown[] {
  if (Array.isArray(logprobs)) return logprobs as readonly unknown[];
  return isObject(logprobs) && Array.isArray(logprobs["content"]) ? (logprobs["content"] as readonly unknown[]) : [];
}

function entryOf(candidate: unknown): Omit<TokenEntry, "top_logprobs"> | undefined {
  if (!isObject(candidate)) return undefined;
  const { token, logProbability } = candidate;
  // Protobuf leaves out what is zero: a sure token has no `logProbability`.
  const logprob = typeof logProbability === "number" ? logProbability : 0;
  return typeof token === "string" ? { token, logprob, bytes: [...Buffer.from(token)] } : undefined;
}

function candidateOf(entry: JsonObject): JsonObject {
  return { token: entry["token"], logProbability: entry["logprob"] };
}
