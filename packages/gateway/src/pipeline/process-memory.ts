import type { Memory, MemoryPlace } from "#domain/ports";

export interface MemoryBounds {
  /** One value, in UTF-16 code units. */
  readonly maxValueLength: number;
  /** All values together. */
  readonly maxTotalLength: number;
}

const defaultMemoryBounds: MemoryBounds = {
  maxValueLength: 8 * 1024 * 1024,
  maxTotalLength: 256 * 1024 * 1024,
};

interface Kept {
  readonly value: string;
  readonly ttlMs: number;
  readonly expiresAtMs: number;
}

/** A memory that lives as long as the process: for tests, and for a gateway inside another program. */
export function processMemory(nowMs: () => number, bounds: MemoryBounds = defaultMemoryBounds): Memory {
  /** The least recently used first. */
  const kept = new Map<string, Kept>();
  let total = 0;

  const drop = (key: string): boolean => {
    total -= kept.get(key)?.value.length ?? 0;
    return kept.delete(key);
  };
  const put = (key: string, value: string, ttlMs: number): boolean => {
    if (value.length > bounds.maxValueLength || value.length > bounds.maxTotalLength) return false;
    drop(key);
    kept.set(key, { value, ttlMs, expiresAtMs: nowMs() + ttlMs });
    total += value.length;
    for (const oldest of kept.keys()) {
      if (total <= bounds.maxTotalLength) break;
      drop(oldest);
    }
    return true;
  };
  const get = (key: string): string | undefined => {
    const found = kept.get(key);
    if (found === undefined) return undefined;
    drop(key);
    if (found.expiresAtMs <= nowMs()) return undefined;
    // What is in use stays.
    put(key, found.value, found.ttlMs);
    return found.value;
  };
  return {
    get: (place) => get(keyOf(place)),
    put: (place, value, ttlMs) => put(keyOf(place), value, ttlMs),
    change(place, change) {
      const key = keyOf(place);
      const found = get(key);
      return found !== undefined && put(key, change(found), kept.get(key)?.ttlMs ?? 0);
    },
    delete: (place) => get(keyOf(place)) !== undefined && drop(keyOf(place)),
  };
}

function keyOf({ space, owner, id }: MemoryPlace): string {
  return JSON.stringify([space, owner, id]);
}
