/**
 * What V8 is told for workers.
 *
 * `--max-semi-space-size=16`: half of its own; a call's objects are dead long before a generation of 16 MiB is full, and what is
 * beyond is memory that a process keeps.
 *
 * `--no-allocation-site-pretenuring`: while a worker is new, its young generation is so small (1 MiB) that the calls of one moment
 * outlive two of its collections. V8 learns from that to put what calls are made of into the old generation at once, and keeps
 * to it: then nothing of a call is freed but by a full collection, and each young one has all of them to look through (measured
 * at 64 connections: 500 MB of 25,000 calls in the old generation instead of 20, young collections of 16 ms instead of 2, seven
 * full ones in 30,000 calls instead of none).
 *
 * `--external-memory-accounted-in-global-limit`: what bodies take outside the heap starts a full collection each time it has
 * grown by 64 MB, whatever there is; with this it is weighed together with the heap, as V8 weighs that. Bodies of 800 KB are freed
 * by young collections then (measured: 2 full ones in 10,000 calls instead of 214, processor time 0.67, 70 to 120 MiB more of
 * resident memory, which stay).
 */
const flags = [
  "--max-semi-space-size=16",
  "--no-allocation-site-pretenuring",
  "--external-memory-accounted-in-global-limit",
] as const;

/** Node does not start with a flag that its V8 has not: those of Node 24 (13.6) and 26 (14.6) have all of them. */
const knownBy = /^1[34]\./u;

/** How Node is started for a worker: as for this process, and with what an operator has not said otherwise. */
export function workerFlags(own: readonly string[], nodeOptions = "", v8 = process.versions.v8): string[] {
  const said = new Set([...own, ...nodeOptions.split(" ")].map(nameOf));
  return [...own, ...flags.filter((flag) => knownBy.test(v8) && !said.has(nameOf(flag)))];
}

/** Without `no-` and without a value: `--no-x` and `--x=1` say something of the same. */
function nameOf(flag: string): string {
  return flag.replace(/^--(?:no-)?/u, "").split("=", 1)[0] ?? "";
}
