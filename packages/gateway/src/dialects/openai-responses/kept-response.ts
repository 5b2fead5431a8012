import { isObject, type JsonObject } from "#dialects/shape";
import type { Drawer } from "#dialects/threads";
import { readJson, scanFields, type FieldScan } from "#wire/json-splice";

/** OpenAI keeps responses for thirty days: https://platform.openai.com/docs/guides/conversation-state */
const ttlMs = 30 * 24 * 60 * 60 * 1000;
const deepest = 1000;

/** A response as the gateway keeps it, with what was asked. */
export interface KeptResponse {
  /** The caller's `input` as it was written. */
  readonly input: unknown;
  /** The response object as the caller got it. */
  readonly response: JsonObject;
  readonly previous?: string;
  readonly conversation?: string;
  readonly heldBy?: string;
}

export function findResponse(id: string, { memory, owner }: Drawer): KeptResponse | undefined {
  const value = memory.get({ space: "response", owner, id });
  const found = value === undefined ? undefined : (JSON.parse(value) as KeptResponse | ItemPlace);
  return found === undefined || "within" in found ? undefined : found;
}

/** Under an item's own id lies the id of the response it is part of: clients name single items, too. */
interface ItemPlace {
  readonly within: string;
}

/** Of one answer; calls that name more items than any agent's turn has are not served by name. */
const mostPlaces = 256;

interface FoundItem {
  readonly item: JsonObject;
  /** Of its JSON. */
  readonly length: number;
  /** The provider that holds the response it is part of. */
  readonly heldBy?: string;
}

/** Finds items of earlier answers by their ids. An answer that many of them are part of is read once. */
export function itemFinder(drawer: Drawer): (id: string) => FoundItem | undefined {
  const places = new Map<string, string | undefined>();
  const answers = new Map<string, ReadonlyMap<unknown, FoundItem>>();
  return (id) => {
    if (!places.has(id)) places.set(id, holderOf(id, drawer));
    const within = places.get(id);
    if (within === undefined) return undefined;
    let items = answers.get(within);
    if (items === undefined) answers.set(within, (items = itemsWithin(within, drawer)));
    return items.get(id);
  };
}

function holderOf(id: string, { memory, owner }: Drawer): string | undefined {
  const value = memory.get({ space: "response", owner, id });
  const place = value === undefined ? undefined : (JSON.parse(value) as KeptResponse | ItemPlace);
  return place !== undefined && "within" in place ? place.within : undefined;
}

function itemsWithin(id: string, drawer: Drawer): ReadonlyMap<unknown, FoundItem> {
  const kept = findResponse(id, drawer);
  const items = new Map<unknown, FoundItem>();
  for (const item of kept === undefined ? [] : outputOf(kept.response)) {
    if (!isObject(item) || items.has(item["id"])) continue;
    const held = kept?.heldBy === undefined ? {} : { heldBy: kept.heldBy };
    items.set(item["id"], { item, length: JSON.stringify(item).length, ...held });
  }
  return items;
}

/** So that the items of a kept response are found by their own ids. */
export function putPlaces(within: string, output: readonly unknown[], { memory, owner }: Drawer): void {
  for (const item of output.slice(0, mostPlaces)) {
    const id = isObject(item) ? item["id"] : undefined;
    if (typeof id !== "string" || id === "" || id === within) continue;
    memory.put({ space: "response", owner, id }, JSON.stringify({ within } satisfies ItemPlace), ttlMs);
  }
}

/** Built from raw JSON: what was asked and answered is not parsed in order to be kept. */
export function putResponse(
  kept: { readonly id: string; readonly input: string; readonly response: string } & Omit<
    KeptResponse,
    "input" | "response"
  >,
  { memory, owner }: Drawer,
): boolean {
  const { id, input, response, ...more } = kept;
  const members = Object.entries(more).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const value = `{${[...members, `"input":${input}`, `"response":${response}`].join(",")}}`;
  return memory.put({ space: "response", owner, id }, value, ttlMs);
}

export function forgetResponse(id: string, { memory, owner }: Drawer): boolean {
  return memory.delete({ space: "response", owner, id });
}

/** `input` as items: a bare string is the user's message. */
export function itemsOf(input: unknown): readonly unknown[] {
  if (typeof input === "string") return [{ type: "message", role: "user", content: input }];
  return Array.isArray(input) ? (input as readonly unknown[]) : [];
}

export function outputOf(response: JsonObject): readonly unknown[] {
  return Array.isArray(response["output"]) ? (response["output"] as readonly unknown[]) : [];
}

/** The raw JSON of a top-level field; undefined where it is absent. */
export function rawField(body: Uint8Array, scan: FieldScan, name: string): string | undefined {
  const span = scan.fields.get(name);
  return span === undefined ? undefined : Buffer.from(body.subarray(span.start, span.end)).toString("utf8");
}

/** The response inside what a caller gets: a JSON answer itself, or the last event of a stream. */
export function responseIn(answer: Uint8Array): { readonly id: string; readonly json: string } | undefined {
  if (answer[0] === brace) return identified(answer);
  const text = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).toString("utf8");
  for (const line of text.split(/\r\n|\r|\n/u)) {
    if (!line.startsWith("data:")) continue;
    const data = Buffer.from(line.slice("data:".length).trim());
    if (data[0] !== brace) continue;
    const scan = scanFields(data, { maxDepth: deepest });
    if ("problem" in scan) continue;
    const type = scan.fields.get("type");
    const response = scan.fields.get("response");
    if (type === undefined || response === undefined) continue;
    const read = readJson(data, type);
    if (!read.ok || (read.value !== "response.completed" && read.value !== "response.incomplete")) continue;
    return identified(data.subarray(response.start, response.end));
  }
  return undefined;
}

const brace = 0x7b;

function identified(json: Uint8Array): { readonly id: string; readonly json: string } | undefined {
  const scan = scanFields(json, { maxDepth: deepest });
  if ("problem" in scan) return undefined;
  const span = scan.fields.get("id");
  const id = span === undefined ? undefined : readJson(json, span);
  if (id?.ok !== true || typeof id.value !== "string" || id.value === "") return undefined;
  return { id: id.value, json: Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString("utf8") };
}

/** An item that went into a call, with an id to page by where it has none. */
export function withItemId(item: unknown, at: string): unknown {
  if (!isObject(item) || typeof item["id"] === "string") return item;
  return { id: `item_${at}`, ...item };
}
