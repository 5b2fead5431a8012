import { Pool } from "undici";

/** What callers present; a gateway without keys asks nobody for it. */
export const benchKey = "sk-bench";

export interface Load {
  readonly url: string;
  readonly path: string;
  readonly body: Buffer;
  readonly requests: number;
  readonly connections: number;
  /** Of the n-th request, where they differ. */
  readonly varied?: (at: number) => { readonly key: string; readonly body: Buffer };
  /** Beside the key. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadResult {
  readonly failed: number;
  readonly seconds: number;
  /** Of all answers: whoever passes on fewer has not done the same. */
  readonly bytes: number;
  /** Milliseconds, sorted. */
  readonly latenciesMs: readonly number[];
}

/** A closed loop: each connection sends its next request when it has the last byte of the one before. */
export async function generate(load: Load): Promise<LoadResult> {
  const pool = new Pool(load.url, { connections: load.connections, pipelining: 1, allowH2: false });
  const latenciesMs: number[] = [];
  let failed = 0;
  let bytes = 0;
  let left = load.requests;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      while (left > 0) {
        left -= 1;
        const one = load.varied?.(left);
        const at = performance.now();
        const answer = await once(pool, one === undefined ? load : { ...load, ...one });
        if (!answer.good) failed += 1;
        bytes += answer.bytes;
        latenciesMs.push(performance.now() - at);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.close();
  return { failed, seconds, bytes, latenciesMs: ascending(latenciesMs) };
}

type Request = Pick<Load, "path" | "headers" | "body"> & { readonly key?: string };

/** A call as any client would make it, for undici's `dispatch`. */
export function post({ path, headers, body, key = benchKey }: Request) {
  return {
    path,
    method: "POST" as const,
    headers: { ...headers, "content-type": "application/json", authorization: `Bearer ${key}` },
    body,
  };
}

/** Milliseconds in order, as quantiles want them. */
export function ascending(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => a - b);
}

export function once(pool: Pool, load: Request): Promise<{ readonly good: boolean; readonly bytes: number }> {
  return new Promise((resolve) => {
    let good = false;
    let bytes = 0;
    pool.dispatch(post(load), {
      onRequestStart() {},
      onResponseStart(_controller, status) {
        good = status === 200;
      },
      onResponseData(_controller, chunk) {
        bytes += chunk.length;
      },
      onResponseEnd: () => resolve({ good, bytes }),
      onResponseError: () => resolve({ good: false, bytes }),
    });
  });
}
