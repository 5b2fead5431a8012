import { hash } from "node:crypto";
import { memoryOwner, type Call } from "#domain/call";
import type { Affinity } from "#policy/affinity";
import type { Served } from "#policy/make-plan";
import type { FieldScan, Span } from "#wire/json-splice";

/** A pause of a conversation; longer ones begin anew wherever the plan says. */
const sessionMs = 60 * 60_000;
/** Vendors keep a prompt's prefix for five minutes after its last use (Anthropic, OpenAI: "prompt caching"). */
const promptMs = 5 * 60_000;
/** Shorter prompts are cached by nobody: the least is 1,024 tokens. */
const leastPrefixBytes = 4096;
/** A turn makes a conversation longer, but hardly four times as long. */
const prefixesLookedAt = 3;
const sampleBytes = 512;

/** Who served a call's session and its prompt's beginning last, and the note of who does now. */
export class CallAffinity implements Served {
  readonly #affinity: Affinity;
  readonly #call: Call;
  readonly #scan: FieldScan;
  readonly #nowMs: () => number;
  /** Found when they are first asked for: most plans have nothing to choose between equals. */
  #prefixes: readonly string[] | undefined;

  constructor(affinity: Affinity, asked: { readonly call: Call; readonly scan: FieldScan }, nowMs: () => number) {
    this.#affinity = affinity;
    this.#call = asked.call;
    this.#scan = asked.scan;
    this.#nowMs = nowMs;
  }

  bySession(): string | undefined {
    const key = this.#sessionKey();
    return key === undefined ? undefined : this.#affinity.servedBy(key, this.#nowMs());
  }

  byPrompt(): string | undefined {
    this.#prefixes ??= prefixKeys(this.#call, this.#scan);
    for (const key of this.#prefixes) {
      const target = this.#affinity.servedBy(key, this.#nowMs());
      if (target !== undefined) return target;
    }
    return undefined;
  }

  answered(target: string): void {
    const session = this.#sessionKey();
    if (session !== undefined) this.#affinity.serve(session, target, this.#nowMs() + sessionMs);
    const [longest] = this.#prefixes ?? [];
    if (longest !== undefined) this.#affinity.serve(longest, target, this.#nowMs() + promptMs);
  }

  /** A caller's sessions are its own. */
  #sessionKey(): string | undefined {
    const { model, options } = this.#call;
    return options.session === undefined
      ? undefined
      : JSON.stringify([memoryOwner(this.#call), options.route ?? model, options.session]);
  }
}

/**
 * Keys for the beginnings of a prompt, of halving lengths, the longest first: the next turn of a conversation begins as
 * this one did. Samples of the bytes do: who takes one beginning for another loses a cache.
 */
function prefixKeys({ body, model }: Call, scan: FieldScan): readonly string[] {
  const [longest] = scan.members.toSorted((a, b) => b.end - b.start - (a.end - a.start));
  if (longest === undefined) return [];
  const keys: string[] = [];
  let length = 2 ** Math.floor(Math.log2(Math.max(1, longest.end - longest.start)));
  while (length >= leastPrefixBytes && keys.length < prefixesLookedAt) {
    keys.push(`${model} ${length} ${sampled(body, { start: longest.start, end: longest.start + length })}`);
    length /= 2;
  }
  return keys;
}

function sampled(body: Uint8Array, { start, end }: Span): string {
  const middle = start + Math.floor((end - start) / 2);
  const samples = [start, middle, end - sampleBytes].map((at) => body.subarray(at, at + sampleBytes));
  return hash("sha1", Buffer.concat(samples));
}
