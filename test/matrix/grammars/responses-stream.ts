import { objectOf, textOf } from "../../replay/json-view.ts";
import { readSse } from "../../replay/sse-messages.ts";
import type { Json } from "../intent.ts";
import { isItem, responseFaults } from "./whole-response.ts";

/**
 * What in a Responses stream the official SDK or a strict client could stumble over, in words: numbers that rise from 0,
 * one frame around each item, deltas that add up to what is done, one completion that repeats it all.
 */
export function responsesStreamFaults(text: string): readonly string[] {
  const grammar = new ResponsesGrammar();
  for (const { event, data, raw } of readSse(text)) {
    if (data === undefined) {
      if (!raw.startsWith(":")) grammar.complain(`no data: ${raw}`);
    } else if (data === "[DONE]") grammar.marker();
    else grammar.event(event, objectOf(JSON.parse(data)));
  }
  return grammar.end();
}

interface OpenItem {
  readonly id: unknown;
  readonly type: unknown;
  /** Of each part what its deltas said. */
  said: string;
}

class ResponsesGrammar {
  readonly #faults: string[] = [];
  readonly #items: (OpenItem | "done")[] = [];
  readonly #done: Json[] = [];
  #sequence = -1;
  #id: unknown;
  #phase: "before" | "created" | "open" | "over" | "marked" = "before";

  complain(what: string): void {
    this.#faults.push(what);
  }

  marker(): void {
    if (this.#phase !== "over") this.complain(`[DONE] while ${this.#phase}`);
    this.#phase = "marked";
  }

  event(name: string | undefined, event: Json): void {
    const type = textOf(event["type"]);
    if (name !== type) this.complain(`the event line says ${String(name)}, the data ${type}`);
    if (event["sequence_number"] !== this.#sequence + 1) this.complain(`sequence ${String(event["sequence_number"])}`);
    this.#sequence = Number(event["sequence_number"]);
    const response = event["response"];
    if (response !== undefined) return this.#lifecycle(type, objectOf(response));
    if (this.#phase !== "open") this.complain(`${type} while ${this.#phase}`);
    const index = Number(event["output_index"]);
    if (type === "response.output_item.added") return this.#added(index, objectOf(event["item"]));
    const item = this.#items[index];
    if (item === undefined || item === "done") return this.complain(`${type} outside of its item`);
    if (type === "response.output_item.done") return this.#itemDone(index, item, objectOf(event["item"]));
    if (event["item_id"] !== item.id) this.complain(`${type} of ${String(event["item_id"])}`);
    if (type.endsWith(".delta")) item.said += textOf(event["delta"]);
    const whole = event["text"] ?? event["arguments"] ?? event["refusal"];
    if (type.endsWith(".done") && typeof whole === "string") {
      if (whole !== item.said) this.complain(`${type} says ${whole}, its deltas ${item.said}`);
      item.said = "";
    }
    return undefined;
  }

  end(): readonly string[] {
    if (this.#phase !== "over" && this.#phase !== "marked") this.complain("no completion");
    return this.#faults;
  }

  #lifecycle(type: string, response: Json): void {
    if (this.#id !== undefined && response["id"] !== this.#id) this.complain("the response's id changed");
    this.#id = response["id"];
    const isOver = ["response.completed", "response.incomplete"].includes(type);
    for (const fault of responseFaults(response, isOver)) this.complain(`${type}: ${fault}`);
    if (isOver) {
      if (this.#phase !== "open") this.complain(`${type} while ${this.#phase}`);
      if (this.#items.some((item) => item !== "done")) this.complain(`${type} with open items`);
      if (JSON.stringify(response["output"]) !== JSON.stringify(this.#done))
        this.complain("output is not what was done");
      if (type !== `response.${String(response["status"])}`) this.complain(`${type}: ${String(response["status"])}`);
      this.#phase = "over";
    } else if (type === "response.created" && this.#phase === "before") this.#phase = "created";
    else if (type === "response.in_progress" && this.#phase === "created") this.#phase = "open";
    else this.complain(`${type} while ${this.#phase}`);
  }

  #added(index: number, item: Json): void {
    if (index !== this.#items.length) this.complain(`item ${index} came as number ${this.#items.length}`);
    this.#items[index] = { id: item["id"], type: item["type"], said: "" };
  }

  #itemDone(index: number, open: OpenItem, item: Json): void {
    if (item["id"] !== open.id || item["type"] !== open.type) this.complain("another item is done than was added");
    if (open.said !== "") this.complain(`deltas nobody summed up: ${open.said}`);
    if (!isItem(item)) this.complain(`item ${JSON.stringify(item)}`);
    this.#items[index] = "done";
    this.#done[index] = item;
  }
}
