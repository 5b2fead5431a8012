/** Where a provider is reached: `https://host:port` and the path its API hangs under. */
interface Address {
  readonly kind: "address";
  readonly origin: string;
  /** Without a trailing slash; empty at the root. */
  readonly basePath: string;
}

export type AddressRead = Address | { readonly kind: "refused"; readonly why: string; readonly fix: string };

/** What people paste when they copy an endpoint instead of a base address. */
const endpointSuffix = /\/(?:chat\/completions|completions|responses|messages(?:\/count_tokens)?|embeddings|models)$/u;

/**
 * Reads a base address. An address without a path takes `usualPath`, the one the kind's own API hangs under, because
 * whoever writes only a host means the same API at another host.
 */
export function readAddress(text: string, usualPath = ""): AddressRead {
  const fix = "write a base address such as https://api.example.com/v1";
  if (!URL.canParse(text)) return { kind: "refused", why: "this is not a URL", fix };
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return { kind: "refused", why: "a provider's address begins with https:// or http://", fix };
  }
  if (url.username !== "" || url.password !== "") {
    return { kind: "refused", why: "an address holds no user name or password", fix: "put the credential into `key`" };
  }
  if (url.search !== "" || text.includes("?")) {
    return {
      kind: "refused",
      why: "an address has no query (?…)",
      fix: "put credentials into `key`, the rest into `headers`",
    };
  }
  if (url.hash !== "" || text.includes("#")) return { kind: "refused", why: "an address has no fragment (#…)", fix };
  const path = withoutTrailingSlash(withoutTrailingSlash(url.pathname).replace(endpointSuffix, ""));
  const bare = withoutTrailingSlash(url.pathname) === "";
  return { kind: "address", origin: url.origin, basePath: bare ? usualPath : path };
}

/** Whether only programs of this machine can reach a listener on this host. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/u, "$1");
  return name === "localhost" || name === "::1" || /^127(?:\.\d{1,3}){3}$/u.test(name);
}

function withoutTrailingSlash(path: string): string {
  return path.replace(/\/+$/u, "");
}
