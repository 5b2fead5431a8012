import { hash, randomBytes, randomInt } from "node:crypto";
import type { Sql, SqlReader, SqlStore } from "#control/store/sql";
import type { Row } from "#control/store/sqlite";
import type { IssuedKey, KeyFacts, KeyNews } from "#domain/gateway-key";
import { mostIssuedKeys, type KeyAnswer, type KeyAsk, type KeyView, type SecretView } from "#domain/key-desk";
import { digits, keyHint, keyLength, keyTextOf } from "#domain/key-text";

export interface KeyStoreOptions {
  /** Its schema is up to date. */
  readonly sql: SqlStore;
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly mostKeys?: number;
}

/** What changed since a revision, and the one it brings whoever hears it to. */
export interface KeyChanges {
  readonly revision: number;
  readonly news: KeyNews;
  /** The last change of each key. */
  readonly changed: readonly ChangedKey[];
}

export interface ChangedKey {
  readonly id: string;
  readonly name: string;
  readonly isRevoked: boolean;
  /** As whoever asked for it said. */
  readonly by?: string;
}

type Asked<Kind extends KeyAsk["kind"]> = Extract<KeyAsk, { readonly kind: Kind }>;

/**
 * The keys that were issued at run time. Of a secret its SHA-256 is kept and how it begins; its text is given once, by
 * `create` and `rotate`. Any number of processes may use the same database. Everything rejects where that does not answer.
 */
export class KeyStore {
  readonly #sql: SqlStore;
  readonly #wallMs: () => number;
  readonly #mostKeys: number;

  constructor({ sql, wallMs, mostKeys = mostIssuedKeys }: KeyStoreOptions) {
    this.#sql = sql;
    this.#wallMs = wallMs;
    this.#mostKeys = mostKeys;
  }

  ask(asked: KeyAsk): Promise<KeyAnswer> {
    switch (asked.kind) {
      case "create":
        return this.#sql.transaction((sql) => this.#create(sql, asked));
      case "list":
        return list(this.#sql, asked);
      case "show":
        return show(this.#sql, asked.key);
      case "revoke":
        return this.#sql.transaction((sql) => this.#revoke(sql, asked));
      case "rotate":
        return this.#sql.transaction((sql) => this.#rotate(sql, asked));
    }
  }

  /** Since 0: all that are not revoked. */
  async changes(since: number): Promise<KeyChanges> {
    // Before the rows: what is written in between is seen twice rather than never.
    const counted = since === 0 ? await revisionOf(this.#sql) : since;
    const only = since === 0 ? " AND revoked_at_ms IS NULL" : "";
    const changed = await this.#sql.all(
      `SELECT ${keyColumns}, name, changed_by, revision FROM issued_keys WHERE revision > ?${only}`,
      since,
    );
    const revision = changed.reduce((latest, row) => Math.max(latest, Number(row["revision"])), counted);
    const alive = changed.filter((row) => row["revoked_at_ms"] === null);
    const secrets = await secretsOf(this.#sql, alive);
    const keys = alive.map((row) => keyOf(row, secrets));
    const gone = changed.filter((row) => row["revoked_at_ms"] !== null).map((row) => String(row["id"]));
    return { revision, news: { keys, gone, guards: revision > 0 }, changed: changed.map(changedOf) };
  }

  async #create(sql: Sql, { facts, by }: Asked<"create">): Promise<KeyAnswer> {
    await takeTurn(sql);
    const [twin] = await sql.all(
      "SELECT 1 AS one FROM issued_keys WHERE name = ? AND revoked_at_ms IS NULL",
      facts.name,
    );
    if (twin !== undefined) return { kind: "taken" };
    const [count] = await sql.all("SELECT count(*) AS keys FROM issued_keys WHERE revoked_at_ms IS NULL");
    if (Number(count?.["keys"]) >= this.#mostKeys) return { kind: "full", most: this.#mostKeys };
    const id = `key_${randomBytes(12).toString("hex")}`;
    await sql.run(
      "INSERT INTO issued_keys (id, name, facts, created_at_ms, revision, changed_by) VALUES (?, ?, ?, ?, ?, ?)",
      id,
      facts.name,
      JSON.stringify(facts),
      this.#wallMs(),
      await nextRevision(sql),
      by ?? null,
    );
    return this.#issued(sql, id);
  }

  async #revoke(sql: Sql, { key, by }: Asked<"revoke">): Promise<KeyAnswer> {
    await takeTurn(sql);
    const row = await find(sql, key);
    if (row === undefined) return { kind: "unknown" };
    // Whoever asks twice is told the same, and of the first time.
    if (row["revoked_at_ms"] === null) {
      const update = "UPDATE issued_keys SET revoked_at_ms = ?, revision = ?, changed_by = ? WHERE id = ?";
      await sql.run(update, this.#wallMs(), await nextRevision(sql), by ?? null, String(row["id"]));
      await sql.run("DELETE FROM issued_key_secrets WHERE key_id = ?", String(row["id"]));
    }
    return show(sql, String(row["id"]));
  }

  async #rotate(sql: Sql, { key, overlapMs, by }: Asked<"rotate">): Promise<KeyAnswer> {
    await takeTurn(sql);
    const row = await find(sql, key);
    if (row === undefined) return { kind: "unknown" };
    if (row["revoked_at_ms"] !== null) return { kind: "revoked" };
    const id = String(row["id"]);
    // So that there are two at most, however often it is rotated.
    await sql.run("DELETE FROM issued_key_secrets WHERE key_id = ? AND until_ms IS NOT NULL", id);
    if (overlapMs === 0) await sql.run("DELETE FROM issued_key_secrets WHERE key_id = ?", id);
    await sql.run("UPDATE issued_key_secrets SET until_ms = ? WHERE key_id = ?", this.#wallMs() + overlapMs, id);
    const update = "UPDATE issued_keys SET revision = ?, changed_by = ? WHERE id = ?";
    await sql.run(update, await nextRevision(sql), by ?? null, id);
    return this.#issued(sql, id);
  }

  async #issued(sql: Sql, id: string): Promise<KeyAnswer> {
    const text = keyTextOf(Array.from({ length: keyLength }, () => digits[randomInt(digits.length)]).join(""));
    await sql.run(
      "INSERT INTO issued_key_secrets (sha256, key_id, hint, created_at_ms) VALUES (?, ?, ?, ?)",
      hash("sha256", text),
      id,
      keyHint(text),
      this.#wallMs(),
    );
    const shown = await show(sql, id);
    return shown.kind === "key" ? { kind: "issued", key: shown.key, text } : shown;
  }
}

const keyColumns = "id, facts, created_at_ms, revoked_at_ms";

/** First: whoever else changes a key waits for it, so that what is read afterwards holds. */
async function takeTurn(sql: Sql): Promise<void> {
  await sql.run("UPDATE key_revision SET revision = revision");
}

/** Only of a change: that there is a revision at all says that a key was issued. */
async function nextRevision(sql: Sql): Promise<number> {
  await sql.run("UPDATE key_revision SET revision = revision + 1");
  return revisionOf(sql);
}

async function revisionOf(sql: SqlReader): Promise<number> {
  const [row] = await sql.all("SELECT revision FROM key_revision");
  return Number(row?.["revision"] ?? 0);
}

async function find(sql: SqlReader, key: string): Promise<Row | undefined> {
  const [byId] = await sql.all(`SELECT ${keyColumns} FROM issued_keys WHERE id = ?`, key);
  if (byId !== undefined) return byId;
  const byName = `SELECT ${keyColumns} FROM issued_keys WHERE name = ? AND revoked_at_ms IS NULL`;
  const [named] = await sql.all(byName, key);
  return named;
}

async function show(sql: SqlReader, key: string): Promise<KeyAnswer> {
  const row = await find(sql, key);
  if (row === undefined) return { kind: "unknown" };
  const secrets = await secretsOf(sql, [row]);
  return { kind: "key", key: viewOf(row, secrets) };
}

async function list(sql: SqlReader, { revoked, limit, after }: Asked<"list">): Promise<KeyAnswer> {
  const conditions = revoked ? [] : ["revoked_at_ms IS NULL"];
  const values: (string | number)[] = [];
  if (after !== undefined) {
    const [last] = await sql.all("SELECT created_at_ms FROM issued_keys WHERE id = ?", after);
    if (last === undefined) return { kind: "unknown" };
    conditions.push("(created_at_ms, id) < (?, ?)");
    values.push(Number(last["created_at_ms"]), after);
  }
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const order = "ORDER BY created_at_ms DESC, id DESC LIMIT ?";
  const rows = await sql.all(`SELECT ${keyColumns} FROM issued_keys${where} ${order}`, ...values, limit + 1);
  const listed = rows.slice(0, limit);
  const secrets = await secretsOf(sql, listed);
  return { kind: "keys", keys: listed.map((row) => viewOf(row, secrets)), more: rows.length > limit };
}

interface KeptSecret extends SecretView {
  readonly sha256: string;
}

const idsAtOnce = 500;

/** By the key's id, the newest first. */
async function secretsOf(sql: SqlReader, keys: readonly Row[]): Promise<ReadonlyMap<string, readonly KeptSecret[]>> {
  const secrets = new Map<string, KeptSecret[]>();
  for (let at = 0; at < keys.length; at += idsAtOnce) {
    const ids = keys.slice(at, at + idsAtOnce).map((row) => String(row["id"]));
    const rows = await sql.all(
      `SELECT sha256, key_id, hint, created_at_ms, until_ms FROM issued_key_secrets
       WHERE key_id IN (${ids.map(() => "?").join(", ")})
       ORDER BY CASE WHEN until_ms IS NULL THEN 0 ELSE 1 END, created_at_ms DESC`,
      ...ids,
    );
    for (const row of rows) {
      const id = String(row["key_id"]);
      const secret = {
        sha256: String(row["sha256"]),
        hint: String(row["hint"]),
        createdAtMs: Number(row["created_at_ms"]),
        ...(row["until_ms"] === null ? {} : { untilMs: Number(row["until_ms"]) }),
      };
      secrets.set(id, [...(secrets.get(id) ?? []), secret]);
    }
  }
  return secrets;
}

function viewOf(row: Row, secrets: ReadonlyMap<string, readonly KeptSecret[]>): KeyView {
  const id = String(row["id"]);
  return {
    id,
    facts: factsIn(row),
    createdAtMs: Number(row["created_at_ms"]),
    ...(row["revoked_at_ms"] === null ? {} : { revokedAtMs: Number(row["revoked_at_ms"]) }),
    secrets: (secrets.get(id) ?? []).map(shownOf),
  };
}

function keyOf(row: Row, secrets: ReadonlyMap<string, readonly KeptSecret[]>): IssuedKey {
  const id = String(row["id"]);
  return { ...factsIn(row), id, secrets: (secrets.get(id) ?? []).map(forWorkers) };
}

function changedOf(row: Row): ChangedKey {
  const key = { id: String(row["id"]), name: String(row["name"]), isRevoked: row["revoked_at_ms"] !== null };
  return row["changed_by"] === null ? key : { ...key, by: String(row["changed_by"]) };
}

/** As `create` wrote them. */
function factsIn(row: Row): KeyFacts {
  return JSON.parse(String(row["facts"])) as KeyFacts;
}

function shownOf({ hint, createdAtMs, untilMs }: KeptSecret): SecretView {
  return untilMs === undefined ? { hint, createdAtMs } : { hint, createdAtMs, untilMs };
}

function forWorkers({ sha256, untilMs }: KeptSecret): IssuedKey["secrets"][number] {
  return untilMs === undefined ? { sha256 } : { sha256, untilMs };
}
