/**
 * Keys that were issued at run time. Of their secrets only hashes are kept. Every change takes the next revision and with
 * it the row that counts them, so that revisions are seen in their order, on any database.
 */
export const keyMigration = `
  CREATE TABLE key_revision (
    revision INTEGER NOT NULL
  );
  INSERT INTO key_revision (revision) VALUES (0);
  CREATE TABLE issued_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    facts TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER,
    revision INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX issued_keys_name ON issued_keys (name) WHERE revoked_at_ms IS NULL;
  CREATE INDEX issued_keys_revision ON issued_keys (revision);
  CREATE INDEX issued_keys_created ON issued_keys (created_at_ms, id);
  CREATE TABLE issued_key_secrets (
    sha256 TEXT NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL,
    hint TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    until_ms INTEGER
  );
  CREATE INDEX issued_key_secrets_key ON issued_key_secrets (key_id);
`;

/** Who asked for a key's last change: the key or token, or the command and its user. */
export const keyChangeMigration = `
  ALTER TABLE issued_keys ADD COLUMN changed_by TEXT;
`;
