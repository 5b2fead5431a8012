import { describe, expect, it } from "vitest";
import type { Drawer, ThreadWish } from "#dialects/threads";
import { processMemory } from "#pipeline/process-memory";
import { editFields, scanFields, type FieldScan } from "#wire/json-splice";
import { responseIn } from "./kept-response.ts";
import { threads } from "./threads.ts";

function drawer(maxLength = 1 << 20): Drawer {
  let made = 0;
  return {
    memory: processMemory(() => 0),
    owner: "alice",
    newId: () => {
      made += 1;
      return `n${made}`;
    },
    nowS: 1_795_000_000,
    maxLength,
  };
}

function scanned(body: object): { readonly body: Buffer; readonly scan: FieldScan } {
  const bytes = Buffer.from(JSON.stringify(body));
  const scan = scanFields(bytes, { maxDepth: 64 });
  if ("problem" in scan) throw new Error(scan.problem);
  return { body: bytes, scan };
}

function read(body: object): ThreadWish {
  const made = scanned(body);
  const wish = threads.read(made.body, made.scan);
  if (!("store" in wish)) throw new Error(wish.message);
  return wish;
}

/** Keeps an answer of these items to a call, and gives its id. */
function keep(call: object, answer: { readonly id: string; readonly output: readonly object[] }, into: Drawer): string {
  const made = scanned(call);
  const kept = threads.keep(
    { ...made, wish: read(call), answer: Buffer.from(JSON.stringify({ object: "response", ...answer })) },
    into,
  );
  expect(kept).toBe(true);
  return answer.id;
}

/** The call as it is sent to a provider that holds nothing. */
function whole(call: object, from: Drawer): unknown {
  const made = scanned(call);
  const earlier = threads.earlier(read(call), from);
  if (!("items" in earlier)) return earlier;
  const edits = threads.wholeEdits(made.body, made.scan, earlier);
  return JSON.parse(Buffer.from(editFields(made.body, made.scan, edits)).toString());
}

const said = (text: string, id = "msg_1"): object => ({
  id,
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [] }],
});
const thought = (more: object = {}): object => ({ id: "rs_1", type: "reasoning", summary: [], ...more });
const call = { id: "fc_1", type: "function_call", call_id: "c1", name: "f", arguments: "{}" };
const result = { type: "function_call_output", call_id: "c1", output: "1" };

describe("what a call says by reference", () => {
  it("is read from its top level, and is to be stored unless it says otherwise", () => {
    expect(read({ input: "a" })).toEqual({ store: true });
    expect(read({ input: "a", store: false, previous_response_id: "r" })).toEqual({ store: false, previous: "r" });
    expect(read({ input: "a", conversation: { id: "c" }, store: null })).toEqual({ store: true, conversation: "c" });
    expect(read({ input: 'say "item_reference"' })).toEqual({ store: true });
    const references = [
      { type: "item_reference", id: "msg_1" },
      { role: "user", content: "item_reference" },
    ];
    expect(read({ input: references })).toEqual({ store: true, references: ["msg_1"] });
  });

  it("is a reference without its type, too, and nothing else that has an id", () => {
    const input = [{ id: "msg_1" }, { type: null, id: "msg_2" }, { id: "msg_3", role: "user", content: "a" }, call];
    expect(read({ input })).toEqual({ store: true, references: ["msg_1", "msg_2"] });
  });

  it.each([
    [{ previous_response_id: 1 }, "previous_response_id"],
    [{ conversation: {} }, "conversation.id"],
    [{ store: "yes" }, "store"],
    [{ previous_response_id: "a", conversation: "b" }, "conversation"],
  ])("is refused in the wrong shape: %j", (fields, param) => {
    const made = scanned({ input: "a", ...fields });
    expect(threads.read(made.body, made.scan)).toMatchObject({ kind: "invalid_request", param });
  });
});

describe("a call made whole", () => {
  it("has every item of its thread before its own, and names nothing any more", () => {
    const held = drawer();
    const first = keep({ input: "one" }, { id: "r1", output: [said("1")] }, held);
    const second = keep(
      { input: "two", previous_response_id: first },
      { id: "r2", output: [said("2", "msg_2")] },
      held,
    );
    expect(whole({ model: "m", input: [result], previous_response_id: second, store: true }, held)).toEqual({
      model: "m",
      input: [
        { type: "message", role: "user", content: "one" },
        said("1"),
        { type: "message", role: "user", content: "two" },
        said("2", "msg_2"),
        result,
      ],
      store: true,
    });
  });

  it("lacks thoughts that are sealed nowhere, and the ids that tie to them what followed", () => {
    const held = drawer();
    const output = [thought(), call, said("after")];
    const id = keep({ input: "one" }, { id: "r1", output }, held);
    const { id: _call, ...untiedCall } = call;
    const { id: _said, ...untiedSaid } = said("after") as { readonly id: string };
    expect(whole({ input: [result, said("own")], previous_response_id: id }, held)).toMatchObject({
      input: [{ role: "user" }, untiedCall, untiedSaid, result, said("own")],
    });
  });

  it("keeps thoughts that carry their seal, and every id behind them", () => {
    const held = drawer();
    const output = [thought({ encrypted_content: "gAAAAA" }), call];
    const id = keep({ input: "one" }, { id: "r1", output }, held);
    expect(whole({ input: [result], previous_response_id: id }, held)).toMatchObject({
      input: [{ role: "user" }, ...output, result],
    });
  });

  it("has the items it named in place of their names, also where they are named by what it goes on from", () => {
    const held = drawer();
    keep({ input: "one" }, { id: "r1", output: [said("1")] }, held);
    const named = {
      input: [
        { type: "item_reference", id: "msg_1" },
        { role: "user", content: "two" },
      ],
    };
    expect(whole(named, held)).toMatchObject({ input: [said("1"), { role: "user", content: "two" }] });
    const second = keep(named, { id: "r2", output: [said("2", "msg_2")] }, held);
    expect(whole({ input: "three", previous_response_id: second }, held)).toMatchObject({
      input: [said("1"), { content: "two" }, said("2", "msg_2"), { content: "three" }],
    });
  });
});

describe("a thread", () => {
  it("is not found by an item's id, nor an item by a response's", () => {
    const held = drawer();
    keep({ input: "one" }, { id: "r1", output: [said("1")] }, held);
    expect(whole({ input: "a", previous_response_id: "msg_1" }, held)).toMatchObject({
      kind: "invalid_request",
      word: "previous_response_not_found",
    });
    expect(whole({ input: [{ type: "item_reference", id: "r1" }] }, held)).toMatchObject({ param: "input" });
  });

  it("may name an item by escapes as well, which is no way past its owner", () => {
    const body = String.raw`{"input":[{"type":"item\u005freference","id":"msg_9"}]}`;
    const scan = scanFields(Buffer.from(body), { maxDepth: 64 });
    if ("problem" in scan) throw new Error(scan.problem);
    expect(threads.read(Buffer.from(body), scan)).toEqual({ store: true, references: ["msg_9"] });
  });

  it("is not made longer than a request may be by naming one item many times", () => {
    const held = drawer(1000);
    keep({ input: "one" }, { id: "r1", output: [said("x".repeat(400))] }, held);
    const named = (times: number): object => ({
      input: Array.from({ length: times }, () => ({ type: "item_reference", id: "msg_1" })),
    });
    expect(whole(named(1), held)).toMatchObject({ input: [said("x".repeat(400))] });
    expect(whole(named(3), held)).toMatchObject({ kind: "request_too_large", param: "input" });
  });

  it("that goes round in a circle ends", () => {
    const held = drawer();
    keep({ input: "one", previous_response_id: "r2" }, { id: "r1", output: [] }, held);
    keep({ input: "two", previous_response_id: "r1" }, { id: "r2", output: [] }, held);
    expect(whole({ input: "a", previous_response_id: "r2" }, held)).toMatchObject({ kind: "invalid_request" });
  });

  it("is as long as a request may be, and no longer", () => {
    const held = drawer(1000);
    const id = keep({ input: "x".repeat(2000) }, { id: "r1", output: [] }, held);
    expect(whole({ input: "a", previous_response_id: id }, held)).toMatchObject({ kind: "request_too_large" });
  });
});

describe("the response in what a caller gets", () => {
  const response = '{"id":"r1","output":[{"n":1.0}]}';

  it.each([
    ["a whole answer", response],
    [
      "a stream's last event",
      `event: response.completed\ndata: {"type":"response.completed","response":${response}}\n\n`,
    ],
    [
      "a stream's end with its terminator, in other line ends",
      `data: {"type":"response.incomplete","response":${response}}\r\n\r\ndata: [DONE]\r\n\r\n`,
    ],
  ])("is found byte for byte in %s", (_, answer) => {
    expect(responseIn(Buffer.from(answer))).toEqual({ id: "r1", json: response });
  });

  it.each([
    ["a failed one", `data: {"type":"response.failed","response":${response}}\n\n`],
    ["one without an id", '{"output":[]}'],
    ["what is no JSON", "data: {\n\n"],
    ["nothing", ""],
  ])("is not found in %s", (_, answer) => {
    expect(responseIn(Buffer.from(answer))).toBeUndefined();
  });
});
