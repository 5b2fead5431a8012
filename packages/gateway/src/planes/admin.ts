import { hash } from "node:crypto";
import type { KeyRole } from "#domain/gateway-key";
import type { Exchange } from "#domain/ports";
import { givenSecret, isOpen, keyOf, type Door } from "#pipeline/authenticate";
import { onlyMethods, wrong, type AdminReply } from "./admin-reply.ts";
import { adminRoutes, type AdminRoute, type AdminState } from "./admin-routes.ts";

const root = "/admin/api";
const maxBodyBytes = 1024 * 1024;
const bodyIdleMs = 10_000;
const json = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };

/**
 * `/admin/api/…`: for the administrator's token, for keys whose role is that of the endpoint, and for everybody on this
 * machine where nobody needs a key. True where the exchange was for it and is, or will be, answered.
 */
export function serveAdmin(exchange: Exchange, state: AdminState): boolean {
  if (exchange.path !== root && !exchange.path.startsWith(`${root}/`)) return false;
  const door = { snapshot: state.snapshot(), wallMs: state.wallMs() };
  const who = whoAsks(exchange, state.issued === undefined ? door : { ...door, issued: state.issued });
  if ("status" in who) {
    respond(exchange, who);
    return true;
  }
  const found = who.role === "inference" ? refused(who) : findRoute(exchange);
  if ("status" in found) respond(exchange, found);
  else if (!mayUse(who.role, found.route)) respond(exchange, refused(who));
  else void answer(exchange, { state, who, found });
  return true;
}

interface Who {
  readonly role: KeyRole;
  /** Of the key, or of the token; absent where nobody needs either. */
  readonly name?: string;
}

/** Who is let in at all; what it may then use stands with each route. */
function whoAsks(exchange: Exchange, door: Door): Who | AdminReply {
  if (isOpen(door)) return { role: "admin" };
  const given = givenSecret(exchange);
  if (typeof given !== "string") return wrong(401, given.message);
  const { adminToken } = door.snapshot;
  if (adminToken !== undefined && hash("sha256", given) === adminToken) return { role: "admin", name: "admin token" };
  const key = keyOf(given, door);
  if ("message" in key) return wrong(key.kind === "forbidden" ? 403 : 401, key.message);
  return { role: key.role ?? "inference", name: key.name };
}

/** Nobody may what is not said here. */
function mayUse(role: KeyRole, { method, permission }: AdminRoute): boolean {
  switch (role) {
    case "admin":
      return permission === "admin" || permission === "viewer";
    case "viewer":
      return permission === "viewer" && method === "GET";
    case "inference":
      return false;
  }
}

function refused({ role, name = "" }: Who): AdminReply {
  if (role === "viewer") return wrong(403, `the key "${name}" is for looking; this takes one with the role admin`);
  return wrong(403, `the key "${name}" is no administrator's; add admin: true to it, or role: viewer`);
}

interface Found {
  readonly route: AdminRoute;
  readonly id: string;
}

function findRoute({ path, method }: Exchange): Found | AdminReply {
  const here = adminRoutes.flatMap((route) => {
    const id = idIn(path, route.path);
    return id === undefined ? [] : [{ route, id }];
  });
  const wanted = method === "HEAD" ? "GET" : method;
  const found = here.find(({ route }) => route.method === wanted);
  if (found !== undefined) return found;
  if (here.length === 0) return wrong(404, `there is nothing here; GET ${root}/openapi.json tells what there is`);
  const methods = here.map(({ route }) => route.method);
  return onlyMethods([...methods, ...(methods.includes("GET") ? ["HEAD"] : [])].join(", "));
}

/** What the braces of a pattern stand for in a path: empty where it has none, undefined where the path is another. */
function idIn(path: string, pattern: string): string | undefined {
  const [before = "", after] = pattern.split("{id}");
  if (after === undefined) return path === pattern ? "" : undefined;
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined;
  const id = path.slice(before.length, path.length - after.length);
  return path.length <= before.length + after.length || id.includes("/") ? undefined : id;
}

interface Answering {
  readonly state: AdminState;
  readonly who: Who;
  readonly found: Found;
}

async function answer(exchange: Exchange, { state, who, found: { route, id } }: Answering): Promise<void> {
  const read: Read = route.body === undefined ? { said: {} } : await readBody(exchange);
  const by = who.name;
  const reply =
    "said" in read ? await route.handle({ state, id, query: exchange.query, body: read.said, by }) : read.reply;
  if (!exchange.gone) respond(exchange, reply);
}

type Said = Readonly<Record<string, unknown>>;
type Read = { readonly said: Said } | { readonly reply: AdminReply };

async function readBody(exchange: Exchange): Promise<Read> {
  // A page in a browser can post anything to a gateway on its machine but this, unasked.
  if (!/^application\/json\s*(?:;|$)/iu.test(exchange.headers["content-type"] ?? "")) {
    return { reply: wrong(415, "send JSON, with content-type: application/json") };
  }
  const read = await exchange.readBody({ maxBytes: maxBodyBytes, idleMs: bodyIdleMs });
  if (read.kind === "gone") return { reply: wrong(400, "the body did not come whole") };
  if (read.kind === "refused") {
    const status = read.failure.kind === "request_too_large" ? 413 : 400;
    return { reply: wrong(status, read.failure.message) };
  }
  const said = objectIn(read.bytes);
  return said === undefined ? { reply: wrong(400, "the body is not a JSON object") } : { said };
}

function objectIn(bytes: Uint8Array): Said | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Said) : undefined;
  } catch {
    return undefined;
  }
}

function respond(exchange: Exchange, { status, body, headers = {} }: AdminReply): void {
  exchange.respond(status, { ...json, ...headers });
  exchange.end(Buffer.from(`${JSON.stringify(body)}\n`));
}
