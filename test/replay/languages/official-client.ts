/** What every official client asks here. */
export const question = [{ role: "user" as const, content: "hi" }];

/** A network that answers everything with these bytes. */
export function respondWith(bytes: Uint8Array, type: string): typeof fetch {
  return () => Promise.resolve(new Response(Buffer.from(bytes), { headers: { "content-type": type } }));
}
