/** Everything in two pieces, cut at each byte. */
export function* twoPieces(bytes: Uint8Array): Generator<readonly Uint8Array[]> {
  for (let at = 1; at < bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

export function* singleBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1) yield bytes.subarray(at, at + 1);
}

/** Cut at random places, the same for the same seed: from a few large pieces to many of some bytes. */
export function* randomPieces(bytes: Uint8Array, seed: number): Generator<Uint8Array> {
  const random = randoms(seed);
  const most = [bytes.length, 400, 40, 7][seed % 4] ?? 7;
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + 1 + random(most));
    yield bytes.subarray(at, next);
    at = next;
  }
}

/** Numerical Recipes' linear congruential generator; its low bits are poor, so the high ones are used. */
function randoms(seed: number): (below: number) => number {
  let state = (seed + 1) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
