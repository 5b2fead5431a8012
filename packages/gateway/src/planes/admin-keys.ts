import { factsOf, keyRequest, overlapOf, rotateRequest, type KnownNames } from "#control/keys/key-request";
import { readAs } from "#control/admin-api/schemas";
import { mostListedKeys, type KeyAnswer, type KeyAsk, type KeyDesk } from "#domain/key-desk";
import { wrong, type AdminReply } from "./admin-reply.ts";
import { writtenKey } from "./key-json.ts";

/** One question about issued keys. */
export interface AskedOfKeys {
  readonly desk: KeyDesk | undefined;
  readonly known: KnownNames;
  /** Wall clock, milliseconds since 1970. */
  readonly wallMs: number;
  /** The key or token that asks; absent where nobody needs one. */
  readonly by?: string;
}

const usualLimit = 100;

export async function listKeys(asked: AskedOfKeys, query: URLSearchParams): Promise<AdminReply> {
  const limit = Number(query.get("limit") ?? usualLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostListedKeys) {
    return wrong(400, `limit is a whole number from 1 to ${mostListedKeys}`);
  }
  const revoked = query.get("revoked") ?? "false";
  if (revoked !== "true" && revoked !== "false") return wrong(400, "revoked is true or false");
  const after = query.get("after") ?? undefined;
  const page = { revoked: revoked === "true", limit, ...(after === undefined ? {} : { after }) };
  return answered(asked, { kind: "list", ...page });
}

export function showKey(asked: AskedOfKeys, key: string): Promise<AdminReply> {
  return answered(asked, { kind: "show", key });
}

export async function createKey(asked: AskedOfKeys, body: unknown): Promise<AdminReply> {
  const read = readAs(keyRequest, body);
  if (read.kind === "wrong") return wrong(400, read.message);
  const facts = factsOf(read.value, asked.known, asked.wallMs);
  return typeof facts === "string" ? wrong(400, facts) : answered(asked, { kind: "create", facts, ...signed(asked) });
}

export function revokeKey(asked: AskedOfKeys, key: string): Promise<AdminReply> {
  return answered(asked, { kind: "revoke", key, ...signed(asked) });
}

export async function rotateKey(asked: AskedOfKeys, key: string, body: unknown): Promise<AdminReply> {
  const read = readAs(rotateRequest, body);
  if (read.kind === "wrong") return wrong(400, read.message);
  return answered(asked, { kind: "rotate", key, overlapMs: overlapOf(read.value), ...signed(asked) });
}

function signed({ by }: AskedOfKeys): { readonly by?: string } {
  return by === undefined ? {} : { by };
}

async function answered({ desk, wallMs }: AskedOfKeys, ask: KeyAsk): Promise<AdminReply> {
  if (desk === undefined) return wrong(503, "this gateway issues no keys");
  return replyTo(await desk.ask(ask), { ask, wallMs });
}

function replyTo(answer: KeyAnswer, { ask, wallMs }: { readonly ask: KeyAsk; readonly wallMs: number }): AdminReply {
  switch (answer.kind) {
    case "keys": {
      const data = answer.keys.map((key) => writtenKey(key, wallMs));
      return { status: 200, body: { object: "list", data, has_more: answer.more } };
    }
    case "key":
      return { status: 200, body: writtenKey(answer.key, wallMs) };
    case "issued":
      return {
        status: ask.kind === "create" ? 201 : 200,
        body: { ...writtenKey(answer.key, wallMs), key: answer.text },
      };
    case "unknown":
      return wrong(404, "there is no such key; the list of keys shows them");
    case "taken":
      return wrong(409, "a key has this name; revoke it first, or give this one another");
    case "full":
      return wrong(409, `there are ${answer.most} keys, as many as there may be; revoke some first`);
    case "revoked":
      return wrong(409, "this key is revoked; create another");
    case "unavailable":
      return wrong(503, `the keys cannot be reached at the moment (${answer.why})`);
  }
}
