import { failure, type Failure } from "#domain/failure";
import { isObject, ShapeReader } from "#dialects/shape";
import type { Answered, Drawer, Earlier, Threads, ThreadWish } from "#dialects/threads";
import { readJson, type FieldScan } from "#wire/json-splice";
import { changeConversation, findConversation, numbered } from "./kept-conversation.ts";
import {
  findResponse,
  itemFinder,
  itemsOf,
  outputOf,
  putPlaces,
  putResponse,
  rawField,
  responseIn,
} from "./kept-response.ts";
import { nameThread } from "./name-thread.ts";
import { serveStored } from "./stored-objects.ts";

/** Answers a thread may go back over; more is a loop or an attack. */
const maxSteps = 1000;

/** `previous_response_id`, `conversation` and `store`, kept by the gateway so that they work over any provider. */
export const threads: Threads = {
  read: readWish,
  earlier: readEarlier,
  wholeEdits(body, scan, earlier) {
    const read = scan.fields.get("input");
    const own = read === undefined ? undefined : readJson(body, read);
    const { items: before, referenced } = earlier;
    const now = resolved(own?.ok === true ? own.value : undefined, (id) => referenced?.get(id));
    const items = [...before, ...now];
    return new Map<string, string | undefined>([
      ["previous_response_id", undefined],
      ["conversation", undefined],
      ["input", JSON.stringify(withoutUnreadable(items))],
    ]);
  },
  name: nameThread,
  keep,
  serve: serveStored,
};

function readWish(body: Uint8Array, scan: FieldScan): ThreadWish | Failure {
  const reader = new ShapeReader();
  const field = (name: string): unknown => {
    const span = scan.fields.get(name);
    if (span === undefined) return undefined;
    const read = readJson(body, span);
    return read.ok ? read.value : reader.refuse(name, `is broken JSON: ${read.problem}`);
  };
  const previous = reader.optionalString(field("previous_response_id"), "previous_response_id");
  const named = field("conversation");
  const conversation = isObject(named)
    ? reader.word(named["id"], "conversation.id")
    : reader.optionalString(named, "conversation");
  const store = reader.optionalBoolean(field("store"), "store") ?? true;
  if (previous !== undefined && conversation !== undefined) {
    reader.refuse("conversation", "cannot be combined with previous_response_id; send one of them");
  }
  if (reader.failure !== undefined) return reader.failure;
  const references = referencesIn(body, scan);
  return {
    store,
    ...(references.length === 0 ? {} : { references }),
    ...(previous === undefined ? {} : { previous }),
    ...(conversation === undefined ? {} : { conversation }),
  };
}

/** A call's input is looked into only where its bytes hold the word. */
function referencesIn(body: Uint8Array, scan: FieldScan): readonly string[] {
  const span = scan.fields.get("input");
  if (span === undefined) return [];
  const bytes = Buffer.from(body.buffer, body.byteOffset + span.start, span.end - span.start);
  const isSigned = referenceSigns.some((sign) => bytes.includes(sign));
  if (!isSigned && !(bytes.includes('"id"') && bareReference.test(bytes.toString("latin1")))) return [];
  const read = readJson(body, span);
  return itemsOf(read.ok ? read.value : undefined).flatMap((item) => (isReference(item) ? [item.id] : []));
}

const reference = "item_reference";
/** Its letters may be written as escapes, which nobody does who means no harm. */
const referenceSigns = [`"${reference}"`, String.raw`\u005`, String.raw`\u006`, String.raw`\u007`];

/** OpenAI lets a reference leave its type out. */
const bareReference = /\{\s*(?:"type"\s*:\s*null\s*,\s*)?"id"\s*:\s*"[^"]*"\s*(?:,\s*"type"\s*:\s*null\s*)?\}/;

function isReference(item: unknown): item is { readonly id: string } {
  if (!isObject(item) || typeof item["id"] !== "string") return false;
  const type = item["type"] ?? undefined;
  return type === reference || (type === undefined && Object.keys(item).every((key) => key === "id" || key === "type"));
}

/** `input` as items, with what it names in place of the names. */
function resolved(input: unknown, find: (id: string) => unknown): readonly unknown[] {
  return itemsOf(input).map((item) => (isReference(item) ? find(item.id) : undefined) ?? item);
}

const ofModel: ReadonlySet<unknown> = new Set(["message", "function_call", "custom_tool_call"]);

/**
 * A thought without its seal can be read where it was thought only, and only there may what follows it keep the id that
 * ties it to the thought: elsewhere OpenAI answers 404 to the one and 400 to the other.
 */
function withoutUnreadable(items: readonly unknown[]): readonly unknown[] {
  let isTied = false;
  return items.flatMap((item) => {
    if (!isObject(item)) return [item];
    if (item["type"] === "reasoning") {
      isTied = typeof item["encrypted_content"] !== "string" || item["encrypted_content"] === "";
      return isTied ? [] : [item];
    }
    const isModels = ofModel.has(item["type"]) && (item["type"] !== "message" || item["role"] === "assistant");
    isTied &&= isModels;
    if (!isTied) return [item];
    const { id: _id, ...untied } = item;
    return [untied];
  });
}

function readEarlier(wish: ThreadWish, drawer: Drawer): Earlier | Failure {
  const thread = readThread(wish, drawer);
  if (wish.references === undefined || !("items" in thread)) return thread;
  const referenced = new Map<string, unknown>();
  const holders = new Set<string | undefined>();
  if (wish.previous !== undefined || wish.conversation !== undefined) holders.add(thread.heldBy);
  const find = itemFinder(drawer);
  let length = 0;
  for (const id of wish.references) {
    const found = find(id);
    // Not passed on unseen: what a provider holds for one key of this gateway is no other's.
    if (found === undefined) return unknown("input", `Item with id '${shown(id)}' not found`);
    // A name is short and may be given many times: what it stands for counts each time.
    length += found.length;
    if (length > drawer.maxLength) return tooLong("input");
    referenced.set(id, found.item);
    holders.add(found.heldBy);
  }
  const [heldBy] = holders;
  return { items: thread.items, referenced, ...(holders.size === 1 && heldBy !== undefined ? { heldBy } : {}) };
}

function readThread(wish: ThreadWish, drawer: Drawer): Earlier | Failure {
  if (wish.conversation !== undefined) {
    const found = findConversation(wish.conversation, drawer);
    if (found !== undefined) return { items: found.items };
    return unknown("conversation", `Conversation with id '${shown(wish.conversation)}' not found`);
  }
  const items: unknown[] = [];
  const find = itemFinder(drawer);
  let heldBy: string | undefined;
  let length = 0;
  let id = wish.previous;
  for (let step = 0; id !== undefined; step += 1) {
    const kept = step < maxSteps ? findResponse(id, drawer) : undefined;
    if (kept === undefined) {
      const what = `Previous response with id '${shown(id)}' not found`;
      return unknown("previous_response_id", what, "previous_response_not_found");
    }
    const own = [...resolved(kept.input, (id) => find(id)?.item), ...outputOf(kept.response)];
    length += JSON.stringify(own).length;
    if (length > drawer.maxLength) return tooLong("previous_response_id");
    items.unshift(...own);
    if (step === 0) heldBy = kept.heldBy;
    id = kept.previous;
  }
  return { items, ...(heldBy === undefined ? {} : { heldBy }) };
}

function tooLong(param: string): Failure {
  const why = "The conversation has grown longer than a request may be; start a new one.";
  return failure("request_too_large", why, { param });
}

function unknown(param: string, what: string, word?: string): Failure {
  return failure(
    "invalid_request",
    `${what}: it was not stored, has expired, or belongs to another key. Send the whole input instead.`,
    { param, ...(word === undefined ? {} : { word }) },
  );
}

function shown(id: string): string {
  return id.slice(0, 100);
}

function keep({ body, scan, wish, answer, heldBy }: Answered, drawer: Drawer): boolean {
  const found = responseIn(answer);
  if (found === undefined) return false;
  const input = rawField(body, scan, "input") ?? "[]";
  const output = outputOf(JSON.parse(found.json) as Readonly<Record<string, unknown>>);
  let kept = true;
  if (wish.conversation !== undefined) {
    const items = [...itemsOf(JSON.parse(input)), ...output];
    const change = changeConversation(
      wish.conversation,
      (held) => ({ ...held, items: [...held.items, ...numbered(items, drawer.newId)] }),
      drawer,
    );
    kept &&= change;
  }
  if (!wish.store) return kept;
  const { previous, conversation } = wish;
  const put = putResponse(
    {
      id: found.id,
      input,
      response: found.json,
      ...(previous === undefined ? {} : { previous }),
      ...(conversation === undefined ? {} : { conversation }),
      // A conversation is the gateway's alone: what a provider holds of it lacks the earlier turns.
      ...(heldBy === undefined || conversation !== undefined ? {} : { heldBy }),
    },
    drawer,
  );
  if (put) putPlaces(found.id, output, drawer);
  return kept && put;
}
