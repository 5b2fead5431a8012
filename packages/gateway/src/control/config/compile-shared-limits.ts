import type { Secret } from "#domain/secret";
import type { Report, SharedSettings } from "./compile-context.ts";
import type { ConfigDocument } from "./schema.ts";
import { defaultSharedPrefix } from "./shared-schema.ts";

export function compileShared({ shared, store }: ConfigDocument): {
  readonly shared?: SharedSettings;
  readonly store?: Secret;
} {
  const ofStore = store === undefined ? {} : { store };
  if (shared === undefined) return ofStore;
  const { url, prefix = defaultSharedPrefix, down = "local-share" } = shared;
  return { ...ofStore, shared: { url, prefix, down } };
}

const sslModes: readonly string[] = ["disable", "require", "verify-ca", "verify-full"];

/** As that of `shared`. */
export function checkStore({ store }: ConfigDocument, report: Report): void {
  if (store === undefined) return;
  const url = URL.parse(store.reveal());
  if (url !== null && ["postgres:", "postgresql:"].includes(url.protocol) && url.pathname.length > 1) {
    const mode = url.searchParams.get("sslmode") ?? "disable";
    if (!sslModes.includes(mode)) report(["store"], `its sslmode is none of ${sslModes.join(", ")}`, "correct it");
    if (mode === "verify-ca" && !url.searchParams.has("sslrootcert"))
      report(["store"], "sslmode=verify-ca needs sslrootcert=PATH", "name the authority, or write sslmode=verify-full");
    return;
  }
  report(
    ["store"],
    "this is no address of a PostgreSQL database",
    "write one such as postgres://user:password@host:5432/hedgerow, with ?sslmode=verify-full for TLS",
  );
}

/** An address that cannot be connected to would be found out only while calls wait. It is never shown: it may hold a password. */
export function checkShared({ shared }: ConfigDocument, report: Report): void {
  if (shared === undefined) return;
  const url = URL.parse(shared.url.reveal());
  const isOne =
    url !== null &&
    ["redis:", "rediss:"].includes(url.protocol) &&
    url.hostname !== "" &&
    /^(?:\/\d{0,4})?$/u.test(url.pathname);
  if (isOne) return;
  const fix = "write one such as redis://host:6379, rediss:// for TLS, with a number behind the last / for a database";
  report(["shared", "url"], "this is no address of a Valkey or Redis server", fix);
}
