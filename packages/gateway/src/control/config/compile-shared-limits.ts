import type { Report, SharedSettings } from "./compile-context.ts";
import type { ConfigDocument } from "./schema.ts";
import { defaultSharedPrefix } from "./shared-schema.ts";

export function compileShared({ shared }: ConfigDocument): { readonly shared?: SharedSettings } {
  if (shared === undefined) return {};
  const { url, prefix = defaultSharedPrefix, down = "local-share" } = shared;
  return { shared: { url, prefix, down } };
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
