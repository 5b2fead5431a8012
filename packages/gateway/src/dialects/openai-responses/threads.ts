import { failure, type Failure } from "#domain/failure";
import { isObject, ShapeReader } from "#dialects/shape";
import type { Answered, Drawer, Earlier, Threads, ThreadWish } from "#dialects/threads";
import { readJson, type FieldScan } from "#wire/json-splice";
import { changeConversation, findConversation, numbered } from "./kept-conversation.ts";
import { findResponse, itemsOf, outputOf, putResponse, rawField, responseIn } from "./kept-response.ts";
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
    const items = [...earlier, ...itemsOf(own?.ok === true ? own.value : undefined)];
    return new Map<string, string | undefined>([
      ["previous_response_id", undefined],
      ["conversation", undefined],
      ["input", JSON.stringify(items)],
    ]);
  },
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
  return {
    store,
    ...(previous === undefined ? {} : { previous }),
    ...(conversation === undefined ? {} : { conversation }),
  };
}

function readEarlier(wish: ThreadWish, drawer: Drawer): Earlier | Failure {
  if (wish.conversation !== undefined) {
    const found = findConversation(wish.conversation, drawer);
    if (found !== undefined) return { items: found.items };
    return unknown("conversation", `Conversation with id '${shown(wish.conversation)}' not found`);
  }
  const items: unknown[] = [];
  let heldBy: string | undefined;
  let length = 0;
  let id = wish.previous;
  for (let step = 0; id !== undefined; step += 1) {
    const kept = step < maxSteps ? findResponse(id, drawer) : undefined;
    if (kept === undefined) {
      return unknown("previous_response_id", `Previous response with id '${shown(id)}' not found`);
    }
    const own = [...itemsOf(kept.input), ...outputOf(kept.response)];
    length += JSON.stringify(own).length;
    if (length > drawer.maxLength) {
      return failure("request_too_large", "The conversation has grown longer than a request may be; start a new one.", {
        param: "previous_response_id",
      });
    }
    items.unshift(...own);
    if (step === 0) heldBy = kept.heldBy;
    id = kept.previous;
  }
  return { items, ...(heldBy === undefined ? {} : { heldBy }) };
}

function unknown(param: string, what: string): Failure {
  return failure(
    "invalid_request",
    `${what}: it was not stored, has expired, or belongs to another key. Send the whole input instead.`,
    { param },
  );
}

function shown(id: string): string {
  return id.slice(0, 100);
}

function keep({ body, scan, wish, answer, heldBy }: Answered, drawer: Drawer): boolean {
  const found = responseIn(answer);
  if (found === undefined) return false;
  const input = rawField(body, scan, "input") ?? "[]";
  let kept = true;
  if (wish.conversation !== undefined) {
    const items = [
      ...itemsOf(JSON.parse(input)),
      ...outputOf(JSON.parse(found.json) as Readonly<Record<string, unknown>>),
    ];
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
  return kept && put;
}
