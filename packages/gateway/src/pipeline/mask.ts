import type { ProviderSpec } from "#domain/snapshot";

/** Takes our own credentials out of what a provider says: some repeat the key they refuse. */
export interface Mask {
  /** Whether a credential of this provider is in the text. */
  finds(text: string): boolean;
  /** An error's body, text or parsed JSON, without the credentials. */
  complaint(body: unknown): object | string;
}

const removed = "[removed]";
/** Shorter ones would be found in ordinary words, and are no secrets. */
const shortestSecret = 6;
const masks = new WeakMap<ProviderSpec, Mask>();

export function maskOf(spec: ProviderSpec): Mask {
  let mask = masks.get(spec);
  if (mask === undefined) masks.set(spec, (mask = makeMask(spec)));
  return mask;
}

function makeMask(spec: ProviderSpec): Mask {
  const values = [...spec.credentials.map(({ secret }) => secret), ...spec.headers.map(({ value }) => value)];
  const plain = values.map((value) => value.reveal()).filter((value) => value.length >= shortestSecret);
  // Longest first: one credential may be the beginning of another.
  const secrets = plain.toSorted((a, b) => b.length - a.length);
  const finds = (text: string): boolean => secrets.some((secret) => text.includes(secret));
  const clean = (text: string): string => secrets.reduce((left, secret) => left.replaceAll(secret, removed), text);
  return {
    finds,
    complaint(body) {
      if (typeof body !== "object" || body === null) return clean(String(body));
      return (cleanValue(body, { clean, depth: 0 }) as object | undefined) ?? {};
    },
  };
}

/** What lies deeper is nothing an error is read from. */
const deepest = 16;

function cleanValue(value: unknown, at: { readonly clean: (text: string) => string; readonly depth: number }): unknown {
  if (typeof value === "string") return at.clean(value);
  if (typeof value !== "object" || value === null) return value;
  if (at.depth === deepest) return undefined;
  const deeper = { ...at, depth: at.depth + 1 };
  if (Array.isArray(value)) return value.map((each) => cleanValue(each, deeper));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [at.clean(key), cleanValue(each, deeper)]));
}
