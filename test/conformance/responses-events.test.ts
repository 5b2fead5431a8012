import { describe, expect, it } from "vitest";
import { missingFields, missingInResponse, type WireEvent } from "./responses-events.ts";

const place = { item_id: "msg_1", output_index: 0, sequence_number: 0 };

describe("the check of Responses events", () => {
  it.each<[string, WireEvent, string]>([
    ["a field", { type: "response.output_text.delta", ...place, content_index: 0, delta: "a" }, "logprobs"],
    [
      "a number in order",
      { type: "response.refusal.delta", ...place, sequence_number: 3, content_index: 0, delta: "" },
      "sequence_number",
    ],
    [
      "a field of an item",
      { type: "response.output_item.done", ...place, item: { type: "function_call", name: "f" } },
      "call_id",
    ],
    [
      "a field of a part",
      { type: "response.content_part.done", ...place, content_index: 0, part: { type: "refusal" } },
      "refusal",
    ],
    ["a field of a response", { type: "response.created", ...place, response: { id: "resp_1" } }, "access_programs"],
    ["a known type", { type: "response.noise", ...place }, "is no event that is written"],
  ])("notices the lack of %s", (_, event, lack) => {
    expect(missingFields([event]).join("\n")).toContain(lack);
  });

  it("notices what an answer's usage lacks", () => {
    expect(missingInResponse({ usage: { input_tokens: 1 } })).toContain("response usage: total_tokens");
  });
});
