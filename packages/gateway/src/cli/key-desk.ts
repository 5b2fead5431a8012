import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { KeyStore } from "#control/keys/key-store";
import type { KnownNames } from "#control/keys/key-request";
import { openPostgres } from "#control/store/postgres";
import { openSqlFile, type OpenedSqlStore } from "#control/store/sql";
import { storeFile } from "#control/store/sqlite";
import { usualFile } from "#control/config/configuration";
import type { KeyDesk } from "#domain/key-desk";
import { createKey, listKeys, revokeKey, rotateKey, showKey } from "#planes/admin-keys";
import { askAdmin } from "./ask-admin.ts";
import type { CommandIo } from "./command.ts";
import { configurationFor } from "./configuration-for.ts";
import { gatewayUrl } from "./gateway-url.ts";
import { terminalLine } from "./terminal-text.ts";

/** What is asked about issued keys: in the words of the admin API, whoever answers. */
export type KeyErrand =
  | { readonly kind: "create"; readonly body: object }
  | { readonly kind: "list"; readonly query: URLSearchParams }
  | { readonly kind: "show" | "revoke"; readonly key: string }
  | { readonly kind: "rotate"; readonly key: string; readonly body: object };

export interface KeyReply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A running gateway, or the store that one keeps its keys in. */
export interface OpenKeyDesk {
  /** Undefined once it is said why there is no answer. */
  ask(errand: KeyErrand): Promise<KeyReply | undefined>;
  close(): Promise<void>;
}

export interface KeyDeskWish {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly config: string | undefined;
  readonly data: string | undefined;
  readonly io: CommandIo;
}

const path = "/admin/api/keys";

/**
 * Over the admin API where an address or a token says so, else in the store itself, which a gateway that runs looks at
 * twice a second. Undefined once it is said why neither can be.
 */
export async function openKeyDesk(wish: KeyDeskWish): Promise<OpenKeyDesk | undefined> {
  const { io, data } = wish;
  const token = wish.token ?? io.env["HEDGEROW_ADMIN_TOKEN"];
  const isFar = wish.url !== undefined || token !== undefined || io.env["HEDGEROW_URL"] !== undefined;
  if (!isFar || data !== undefined) return openStoreOf(wish);
  const url = gatewayUrl(wish.url, io);
  return {
    async ask(errand) {
      const answer = await askAdmin({ url, token, ...requestOf(errand) });
      if (answer.kind === "answered") return answer;
      io.stderr(`hedgerow keys: ${terminalLine(answer.message)}\n`);
      return undefined;
    },
    close: async () => {},
  };
}

function requestOf(errand: KeyErrand): Omit<Parameters<typeof askAdmin>[0], "url" | "token"> {
  switch (errand.kind) {
    case "create":
      return { method: "POST", path, body: errand.body };
    case "list":
      return { method: "GET", path: `${path}?${errand.query.toString()}` };
    case "show":
      return { method: "GET", path: `${path}/${encodeURIComponent(errand.key)}` };
    case "revoke":
      return { method: "DELETE", path: `${path}/${encodeURIComponent(errand.key)}` };
    case "rotate":
      return { method: "POST", path: `${path}/${encodeURIComponent(errand.key)}/rotate`, body: errand.body };
  }
}

async function openStoreOf({ config, data, io }: KeyDeskWish): Promise<OpenKeyDesk | undefined> {
  const configuration = configurationFor(config, { io, today: new Date().toISOString().slice(0, 10), issuing: true });
  if (configuration === undefined) return undefined;
  const folder = resolve(io.cwd, data ?? configuration.server.data);
  const { store } = configuration.server;
  // What a mistyped folder would begin, no gateway would ever look at.
  const isMeant = data !== undefined || config !== undefined || existsSync(resolve(io.cwd, usualFile));
  if (store === undefined && !existsSync(join(folder, storeFile)) && !isMeant) {
    const fix = "go where its hedgerow.yaml is, name its folder with --data, or its address with --url";
    io.stderr(`hedgerow keys: no gateway keeps anything in ${terminalLine(folder)}; ${fix}\n`);
    return undefined;
  }
  const opened: OpenedSqlStore =
    store === undefined
      ? openSqlFile(join(folder, storeFile))
      : { kind: "opened", store: await openPostgres({ url: store }) };
  if (opened.kind === "refused") {
    io.stderr(`hedgerow keys: ${terminalLine(opened.message)}\n`);
    return undefined;
  }
  const keys = new KeyStore({ sql: opened.store, wallMs: Date.now });
  const user = io.env["USER"] ?? io.env["USERNAME"];
  const by = `hedgerow keys${user === undefined ? "" : ` (${user})`}`;
  const asked = { known: configuration.snapshot, by };
  return { ask: (errand) => answerFrom(keys, asked, errand), close: () => opened.store.close() };
}

interface From {
  readonly known: KnownNames;
  readonly by: string;
}

async function answerFrom(keys: KeyStore, from: From, errand: KeyErrand): Promise<KeyReply> {
  const desk: KeyDesk = {
    ask: (ask) => keys.ask(ask).catch((error: Error) => ({ kind: "unavailable", why: error.message })),
  };
  const { status, body } = await replyOf({ desk, ...from, wallMs: Date.now() }, errand);
  return { status, body: body as KeyReply["body"] };
}

function replyOf(asked: Parameters<typeof showKey>[0], errand: KeyErrand): ReturnType<typeof showKey> {
  switch (errand.kind) {
    case "create":
      return createKey(asked, errand.body);
    case "list":
      return listKeys(asked, errand.query);
    case "show":
      return showKey(asked, errand.key);
    case "revoke":
      return revokeKey(asked, errand.key);
    case "rotate":
      return rotateKey(asked, errand.key, errand.body);
  }
}
