import { isObject, type JsonObject } from "#dialects/shape";
import type { Drawer } from "#dialects/threads";

/** As long as a response; using a conversation keeps it. */
const ttlMs = 30 * 24 * 60 * 60 * 1000;

export interface KeptConversation {
  /** The object as callers see it. */
  readonly conversation: JsonObject;
  readonly items: readonly JsonObject[];
}

export function findConversation(id: string, { memory, owner }: Drawer): KeptConversation | undefined {
  const value = memory.get({ space: "conversation", owner, id });
  return value === undefined ? undefined : (JSON.parse(value) as KeptConversation);
}

export function putConversation(kept: KeptConversation, { memory, owner }: Drawer): boolean {
  const id = String(kept.conversation["id"]);
  return memory.put({ space: "conversation", owner, id }, JSON.stringify(kept), ttlMs);
}

/** In one step, so that two calls of one conversation both leave their items. */
export function changeConversation(
  id: string,
  change: (kept: KeptConversation) => KeptConversation,
  { memory, owner }: Drawer,
): boolean {
  return memory.change({ space: "conversation", owner, id }, (value) =>
    JSON.stringify(change(JSON.parse(value) as KeptConversation)),
  );
}

export function forgetConversation(id: string, { memory, owner }: Drawer): boolean {
  return memory.delete({ space: "conversation", owner, id });
}

/** Items as a conversation holds them: each has an id of its own. */
export function numbered(items: readonly unknown[], newId: () => string): readonly JsonObject[] {
  return items.flatMap((item) => {
    if (!isObject(item)) return [];
    const type = typeof item["type"] === "string" ? item["type"] : "message";
    const prefix = type === "message" ? "msg" : "item";
    return [typeof item["id"] === "string" ? { type, ...item } : { id: `${prefix}_${newId()}`, type, ...item }];
  });
}
