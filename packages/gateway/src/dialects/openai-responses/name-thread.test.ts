import { describe, expect, it } from "vitest";
import { nameThread } from "./name-thread.ts";

const wish = { store: true, previous: "resp_1", conversation: "conv_1" };

function named(answer: string, by: Parameters<typeof nameThread>[1] = wish): string {
  return Buffer.from(nameThread(Buffer.from(answer), by)).toString();
}

const before = '{"id": "resp_2","previous_response_id":null,"temperature":1.0}';
const after = '{"id": "resp_2","previous_response_id":"resp_1","temperature":1.0,"conversation":{"id":"conv_1"}}';

describe("what a call named", () => {
  it.each([
    ["a whole answer", (response: string) => response],
    [
      "a stream's event",
      (response: string) => `event: response.created\ndata: {"n":1.0, "response": ${response} }\n\n`,
    ],
    ["an event without a name", (response: string) => `data:{"response":${response}}\r\n\r\n`],
  ])("stands in %s again, and no other byte changes", (_, around) => {
    expect(named(around(before))).toBe(around(after));
  });

  it("is that alone which was named", () => {
    expect(named(before, { store: true, previous: "resp_1" })).toBe(before.replace("null", '"resp_1"'));
  });

  it.each([
    'event: response.output_text.delta\ndata: {"delta":"\\"response\\""}\n\n',
    'event: x\ndata: {"response":\ndata: {}}\n\n',
    ': "response"\n\n',
    'data: {"response": broken\n\n',
    "data: [DONE]\n\n",
    "",
  ])("leaves what holds no response as it is: %j", (frame) => {
    expect(named(frame)).toBe(frame);
  });
});
