import type { GatewayKey, IssuedKey, KeyNews } from "#domain/gateway-key";
import type { Snapshot } from "#domain/snapshot";

interface Entry {
  readonly key: GatewayKey;
  readonly untilMs?: number;
  /** The key with what its team says of it now, and the teams by which it was found. */
  placed?: { readonly teams: Snapshot["teams"]; readonly key: GatewayKey };
}

/**
 * The keys that were issued at run time, by the hash of their secrets. A worker's own copy: it knows them on when nobody
 * tells it any news. As many as the store has, which bounds them.
 */
export class IssuedKeys {
  readonly #byHash = new Map<string, Entry>();
  readonly #byId = new Map<string, IssuedKey>();
  #guards = false;

  /** Callers need a key. It stays so when the last key is gone: whoever revokes one does not mean to let everybody in. */
  get guards(): boolean {
    return this.#guards;
  }

  get size(): number {
    return this.#byId.size;
  }

  apply({ keys, gone, guards }: KeyNews): void {
    this.#guards ||= guards;
    for (const id of gone) this.#forget(id);
    for (const key of keys) {
      this.#forget(key.id);
      this.#byId.set(key.id, key);
      const { secrets, ...facts } = key;
      for (const { sha256, untilMs } of secrets) {
        this.#byHash.set(sha256, { key: { ...facts, sha256 }, ...(untilMs === undefined ? {} : { untilMs }) });
      }
    }
  }

  /** The key of this hash, with the organisation its team has now; undefined where there is none, or its time is over. */
  find(sha256: string, { teams }: Pick<Snapshot, "teams">, wallMs: number): GatewayKey | undefined {
    const entry = this.#byHash.get(sha256);
    if (entry === undefined || wallMs >= (entry.untilMs ?? Number.POSITIVE_INFINITY)) return undefined;
    if (entry.placed?.teams !== teams || entry.placed === undefined) {
      entry.placed = { teams, key: placed(entry.key, teams) };
    }
    return entry.placed.key;
  }

  #forget(id: string): void {
    for (const { sha256 } of this.#byId.get(id)?.secrets ?? []) this.#byHash.delete(sha256);
    this.#byId.delete(id);
  }
}

function placed(key: GatewayKey, teams: Snapshot["teams"]): GatewayKey {
  const organisation = key.team === undefined ? undefined : teams?.get(key.team)?.organisation;
  return organisation === undefined ? key : { ...key, organisation };
}
