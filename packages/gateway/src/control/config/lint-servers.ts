import type { Secret } from "#domain/secret";
import { isLoopback } from "./address.ts";
import type { LintInput } from "./lint-input.ts";
import type { ConfigPath, Finding } from "./problem.ts";

/** Servers that nodes share, spoken to over a network in plain text. */
export function lintServers({ server: { store, shared } }: Pick<LintInput, "server">): readonly Finding[] {
  const message = "what it is told, and what we prove ourselves by, travels unencrypted over the network";
  const found = (path: ConfigPath, url: Secret | undefined, fix: string): readonly Finding[] => {
    const parsed = url === undefined ? null : URL.parse(url.reveal());
    if (parsed === null || isLoopback(parsed.hostname) || isEncrypted(parsed)) return [];
    return [{ path, message, fix }];
  };
  return [
    ...found(["store"], store, "add ?sslmode=verify-full to the address"),
    ...found(["shared", "url"], shared?.url, "use rediss://"),
  ];
}

function isEncrypted({ protocol, searchParams }: URL): boolean {
  return protocol === "rediss:" || !["disable", null].includes(searchParams.get("sslmode"));
}
