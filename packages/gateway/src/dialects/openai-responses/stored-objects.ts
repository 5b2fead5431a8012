import { failure } from "#domain/failure";
import { isObject, type JsonObject } from "#dialects/shape";
import type { Drawer, StoredReply, StoredRequest } from "#dialects/threads";
import {
  changeConversation,
  findConversation,
  forgetConversation,
  numbered,
  putConversation,
  type KeptConversation,
} from "./kept-conversation.ts";
import { findResponse, forgetResponse, itemsOf, withItemId } from "./kept-response.ts";

/** OpenAI takes no more at once: https://platform.openai.com/docs/api-reference/conversations/create */
const maxNewItems = 20;
const mostListed = 100;
const usuallyListed = 20;

type Handler = (request: StoredRequest, drawer: Drawer) => StoredReply;

/** Method and path pattern (`*` for an id) of everything that can be asked of kept things. */
const handlers: Readonly<Record<string, Handler>> = {
  "GET responses/*": ({ path, query }, drawer) => {
    if (query.get("stream") === "true") return refused("invalid_request", "A kept response cannot be streamed again.");
    const found = findResponse(path[1] ?? "", drawer);
    return found === undefined ? noResponse(path[1]) : json(found.response);
  },
  "DELETE responses/*": ({ path }, drawer) => {
    const [, id = ""] = path;
    return forgetResponse(id, drawer) ? json({ id, object: "response", deleted: true }) : noResponse(id);
  },
  "POST responses/*/cancel": () =>
    refused("invalid_request", "Only background responses can be cancelled, and this gateway runs none."),
  "GET responses/*/input_items": ({ path, query }, drawer) => {
    const found = findResponse(path[1] ?? "", drawer);
    if (found === undefined) return noResponse(path[1]);
    return json(
      page(itemsOf(found.input).map((item, at) => withItemId(item, `${path[1]}_${at}`)) as JsonObject[], query),
    );
  },
  "POST conversations": createConversation,
  "GET conversations/*": ({ path }, drawer) => withConversation(path, drawer, ({ conversation }) => json(conversation)),
  "POST conversations/*": updateConversation,
  "DELETE conversations/*": ({ path }, drawer) => {
    const [, id = ""] = path;
    return forgetConversation(id, drawer) ? json({ id, object: "conversation.deleted", deleted: true }) : noThread(id);
  },
  "GET conversations/*/items": ({ path, query }, drawer) =>
    withConversation(path, drawer, ({ items }) => json(page(items, query))),
  "POST conversations/*/items": addItems,
  "GET conversations/*/items/*": ({ path }, drawer) =>
    withConversation(path, drawer, ({ items }) => {
      const item = items.find((each) => each["id"] === path[3]);
      return item === undefined ? noItem(path[3]) : json(item);
    }),
  "DELETE conversations/*/items/*": deleteItem,
};

/** What can be asked of kept things: a method and a path whose ids are `*`. */
export const storedRequests: readonly string[] = Object.keys(handlers);

/** Answers what is asked of kept responses and conversations. */
export function serveStored(request: StoredRequest, drawer: Drawer): StoredReply {
  const pattern = request.path.map((piece, at) => (at % 2 === 0 ? piece : "*")).join("/");
  const handler = handlers[`${request.method} ${pattern}`];
  if (handler !== undefined) return handler(request, drawer);
  const methods = Object.keys(handlers).flatMap((key) => (key.endsWith(` ${pattern}`) ? [key.split(" ")[0]] : []));
  if (methods.length > 0) return refused("method_not_allowed", `Use ${methods.join(" or ")} here.`);
  return refused("path_not_found", "There is nothing here.");
}

function createConversation({ body }: StoredRequest, drawer: Drawer): StoredReply {
  const wish = isObject(body) ? body : {};
  const items = newItems(wish["items"] ?? []);
  if (!Array.isArray(items)) return items as StoredReply;
  const metadata = isObject(wish["metadata"]) ? wish["metadata"] : {};
  const conversation = { id: `conv_${drawer.newId()}`, object: "conversation", created_at: drawer.nowS, metadata };
  const kept = putConversation({ conversation, items: numbered(items, drawer.newId) }, drawer);
  return kept ? json(conversation) : unkept();
}

function updateConversation({ path, body }: StoredRequest, drawer: Drawer): StoredReply {
  const metadata = isObject(body) ? body["metadata"] : undefined;
  if (!isObject(metadata)) return refused("invalid_request", "metadata must be an object", "metadata");
  return changed(path[1], drawer, (kept) => {
    const conversation = { ...kept.conversation, metadata };
    return { kept: { ...kept, conversation }, reply: conversation };
  });
}

function addItems({ path, body }: StoredRequest, drawer: Drawer): StoredReply {
  const items = newItems(isObject(body) ? body["items"] : undefined);
  if (!Array.isArray(items)) return items as StoredReply;
  return changed(path[1], drawer, (kept) => {
    const added = numbered(items, drawer.newId);
    return { kept: { ...kept, items: [...kept.items, ...added] }, reply: listOf(added, false) };
  });
}

function deleteItem({ path }: StoredRequest, drawer: Drawer): StoredReply {
  const [, , , id = ""] = path;
  return withConversation(path, drawer, ({ items }) => {
    if (!items.some((item) => item["id"] === id)) return noItem(id);
    return changed(path[1], drawer, (kept) => {
      return { kept: { ...kept, items: kept.items.filter((item) => item["id"] !== id) }, reply: kept.conversation };
    });
  });
}

function newItems(value: unknown): readonly unknown[] | StoredReply {
  if (!Array.isArray(value)) return refused("invalid_request", "items must be an array of items", "items");
  if (value.length > maxNewItems) {
    return refused("invalid_request", `items may hold at most ${maxNewItems} items at once`, "items");
  }
  const wrong = value.findIndex((item) => !isObject(item));
  return wrong === -1 ? value : refused("invalid_request", `items[${wrong}] must be an object`, `items[${wrong}]`);
}

function withConversation(
  path: readonly string[],
  drawer: Drawer,
  then: (kept: KeptConversation) => StoredReply,
): StoredReply {
  const found = findConversation(path[1] ?? "", drawer);
  return found === undefined ? noThread(path[1]) : then(found);
}

function changed(
  id: string | undefined,
  drawer: Drawer,
  change: (kept: KeptConversation) => { readonly kept: KeptConversation; readonly reply: unknown },
): StoredReply {
  let reply: unknown;
  if (findConversation(id ?? "", drawer) === undefined) return noThread(id);
  const done = changeConversation(
    id ?? "",
    (kept) => {
      const made = change(kept);
      reply = made.reply;
      return made.kept;
    },
    drawer,
  );
  return done ? json(reply) : unkept();
}

/** One page, newest first unless asked otherwise, as `order`, `limit` and `after` say. */
function page(items: readonly JsonObject[], query: URLSearchParams): JsonObject {
  const ordered = query.get("order") === "asc" ? items : items.toReversed();
  const after = query.get("after");
  const from = after === null ? 0 : ordered.findIndex((item) => item["id"] === after) + 1;
  const asked = Number(query.get("limit") ?? usuallyListed);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, mostListed) : usuallyListed;
  return listOf(ordered.slice(from, from + limit), from + limit < ordered.length);
}

function listOf(data: readonly JsonObject[], hasMore: boolean): JsonObject {
  return {
    object: "list",
    data,
    first_id: data[0]?.["id"] ?? null,
    last_id: data.at(-1)?.["id"] ?? null,
    has_more: hasMore,
  };
}

function json(value: unknown): StoredReply {
  return { kind: "found", json: value };
}

function refused(kind: Parameters<typeof failure>[0], message: string, param?: string): StoredReply {
  return { kind: "refused", failure: failure(kind, message, param === undefined ? {} : { param }) };
}

function noResponse(id = ""): StoredReply {
  return refused("path_not_found", `Response with id '${id.slice(0, 100)}' not found.`);
}

function noThread(id = ""): StoredReply {
  return refused("path_not_found", `Conversation with id '${id.slice(0, 100)}' not found.`);
}

function noItem(id = ""): StoredReply {
  return refused("path_not_found", `Item with id '${id.slice(0, 100)}' not found in this conversation.`);
}

function unkept(): StoredReply {
  return refused("overloaded", "The gateway cannot keep this at the moment; it may be too large.");
}
